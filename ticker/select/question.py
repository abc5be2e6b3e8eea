"""What one choice depends on, what it gives, and what is remembered between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from ticker.calendars import Calendar
from ticker.quotes import Candidate, Instrument, Quote, Reason

# Sources with the reason for which each was overruled.
Overruled: TypeAlias = "tuple[tuple[str, Reason], ...]"


@dataclass(frozen=True, slots=True)
class Memory:
    """What one choice leaves to the next.

    `pending` is a number that waits to be confirmed; `unproven` says that the shown one was the first and nobody has
    confirmed it yet; `offsets` each source's price over the one published with it, so
    that a lasting difference between two exchanges is not taken for news; `distrusted` the sources that lost the last
    dispute over a fixing and have no veto until they agree again.
    """

    pending: Candidate | None = None
    unproven: bool = False
    offsets: Mapping[str, Decimal] = field(default_factory=dict)
    distrusted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """The quote to publish, what to remember, who was overruled for which reason, and whom to ask at once."""

    quote: Quote
    memory: Memory = Memory()
    overruled: Overruled = ()
    ask_now: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """All that one choice depends on.

    `candidates` holds at most one valid candidate a source; `failures` why a source did not give one this time;
    `asked` when each source last answered; `contradicted` the sources whose number a cross-check speaks against.
    """

    instrument: Instrument
    candidates: Sequence[Candidate]
    calendars: Mapping[str, Calendar]
    now: datetime
    last: Quote | None = None
    memory: Memory = Memory()
    failures: Mapping[str, Reason] = field(default_factory=dict)
    asked: Mapping[str, datetime] = field(default_factory=dict)
    contradicted: frozenset[str] = frozenset()

    def fresh(self, candidate: Candidate) -> bool:
        """Whether the candidate is as new as its source's calendar lets it be."""
        return self.now < self.calendars[candidate.source].fresh_until(candidate.as_of)

    def rank(self, candidate: Candidate) -> int:
        """The place of the candidate's source in the instrument's order of preference."""
        return self.instrument.sources.index(candidate.source)

    @property
    def shown(self) -> Quote | None:
        """The last good quote, where there is a number to keep."""
        return self.last if self.last and self.last.price is not None else None

    def repeats(self, candidate: Candidate) -> bool:
        """Whether the candidate says just what is shown."""
        last = self.shown
        return last is not None and (last.price, last.as_of, last.price_type) == (
            candidate.price,
            candidate.as_of,
            candidate.price_type,
        )
