"""One healthy answer of every source, as the sample upstreams write it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.support.upstreams import banks, formats, prices
from ticker.sources.base import MOSCOW

DAY = date(2024, 11, 22)
BEFORE = date(2024, 11, 21)
NOON = datetime(2024, 11, 22, 12, tzinfo=MOSCOW)
USD, EUR = Decimal("100.6798"), Decimal("106.0762")
RATES = banks.roubles(USD, EUR)
# The whole tables are long, and a wound is likelier to matter in a short one.
FEW = {code: RATES[code] for code in ("USD", "EUR", "RUB", "CNY", "BYN", "KZT", "UZS")}
OIL: dict[date, Decimal | None] = {BEFORE: Decimal("75.09"), DAY: Decimal("76.10")}
PRICED = {day: price for day, price in OIL.items() if price is not None}

LIVE = {
    "frankfurter": banks.frankfurter(DAY, "USD", USD),
    "moex_fx": prices.moex_selt(NOON, Decimal("13.87"), Decimal("13.81"), BEFORE),
    "moex_cbr": prices.moex_cbr(DAY, USD, EUR),
    "ecb": banks.ecb(DAY, FEW),
    "nbrb": banks.nbrb(DAY, FEW),
    "nbk": banks.nbk(DAY, FEW),
    "cbu_uz": banks.cbu_uz(DAY, FEW),
    "open_er_api": banks.open_er_api(datetime(2024, 11, 22, 0, 2, 31, tzinfo=UTC), FEW),
    "fawazahmed0": banks.fawazahmed0(DAY, FEW),
    "fred": prices.fred("DCOILBRENTEU", {**OIL, DAY + timedelta(days=1): None}),
    "eia": prices.eia("RBRTE", PRICED),
    "alphavantage": prices.alphavantage("Crude Oil Prices Brent", {**OIL, DAY + timedelta(days=1): None}),
    "twelvedata": prices.twelvedata("XBR/USD", Decimal("73.73"), Decimal("72.81"), NOON),
}
HISTORY = {
    "cbr": formats.cbr_dynamic("R01235", [(BEFORE, 1, Decimal("100.2192")), (DAY, 1, USD)]),
    "ecb": banks.ecb_history({BEFORE: RATES, DAY: RATES}),
    "frankfurter": LIVE["frankfurter"],
    "fred": LIVE["fred"],
    "eia": LIVE["eia"],
    "alphavantage": LIVE["alphavantage"],
}


def changed(source: str, old: str, new: str) -> bytes:
    """The live answer of `source` with the first `old` replaced."""
    assert old.encode() in LIVE[source], LIVE[source][:200]
    return LIVE[source].replace(old.encode(), new.encode(), 1)
