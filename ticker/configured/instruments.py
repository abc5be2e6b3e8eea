"""What is shown, and what is checked against what."""

from __future__ import annotations

from ticker.quotes import Check, Instrument
from ticker.settings.model import Settings


def instruments(config: Settings) -> tuple[Instrument, ...]:
    """The configured instruments as values."""
    return tuple(
        Instrument(
            symbol=symbol,
            base=each.base,
            quote=each.quote,
            unit=each.unit or "",
            decimals=each.decimals,
            sources=each.sources,
            max_age=each.max_age,
            max_move=each.max_move,
            tolerance=each.tolerance,
            band=each.band,
            required=each.required,
            calendar=each.calendar,
            label=each.label,
            name=each.name,
            codes=each.codes,
        )
        for symbol, each in config.instruments.items()
    )


def checks_of(config: Settings) -> tuple[Check, ...]:
    """The configured cross-checks as values."""
    return tuple(
        Check(
            name=name,
            numerator=each.numerator,
            denominator=each.denominator,
            base=each.base,
            quote=each.quote,
            sources=each.sources,
            tolerance=each.tolerance,
            max_age=each.max_age,
        )
        for name, each in config.checks.items()
    )
