"""Sources that ask for a key are off until one is configured: as if no instrument listed them."""

from __future__ import annotations

from msgspec.structs import replace

from ticker.settings.errors import ConfigurationError
from ticker.settings.model import Settings
from ticker.sources import KEYED


def off(config: Settings, source: str) -> bool:
    """Whether `source` asks for a key and has none."""
    each = config.sources[source]
    return (each.adapter or source) in KEYED and not each.api_key


def switched_on(config: Settings) -> Settings:
    """`config` without the sources that are off. Raises ConfigurationError for an instrument that has no other."""
    dark = {source for source in config.sources if off(config, source)}
    instruments = {
        symbol: replace(each, sources=tuple(s for s in each.sources if s not in dark))
        for symbol, each in config.instruments.items()
    }
    for symbol, each in instruments.items():
        if not each.sources:
            source = config.instruments[symbol].sources[0]
            message = (
                f"instruments.{symbol}.sources: {source} is off until it has a key; "
                f"set sources.{source}.api_key or TICKER_SOURCES__{source.upper()}__API_KEY, or list another source"
            )
            raise ConfigurationError(message)
    checks = {name: each for name, each in config.checks.items() if not dark & set(each.sources)}
    return replace(config, instruments=instruments, checks=checks)
