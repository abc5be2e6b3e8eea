"""Alpha Vantage, commodities: the EIA's spot price of Brent once more. Needs a key, which allows 25 requests a day.

Refusals come with status 200 and a text that repeats the key, so it is never quoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ticker.quotes import Reason, SourceError
from ticker.sources.base import Adapter, Extract, Request, as_json, history, newest, schema

NEW_YORK = ZoneInfo("America/New_York")
_NAMES = {"Crude Oil Prices Brent": "BRENT", "Crude Oil Prices WTI": "WTI"}
_UNITS = {"dollars per barrel": "USD"}
_LIMITED = {"Information", "Note"}


def requests(codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The whole history of each series: there is no shorter answer."""
    return [Request("/query", {"function": code, "interval": "daily"}) for code in codes]


def archive(codes: Sequence[str], _first: date, _last: date) -> Sequence[Request]:
    """The same."""
    return [Request("/query", {"function": code, "interval": "daily"}) for code in codes]


def parse(body: bytes) -> Extract:
    """The newest price of a series and the one before it. Raises SourceError."""
    return newest(parse_archive(body))


def parse_archive(body: bytes) -> Extract:
    """Every price of a series, oldest first. Raises SourceError."""
    answer = as_json(body)
    if isinstance(answer, dict) and _LIMITED & answer.keys():
        raise SourceError(Reason.RATE_LIMITED, "a note about the limits of the key in place of data")
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise schema("no data")
    series = _NAMES.get(str(answer.get("name")))
    if series is None:
        raise schema(f"the series {str(answer.get('name'))[:40]!r}")
    unit = str(answer.get("unit"))
    if unit not in _UNITS:
        raise SourceError(Reason.UNIT, f"{series}: in {unit[:40]!r}")
    days = [(row.get("date"), row.get("value")) for row in rows if row.get("value") != "."]
    return history(series, _UNITS[unit], days, NEW_YORK)


ADAPTER = Adapter(
    publisher="eia",
    base_url="https://www.alphavantage.co",
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "BRENT"},
    archive=archive,
    parse_archive=parse_archive,
    key_parameter="apikey",
)
