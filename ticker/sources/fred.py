"""FRED, keyless CSV of a daily series (fredgraph.csv); Brent is DCOILBRENTEU, the price that the EIA assesses.

The first line names the series; a day without a price is `.` in older files and empty in newer ones. Days late. The
answers of the JSON interface are read too, which name no series: their number belongs to no instrument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ticker.sources.base import Adapter, Extract, Request, Skipped, as_csv, as_json, history, newest, schema

NEW_YORK = ZoneInfo("America/New_York")
# What a series is priced in; the answer itself does not say.
CURRENCIES = {"DCOILBRENTEU": "USD", "DCOILWTICO": "USD", "DHHNGSP": "USD", "DEXUSEU": "USD", "": ""}
_DATES = ("observation_date", "DATE")
_MISSING = ("", ".")
_RECENT = timedelta(days=60)  # past which a series has stopped


def requests(codes: Sequence[str], now: datetime) -> Sequence[Request]:
    """The last weeks of each series, by the publisher's own date."""
    since = now.astimezone(NEW_YORK) - _RECENT
    return [Request("/graph/fredgraph.csv", {"id": code, "cosd": f"{since:%Y-%m-%d}"}) for code in codes]


def archive(codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The days from `first` to `last`, a series a request."""
    return [Request("/graph/fredgraph.csv", {"id": code, "cosd": f"{first}", "coed": f"{last}"}) for code in codes]


def parse(body: bytes) -> Extract:
    """The newest price of a series and the one before it. Raises SourceError."""
    return newest(parse_archive(body))


def parse_archive(body: bytes) -> Extract:
    """Every price of a series, oldest first, each with the one before it. Raises SourceError."""
    series, rows, ragged = _observations(body) if body.lstrip()[:1] == b"{" else _table(body)
    if series not in CURRENCIES:
        raise schema(f"series {series[:40]!r}: what it is priced in is not known here")
    priced = [(day, value) for day, value in rows if str(value).strip() not in _MISSING]
    found = history(series, CURRENCIES[series], priced, NEW_YORK)
    return replace(found, skipped=ragged + found.skipped)


def _table(body: bytes) -> tuple[str, list[tuple[object, object]], tuple[Skipped, ...]]:
    names, rows, ragged = as_csv(body)
    if len(names) != 2 or names[0] not in _DATES:  # noqa: PLR2004 - a date and one series
        raise schema(f"no series: {', '.join(names)[:80] or 'nothing'}")
    return names[1], [(row[names[0]], row[names[1]]) for row in rows], ragged


def _observations(body: bytes) -> tuple[str, list[tuple[object, object]], tuple[Skipped, ...]]:
    answer = as_json(body)
    rows = answer.get("observations") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise schema("no observations")
    return "", [(row.get("date"), row.get("value")) for row in rows], ()


ADAPTER = Adapter(
    publisher="eia",
    base_url="https://fred.stlouisfed.org",
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "DCOILBRENTEU"},
    archive=archive,
    parse_archive=parse_archive,
)
