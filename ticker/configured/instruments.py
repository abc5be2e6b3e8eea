"""What is shown, and what is checked against what."""

from __future__ import annotations

from decimal import Decimal

from ticker.quotes import Instrument
from ticker.select.cross import Check
from ticker.settings.model import Settings


def instruments(config: Settings) -> tuple[Instrument, ...]:
    """The configured instruments as values."""
    return tuple(
        Instrument(
            symbol=symbol,
            base=each.base,
            quote=each.quote,
            unit=each.unit or f"1 {each.base}",
            decimals=each.decimals,
            sources=each.sources,
            max_age=each.max_age,
            max_move=each.max_move,
            tolerance=each.tolerance,
            band=each.band,
            required=each.required,
            calendar=each.calendar,
            labels=each.label,
            names=each.name,
            codes=each.codes,
        )
        for symbol, each in config.instruments.items()
    )


def checks_of(config: Settings) -> tuple[Check, ...]:
    """The configured cross-checks as values."""
    return tuple(
        Check(
            each.numerator,
            each.denominator,
            Instrument(
                symbol=name,
                base=each.base,
                quote=each.quote,
                unit=f"1 {each.base}",
                decimals=4,
                sources=each.sources,
                max_age=each.max_age,
                max_move=Decimal(1),
                tolerance=each.tolerance,
            ),
            each.tolerance,
        )
        for name, each in config.checks.items()
    )
