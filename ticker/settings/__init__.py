"""The configuration: a TOML file, overridden by TICKER_… environment variables, overridden by flags.

`types` says how values are written, `model` what may be set and its bounds, `environment` which key a variable means,
`errors` what is said of a wrong one; `load` reads and layers it all and remembers where each value came from.
Nothing unknown or misspelt gets past either.
"""

from ticker.settings.errors import ConfigurationError
from ticker.settings.load import Loaded, load
from ticker.settings.model import Settings

__all__ = ["ConfigurationError", "Loaded", "Settings", "load"]
