"""FRED, keyless CSV of a daily series (fredgraph.csv); Brent is DCOILBRENTEU, the price that the EIA assesses.

The first line names the series; a day without a price is `.` in older files and empty in newer ones. Days late. The
answers of the JSON interface are read too, which name no series: their number belongs to no instrument.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from ticker.quotes import Tick
from ticker.sources.adapter import Adapter, Day, Request
from ticker.sources.base import as_json, schema
from ticker.sources.series import history, newest
from ticker.sources.sheet import as_csv

NEW_YORK = ZoneInfo("America/New_York")
# What a series is priced in; the answer itself does not say.
CURRENCIES = {"DCOILBRENTEU": "USD", "DCOILWTICO": "USD", "DHHNGSP": "USD", "DEXUSEU": "USD", "": ""}
_DATES = ("observation_date", "DATE")
_MISSING = ("", ".")
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
    return newest(parse_archive(body))


def parse_archive(body: bytes) -> Sequence[Tick]:
    """Every price of a series, oldest first, each with the one before it. Raises SourceError."""
    series, rows = _observations(body) if body.lstrip()[:1] == b"{" else _table(body)
    if series not in CURRENCIES:
        raise schema(f"series {series[:40]!r}: what it is priced in is not known here")
    return history(series, CURRENCIES[series], [(day, value) for day, value in rows if value not in _MISSING], NEW_YORK)


def _table(body: bytes) -> tuple[str, list[tuple[object, object]]]:
    names, rows = as_csv(body)
    if len(names) != 2 or names[0] not in _DATES:  # noqa: PLR2004 - a date and one series
        raise schema(f"no series: {', '.join(names)[:80] or 'nothing'}")
    return names[1], [(row[names[0]], row[names[1]]) for row in rows]


def _observations(body: bytes) -> tuple[str, list[tuple[object, object]]]:
    answer = as_json(body)
    rows = answer.get("observations") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise schema("no observations")
    return "", [(row.get("date"), row.get("value")) for row in rows]


ADAPTER = Adapter(
    publisher="eia",
    base_url="https://fred.stlouisfed.org",
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "DCOILBRENTEU"},
    archive=archive,
    parse_archive=parse_archive,
)
