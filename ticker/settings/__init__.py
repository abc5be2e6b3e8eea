"""The configuration: a TOML file, overridden by TICKER_… environment variables, overridden by flags.

`model` says what may be set and its bounds; `load` reads and layers it and remembers where each value came from.
Nothing unknown or misspelt gets past either.
"""

from ticker.settings.load import ConfigurationError, Loaded, load
from ticker.settings.model import Settings

__all__ = ["ConfigurationError", "Loaded", "Settings", "load"]
