"""The configuration that a command runs with: the file it names, the environment, and its own flags on top."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ticker.settings.loader import Loaded, load


@dataclass(frozen=True, slots=True)
class First:
    """The configuration that a start begins with; `again` reads it anew."""

    loaded: Loaded
    again: Callable[[], Loaded]


def settings(config: Path | None, **flags: object) -> Loaded:
    """The configuration in force; flags that were not given override nothing. Raises ConfigurationError."""
    return load(config, os.environ, _given(flags))


def begun(config: Path | None, **flags: object) -> First:
    """As `settings`, with what reads the same again. Raises ConfigurationError."""
    return First(settings(config, **flags), lambda: settings(config, **flags))


def _given(flags: dict[str, object]) -> dict[str, Any]:
    return {key.replace("__", "."): value for key, value in flags.items() if value is not None}
