"""The configuration that a command runs with: the file it names, the environment, and its own flags on top."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ticker.settings import Loaded, load

if TYPE_CHECKING:
    from pathlib import Path


def settings(config: Path | None, **flags: object) -> Loaded:
    """The configuration in force; flags that were not given override nothing. Raises ConfigurationError."""
    given: dict[str, Any] = {key.replace("__", "."): value for key, value in flags.items() if value is not None}
    return load(config, os.environ, given)
