"""What the sources last said that may speak, and why the rest may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from ticker import carry
from ticker.feeds import Reply
from ticker.health import Health
from ticker.normalize import Origin, normalise, word
from ticker.poll.coverage import Coverage
from ticker.quotes import Candidate, Instrument, Reason, SourceError
from ticker.validate import Case, earlier, refusal


class Heard:
    """The newest valid candidate of each source and instrument; pure but for what it remembers."""

    def __init__(self) -> None:
        self._candidates: dict[tuple[str, str], Candidate] = {}
        self._refused: dict[tuple[str, str], Reason] = {}

    def take(self, coverage: Coverage, health: Health, reply: Reply, now: datetime) -> tuple[SourceError | None, int]:
        """Keep the valid candidates of one reply of `health.source`, count the refused ones.

        Returns what failed of it, and how many were kept.

        Raises SourceError where nothing is said of any instrument that was asked for.
        """
        source = health.source
        wanted = coverage.wanted(source)
        origin = coverage.feeds[source].origin
        found = [normalise(instrument, origin, reply.ticks, now) for instrument in wanted]
        # An answer that is silent on one of them is why that one has no number from here.
        silent = [each for each, candidate in zip(wanted, found, strict=True) if candidate is None]
        reasons = {each.symbol: _why_not(each, origin, reply) for each in silent}
        if not any(found):
            detail = f"none of {', '.join(each.symbol for each in wanted)} in the answer"
            raise reply.failure or SourceError(next(iter(reasons.values()), Reason.SCHEMA), detail)
        self._refused |= {(source, symbol): reason for symbol, reason in reasons.items()}
        pairs = [(each, candidate) for each, candidate in zip(wanted, found, strict=True) if candidate is not None]
        kept = sum(self._admit(coverage, health, instrument, candidate, now) for instrument, candidate in pairs)
        missing = next((SourceError(why, f"no {symbol} in the answer") for symbol, why in reasons.items()), None)
        return reply.failure or missing, kept

    def _admit(
        self, coverage: Coverage, health: Health, instrument: Instrument, candidate: Candidate, now: datetime
    ) -> bool:
        key = (candidate.source, instrument.symbol)
        calendar = coverage.calendars[instrument.symbol][candidate.source]
        before = self._candidates.get(key)
        reason = refusal(Case(candidate, instrument, calendar, before, now))
        if reason is None:
            # Before a market opens, last night's settlement is older than last night's last price: no step back.
            if not earlier(candidate, before):
                self._candidates[key] = candidate
            self._refused.pop(key, None)
            return True
        self._refused[key] = reason
        health.reject(instrument.symbol, reason)
        return False

    def by_symbol(self) -> dict[str, list[Candidate]]:
        """Everything, by symbol, once: to look through all for each would make a large board a slow one."""
        found: dict[str, list[Candidate]] = {}
        for (_, symbol), candidate in self._candidates.items():
            found.setdefault(symbol, []).append(candidate)
        return found

    def failures(self, instrument: Instrument, health: Mapping[str, Health]) -> dict[str, Reason]:
        """Why a source of `instrument` has no number for it this time."""
        found: dict[str, Reason] = {}
        for source in instrument.sources:
            reason = self._refused.get((source, instrument.symbol)) or health[source].reason
            if reason is not None:
                found[source] = reason
        return found

    def told(self, source: str) -> dict[str, str]:
        """What `source` last said that could be used, with its date, by symbol."""
        mine = {symbol: c for (each, symbol), c in self._candidates.items() if each == source}
        return {symbol: f"{c.price:f} of {c.as_of:%Y-%m-%d}" for symbol, c in mine.items()}

    def newest(self) -> dict[str, datetime]:
        """The newest date that each source has given of anything."""
        found: dict[str, datetime] = {}
        for (source, _), candidate in self._candidates.items():
            found[source] = max(candidate.as_of, found.get(source, candidate.as_of))
        return found

    def carry(self, before: Coverage, after: Coverage, now: datetime) -> None:
        """Keep what still means the same and is still believed under another configuration."""
        self._candidates = carry.candidates(self._candidates, before.all, after.all, after.calendars, now)
        same = carry.same(before.all, after.all)
        self._refused = {key: why for key, why in self._refused.items() if key[0] in after.feeds and key[1] in same}

    def mark(self) -> Callable[[], None]:
        """What forgets everything that is heard after this moment."""
        candidates, refused = dict(self._candidates), dict(self._refused)

        def back() -> None:
            self._candidates, self._refused = dict(candidates), dict(refused)

        return back


def _why_not(instrument: Instrument, origin: Origin, reply: Reply) -> Reason:
    """Why `reply` gives no candidate of `instrument`."""
    code = word(instrument, origin)
    own = [tick.currency for tick in reply.ticks if tick.symbol == code]
    if len(own) == 1 and own[0] != instrument.quote:
        return Reason.UNIT
    return reply.why_not(code, instrument.base, instrument.quote) or Reason.SCHEMA
