"""What is published: one number with its standing in time, and all of them at one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ticker.quotes.words import Status, worse, worst
from ticker.values import Struct, replace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from ticker.quotes.instrument import Instrument
    from ticker.quotes.words import PriceType, Reason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Agreement(Struct, frozen=True):
    """How many sources say the same within the instrument's tolerance, and how far apart they are in percent."""

    sources: int
    spread_percent: Decimal


class Quote(Struct, frozen=True):
    """What is published of one instrument: the chosen number, its provenance and its standing in time.

    `fresh_until` and `usable_until` are the two moments at which the status changes by the mere passing of time.
    """

    instrument: Instrument
    price: Decimal | None = None
    price_type: PriceType | None = None
    previous: Decimal | None = None
    previous_as_of: datetime | None = None
    as_of: datetime | None = None
    fetched_at: datetime | None = None
    next_update_at: datetime | None = None
    source: str | None = None
    publisher: str | None = None
    contract: str | None = None
    fallback: bool = False
    status: Status = Status.UNAVAILABLE
    reason: Reason | None = None
    agreement: Agreement | None = None
    fresh_until: datetime | None = None
    usable_until: datetime | None = None

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def change(self) -> Decimal | None:
        """Price less the source's previous publication, exactly; None where either is not known."""
        return None if self.price is None or self.previous is None else self.price - self.previous

    @property
    def change_percent(self) -> Decimal | None:
        """The change in percent of the previous publication, unrounded; None where it is not known."""
        change = self.change
        return None if change is None or not self.previous else change / self.previous * 100

    def at(self, now: datetime) -> Quote:
        """The same quote as it stands at `now`: time alone can only make it older, never newer."""
        status = max(self.status, self._status(now), key=worse)
        if status is self.status:
            return self
        if status is Status.UNAVAILABLE:
            return replace(self, status=status, price=None, previous=None, previous_as_of=None, agreement=None)
        return replace(self, status=status)

    def turns_at(self, now: datetime) -> datetime | None:
        """The next moment after `now` at which time alone changes the status."""
        moments = (self.fresh_until, self.usable_until) if self.price is not None else ()
        return min((moment for moment in moments if moment and moment > now), default=None)

    def _status(self, now: datetime) -> Status:
        if self.price is None or (self.usable_until and now >= self.usable_until):
            return Status.UNAVAILABLE
        return Status.STALE if self.fresh_until and now >= self.fresh_until else Status.FRESH


class Snapshot(Struct, frozen=True):
    """All quotes at one moment; JSON, HTML, events and metrics are all cut from the same one."""

    version: int
    generated_at: datetime
    quotes: tuple[Quote, ...]
    demo: bool = False

    @property
    def status(self) -> Status:
        """The worst status of its quotes."""
        return worst(quote.status for quote in self.quotes)

    def at(self, now: datetime) -> Snapshot:
        """The same snapshot as it stands at `now`: itself while no status has changed, else a later version.

        Each change is dated when it was due, not when somebody looked: replicas age to one version and the same bytes.
        """
        found, moment = self, self.generated_at
        while (turn := found.turns_at(moment)) is not None and turn <= now:
            found, moment = _aged(found, turn), turn
        return _aged(found, now)

    def follow(self, quotes: tuple[Quote, ...], now: datetime) -> Snapshot:
        """The snapshot after this one; its version grows even across restarts, since it never lags the clock."""
        version = max(self.version + 1, int((now - EPOCH).total_seconds() * 1000))
        return replace(self, version=version, generated_at=now, quotes=quotes)

    def resumed(self, instruments: Iterable[Instrument], now: datetime) -> Snapshot:
        """The snapshot that a start at `now` shows: `instruments` as they were left, in their true age and status."""
        aged = self.at(now)
        quotes = tuple((aged.get(each.symbol) or Quote(each)).at(now) for each in instruments)
        return aged if quotes == aged.quotes else aged.follow(quotes, now)

    def turns_at(self, now: datetime) -> datetime | None:
        """The next moment after `now` at which time alone changes one of its statuses."""
        return min(filter(None, (quote.turns_at(now) for quote in self.quotes)), default=None)

    def get(self, symbol: str) -> Quote | None:
        """The quote of `symbol`, or None."""
        return next((quote for quote in self.quotes if quote.symbol == symbol), None)


def _aged(snapshot: Snapshot, now: datetime) -> Snapshot:
    quotes = tuple(quote.at(now) for quote in snapshot.quotes)
    return snapshot if quotes == snapshot.quotes else snapshot.follow(quotes, now)
