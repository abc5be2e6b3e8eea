"""U.S. Energy Information Administration, API v2: the spot price of Brent (series RBRTE). Needs a key, which is free.

The prices are assessments in US dollars a barrel, some days late, in the public domain. Values are strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ticker.quotes import Reason, SourceError
from ticker.sources.base import Adapter, Extract, Request, as_json, history, joined, newest, schema

NEW_YORK = ZoneInfo("America/New_York")
_PATH = "/v2/petroleum/pri/spt/data/"
_UNITS = {"$/BBL": "USD", "$/GAL": "USD"}
_MOST = 5000  # rows that one answer holds


def requests(codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The last days of all series in one."""
    return [_request(codes, {"length": f"{5 * len(codes)}"})]


def archive(codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The days from `first` to `last`, a series a request."""
    return [_request([code], {"start": f"{first}", "end": f"{last}", "length": f"{_MOST}"}) for code in codes]


def parse(body: bytes) -> Extract:
    """The newest price of each series and the one before it. Raises SourceError."""
    return newest(parse_archive(body))


def parse_archive(body: bytes) -> Extract:
    """Every price, a series after the other, oldest first. Raises SourceError."""
    answer = as_json(body)
    response = answer.get("response") if isinstance(answer, dict) else None
    rows = response.get("data") if isinstance(response, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("series") for row in rows):
        raise schema("no rows of a series")  # its text is not quoted: the answer repeats the key
    by_series: dict[str, list[Any]] = {}
    for row in rows:
        by_series.setdefault(str(row["series"]), []).append(row)
    return joined(_series(series, own) for series, own in by_series.items())


def _series(series: str, own: list[Any]) -> Extract:
    units = {str(row.get("units")) for row in own}
    if len(units) != 1 or not units <= _UNITS.keys():
        raise SourceError(Reason.UNIT, f"{series[:20]}: in {', '.join(sorted(units))[:40]}")
    days = [(row.get("period"), row.get("value")) for row in own if row.get("value") is not None]
    return history(series, _UNITS[units.pop()], days, NEW_YORK)


def _request(codes: Sequence[str], more: dict[str, str]) -> Request:
    facets = {f"facets[series][{place}]": code for place, code in enumerate(codes)}
    order = {"sort[0][column]": "period", "sort[0][direction]": "desc"}
    return Request(_PATH, {"frequency": "daily", "data[0]": "value", **facets, **order, **more})


ADAPTER = Adapter(
    publisher="eia",
    base_url="https://api.eia.gov",
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "RBRTE"},
    archive=archive,
    parse_archive=parse_archive,
    key_parameter="api_key",
)
