"""The configuration that a command runs with: the file it names, the environment, and its own flags on top."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ticker.app import Service, compose
from ticker.settings.errors import ConfigurationError, placed
from ticker.settings.load import Loaded, load, recall


@dataclass(frozen=True, slots=True)
class First:
    """The configuration that a start begins with; `again` reads it anew, `remember` keeps it for the next start."""

    loaded: Loaded
    remember: Callable[[], None] | None
    again: Callable[[], Loaded]


def settings(config: Path | None, **flags: object) -> Loaded:
    """The configuration in force; flags that were not given override nothing. Raises ConfigurationError."""
    return load(config, os.environ, _given(flags))


def begun(config: Path | None, **flags: object) -> First:
    """As `settings`; what a former start has found good is not looked through again. Raises ConfigurationError."""
    loaded, remember = recall(config, os.environ, _given(flags))
    return First(loaded, remember, lambda: settings(config, **flags))


def composed(loaded: Loaded, **how: Any) -> Service:  # noqa: ANN401 - whatever `compose` takes
    """The service of `loaded`. Raises ConfigurationError, which names the file and the key."""
    try:
        return compose(loaded.settings, sound=loaded.sound, **how)
    except ConfigurationError as error:
        raise placed(error, loaded.origins) from None


def _given(flags: dict[str, object]) -> dict[str, Any]:
    return {key.replace("__", "."): value for key, value in flags.items() if value is not None}
