"""The words that JSON, log and metrics share: what kind a price is of, how a quote stands, why there is none."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class PriceType(StrEnum):
    """What kind of number a price is; one kind is never passed off as another."""

    FIXING = "fixing"
    LAST = "last"
    SETTLEMENT = "settlement"
    MID = "mid"


class Status(StrEnum):
    """How a quote stands towards its source's calendar, from best to worst."""

    FRESH = "fresh"
    STALE = "stale"
    UNAVAILABLE = "unavailable"


class Reason(StrEnum):
    """One slug per kind of failure, the same in log, metric and JSON."""

    TIMEOUT = "timeout"
    DNS = "dns"
    TLS = "tls"
    CONNECT = "connect"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    RATE_LIMITED = "rate_limited"
    BLOCKED = "blocked"
    SIZE = "size"
    ENCODING = "encoding"
    PARSE = "parse"
    SCHEMA = "schema"
    UNIT = "unit"
    RANGE = "range"
    MOVE = "move"
    FUTURE = "future"
    FROZEN = "frozen"
    DISAGREE = "disagree"


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of `statuses`; nothing at all is unavailable."""
    return max(statuses, key=worse, default=Status.UNAVAILABLE)


def worse(status: Status) -> int:
    """How bad `status` is."""
    return _WORSE[status]


# Asked for every quote at every look at the board.
_WORSE = {status: place for place, status in enumerate(Status)}
