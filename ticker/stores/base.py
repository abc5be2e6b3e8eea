"""What goes into a store's history and what comes out of it, and how a store says that it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ticker.values import Struct

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from decimal import Decimal

    from ticker.quotes import PriceType


# An instrument's symbol and a source's name.
Key: TypeAlias = tuple[str, str]


class StoreError(Exception):
    """The store did not do what was asked: locked, full, read-only, damaged, gone. `mend` says what would help."""

    def __init__(self, detail: str, mend: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.mend = mend


class Row(Struct, frozen=True):
    """One accepted publication: the price of one unit as a source stated it for `as_of`.

    `seen_at` is from when on the board could show it: when it came in, or for a row out of an archive the moment it is
    dated. `revision` counts corrections of the same date by the same source from 0; the highest one is in force.
    """

    symbol: str
    source: str
    publisher: str
    price_type: PriceType
    as_of: datetime
    price: Decimal
    fetched_at: datetime
    seen_at: datetime
    previous: Decimal | None = None
    previous_as_of: datetime | None = None
    contract: str | None = None
    archived: bool = False
    revision: int = 0


class Point(NamedTuple):
    """What a line tells of a row, as it is kept: a page has thousands, and most of it is only copied out.

    `as_of` and `fetched_at` are microseconds since 1970, `offset` the minutes that the source's zone is east of
    Greenwich, `price` the digits as the source wrote them.
    """

    as_of: int
    offset: int
    price: str
    price_type: str
    source: str
    fetched_at: int
    revision: int


class Span(Struct, frozen=True):
    """A stretch of one instrument's history: `first` <= as_of < `end`, oldest first, `limit` rows at most.

    `sources` in order of preference: the best one that has a row speaks. `every` asks for the last row of each such
    stretch of time (None: every row), the stretches beginning at local midnight `offset` east of Greenwich.
    """

    symbol: str
    sources: tuple[str, ...]
    first: datetime
    end: datetime
    limit: int
    every: timedelta | None
    offset: timedelta


class Retention(Struct, frozen=True):
    """How long market prices are kept as they came, then how long the last of each hour; then the last of each day.

    Fixings are never thinned out. `keep` is after how long everything goes; None is never.
    """

    raw: timedelta
    hourly: timedelta
    keep: timedelta | None = None
