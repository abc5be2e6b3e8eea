"""FRED, keyless CSV of a daily series (fredgraph.csv); Brent is DCOILBRENTEU, the price that the EIA assesses.

The first line names the series; a day without a price is `.` in older files and empty in newer ones. Days late. The
answers of the JSON interface are read too, which name no series: their number belongs to no instrument.

An assessment is of the kind `fixing`: one number for one date, the same digits wherever it is copied, and never to be
compared with what a futures market did at some minute of that day (on 22.11.2024: 76.10 here, 73.73 there).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Tick
from ticker.sources.adapter import Adapter, Day, Request
from ticker.sources.base import as_csv, as_json, midnight, number, schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

NEW_YORK = ZoneInfo("America/New_York")
# What a series is priced in; the answer itself does not say.
CURRENCIES = {"DCOILBRENTEU": "USD", "DCOILWTICO": "USD", "DHHNGSP": "USD", "DEXUSEU": "USD", "": ""}
_DATES = ("observation_date", "DATE")
_MISSING = {"", "."}
_RECENT = 60  # days, past which a series has stopped


def requests(codes: Sequence[str]) -> Sequence[Request]:
    """The last weeks of each series."""
    since = Day("cosd", "%Y-%m-%d", NEW_YORK, _RECENT)
    return [Request("/graph/fredgraph.csv", {"id": code}, day=since) for code in codes]


def archive(codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The days from `first` to `last`, a series a request."""
    return [Request("/graph/fredgraph.csv", {"id": code, "cosd": f"{first}", "coed": f"{last}"}) for code in codes]


def parse(body: bytes) -> Sequence[Tick]:
    """The newest price of a series and the one before it. Raises SourceError."""
    ticks = parse_archive(body)
    if not ticks:
        raise schema("no day of the series has a price")
    return ticks[-1:]


def parse_archive(body: bytes) -> Sequence[Tick]:
    """Every price of a series, oldest first, each with the one before it. Raises SourceError."""
    series, rows = _observations(body) if body.lstrip()[:1] == b"{" else _table(body)
    if series not in CURRENCIES:
        raise schema(f"series {series[:40]!r}: what it is priced in is not known here")
    days = [(midnight(day, "%Y-%m-%d", NEW_YORK, series), number(value, series)) for day, value in rows]
    if any(day >= later for (day, _), (later, _) in pairwise(days)):
        raise schema("the days of the series are not in their order")
    before = [(None, None), *((price, day) for day, price in days)]
    currency, kind = CURRENCIES[series], PriceType.FIXING
    return [
        Tick(series, price, currency, day, kind, 1, *last) for (day, price), last in zip(days, before, strict=False)
    ]


def _table(body: bytes) -> tuple[str, list[tuple[str, object]]]:
    rows = as_csv(body)
    names = list(rows[0]) if rows else []
    if len(names) != 2 or names[0] not in _DATES:  # noqa: PLR2004 - a date and one series
        raise schema(f"no series: {', '.join(names)[:80] or 'no rows'}")
    return names[1], [(row[names[0]], row[names[1]]) for row in rows if row[names[1]] not in _MISSING]


def _observations(body: bytes) -> tuple[str, list[tuple[str, object]]]:
    rows = as_json(body).get("observations")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise schema("no observations")
    return "", [(str(row.get("date")), row.get("value")) for row in rows if row.get("value") not in _MISSING]


ADAPTER = Adapter(
    publisher="eia",
    base_url="https://fred.stlouisfed.org",
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "DCOILBRENTEU"},
    archive=archive,
    parse_archive=parse_archive,
)
