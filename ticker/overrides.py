"""The editor's hand: an instrument frozen, hidden, or shown at a price by hand, always with an end and a note.

An override lies over what selection has decided and never changes it: when it ends, or is ended, the decided number is
shown again. All of them are one text in the store, a message of its own part, so that they survive restarts and leader
changes and every running replica follows. There is no way in over HTTP: whoever can write to the store may use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

from ticker.quotes import Instrument, Override, Quote, Snapshot, Status
from ticker.storage import codec

# The longest that one lasts, and how many that have ended are remembered.
LONGEST = timedelta(days=7)
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class EditorOverride:
    """What an editor has set: `price` with mode "price", `frozen` (a quote as the store writes it) with "freeze"."""

    symbol: str
    mode: Literal["freeze", "price", "hide"]
    note: str
    since: datetime
    until: datetime
    by: str
    price: Decimal | None = None
    frozen: Mapping[str, Any] | None = None
    ended: datetime | None = None
    ended_by: str | None = None

    @property
    def ends(self) -> datetime:
        """When it ends, or has been ended."""
        return min(self.until, self.ended) if self.ended else self.until

    def holds(self, now: datetime) -> bool:
        """Whether it is in force at `now`."""
        return self.since <= now < self.ends


@dataclass(frozen=True, slots=True)
class Overrides:
    """Every override that is remembered, the oldest first: those in force and the record of those that were."""

    entries: tuple[EditorOverride, ...] = ()

    def active(self, now: datetime) -> dict[str, EditorOverride]:
        """Those in force at `now`, by symbol."""
        return {each.symbol: each for each in self.entries if each.holds(now)}

    def turns_at(self, now: datetime) -> datetime | None:
        """The next moment after `now` at which one begins or ends."""
        moments = (moment for each in self.entries for moment in (each.since, each.ends))
        return min((moment for moment in moments if moment > now), default=None)

    def with_new(self, new: EditorOverride) -> Overrides:
        """With `new` in the place of whatever holds its symbol."""
        return Overrides((*self.ended(new.symbol, new.since, new.by).entries, new)[-_REMEMBERED:])

    def ended(self, symbol: str, now: datetime, by: str) -> Overrides:
        """With the one on `symbol` ended at `now`."""
        return Overrides(
            tuple(
                replace(each, ended=now, ended_by=by) if each.symbol == symbol and each.holds(now) else each
                for each in self.entries
            )
        )

    def applied(self, snapshot: Snapshot, now: datetime) -> Snapshot:
        """`snapshot` as readers see it at `now`: itself where no editor holds an instrument of it."""
        active = self.active(now)
        if not active:
            return snapshot
        return replace(snapshot, quotes=tuple(_applied(each, active.get(each.symbol), now) for each in snapshot.quotes))


NO_OVERRIDES = Overrides()


def _applied(quote: Quote, override: EditorOverride | None, now: datetime) -> Quote:
    if override is None:
        return quote
    what = quote.instrument
    mark = Override(override.mode, override.note, override.since, override.until, override.by)
    if override.mode == "hide":
        return Quote(what, override=mark)
    if override.mode == "freeze":
        frozen = codec.quote_of_tree(override.frozen, what) if override.frozen else Quote(what)
        return replace(replace(frozen, upcoming=None).at(now), override=mark)
    return Quote(
        what,
        price=override.price,
        as_of=override.since,
        fetched_at=override.since,
        checked_at=override.since,
        source="override",
        publisher="override",
        status=Status.FRESH,
        fresh_until=override.until,
        usable_until=override.until,
        override=mark,
    )


def encode(overrides: Overrides) -> str:
    """All of them as text; prices and moments exactly."""
    return msgspec.json.encode(overrides).decode()


def decode(text: str) -> Overrides:
    """The overrides of `text`; none where it cannot be read, as one of another version."""
    try:
        return msgspec.json.decode(text, type=Overrides)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        return Overrides()


def refusal(override: EditorOverride, what: Instrument) -> str | None:
    """Why `override` cannot be set on its instrument `what`, with the mend; None where it can."""
    if not override.note.strip():
        return "give a note that says why: readers see it beside the number"
    if override.until - override.since > LONGEST:
        return f"an override lasts {LONGEST.days} days at most; set it again when it ends"
    if override.until <= override.since:
        return "an override needs an end that lies ahead"
    low, high = what.band
    if override.price is not None and not (override.price.is_finite() and low < override.price <= high):
        return f"{override.price:f} is outside of what {what.symbol} may cost: between {low:f} and {high:f}"
    if override.mode == "freeze" and (override.frozen is None or override.frozen.get("price") is None):
        return f"there is no number of {what.symbol} to freeze; --hide or --price would do"
    return None
