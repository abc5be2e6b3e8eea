"""What selection decided of each instrument, and what it asked to be remembered until it is asked again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ticker import carry
from ticker.health import Health
from ticker.poll.coverage import Coverage
from ticker.poll.heard import Heard
from ticker.quotes import Candidate, Check, Snapshot
from ticker.select.choose import choose
from ticker.select.cross import contradicted
from ticker.select.question import Choice, Memory, Overruled, Question


class Decided:
    """Puts selection's question for every instrument; `health` tells who answers, and counts who is overruled."""

    def __init__(self, health: Mapping[str, Health]) -> None:
        self._health = health
        self._memories: dict[str, Memory] = {}
        self._overruled: dict[str, Overruled] = {}

    def choices(self, coverage: Coverage, heard: Heard, last: Snapshot, now: datetime) -> list[Choice]:
        """What `heard` makes of each instrument at `now`, where `last` is shown."""
        known, shown = heard.by_symbol(), {quote.symbol: quote for quote in last.quotes}
        asked = {source: each.last_success for source, each in self._health.items() if each.last_success}
        against = _contradicted(coverage.checks, known, last)
        return [
            self._choose(
                Question(
                    instrument=each,
                    candidates=known.get(each.symbol, []),
                    calendars=coverage.calendars[each.symbol],
                    now=now,
                    last=shown.get(each.symbol),
                    memory=self._memories.get(each.symbol, Memory()),
                    failures=heard.failures(each, self._health),
                    asked=asked,
                    contradicted=frozenset(source for source, named in against if named == each.symbol),
                )
            )
            for each in coverage.instruments
        ]

    def _choose(self, ask: Question) -> Choice:
        choice = choose(ask)
        symbol = ask.instrument.symbol
        self._memories[symbol] = choice.memory
        # Each overruling is counted once when it begins, not again at every look at the same ticks.
        for source, reason in set(choice.overruled) - set(self._overruled.get(symbol, ())):
            self._health[source].reject(symbol, reason)
        self._overruled[symbol] = choice.overruled
        return choice

    def carry(self, before: Coverage, after: Coverage) -> None:
        """Remember on what is said of instruments whose numbers still mean the same."""
        same = carry.same(before.all, after.all)
        self._memories = {symbol: kept for symbol, kept in self._memories.items() if symbol in same}

    def mark(self) -> Callable[[], None]:
        """What forgets everything that is decided after this moment."""
        memories, overruled = dict(self._memories), dict(self._overruled)

        def back() -> None:
            self._memories, self._overruled = dict(memories), dict(overruled)

        return back


def _contradicted(
    checks: Sequence[Check], known: Mapping[str, Sequence[Candidate]], last: Snapshot
) -> set[tuple[str, str]]:
    """What the cross-checks speak against, each by its most preferred reference."""
    found: set[tuple[str, str]] = set()
    shown = {quote.symbol: quote for quote in last.quotes}
    for check in checks:
        references = sorted(
            known.get(check.reference.symbol, ()), key=lambda c: check.reference.sources.index(c.source)
        )
        if references:
            pair = [*known.get(check.numerator, ()), *known.get(check.denominator, ())]
            found |= contradicted(check, references[0].price, pair, shown)
    return found
