"""The walk itself: one source asked, what follows published, and what went wrong counted, named and remembered.

An upstream's failure never goes further than here: the last good numbers stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ticker.board import Board
from ticker.calendars import Calendar
from ticker.feeds import Feed, Reply, ask
from ticker.fetch import Fetching
from ticker.health import Health
from ticker.poll.coverage import Coverage
from ticker.poll.decided import Decided
from ticker.poll.heard import Heard
from ticker.poll.publisher import Publisher
from ticker.quotes import Check, Instrument, Reason, Snapshot, SourceError


class Poller:
    """Keeps the newest valid candidate of each source and instrument and publishes what they say.

    `clock` gives the aware time. Everything else is a pure function of what was fetched.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        feeds: Mapping[str, Feed],
        board: Board,
        fetcher: Fetching,
        clock: Callable[[], datetime],
        overrides: Mapping[str, Calendar] | None = None,
        checks: Sequence[Check] = (),
    ) -> None:
        """`overrides` are the calendars of instruments that are judged by one of their own, by symbol."""
        self.health = {source: Health(source) for source in feeds}
        self.publisher = Publisher(board)
        # What is asked; another configuration's takes its place.
        self.coverage = Coverage(instruments, feeds, overrides, checks)
        self._fetcher = fetcher
        self._clock = clock
        self._known: tuple[Heard, Decided] | None = None

    def prepare(self) -> tuple[Heard, Decided]:
        """What is known so far. All that it takes is imported at the first call, which may be made at leisure."""
        if self._known is None:
            self._known = Heard(), Decided(self.health)
        return self._known

    @property
    def instruments(self) -> Sequence[Instrument]:
        """The instruments that are shown."""
        return self.coverage.instruments

    @property
    def feeds(self) -> Mapping[str, Feed]:
        """The sources that are asked."""
        return self.coverage.feeds

    def calendars(self, symbol: str) -> Mapping[str, Calendar]:
        """The calendars that `symbol` is judged by, by source."""
        return self.coverage.calendars[symbol]

    def cost(self, source: str) -> int:
        """How many requests one poll of `source` takes."""
        return self.coverage.cost(source, self._clock())

    def told(self, source: str) -> dict[str, str]:
        """What `source` last said that could be used, with its date, by symbol."""
        return self.prepare()[0].told(source)

    def newest(self) -> dict[str, datetime]:
        """The newest date that each source has given of anything."""
        return self.prepare()[0].newest()

    async def ask(self, feed: Feed, codes: Sequence[str]) -> Reply:
        """What `feed` says of `codes` now; see `feeds.ask`."""
        return await ask(self._fetcher, feed, codes, self._clock())

    async def poll(self, source: str) -> None:
        """Ask `source` once and publish what follows. Never raises for anything an upstream does."""
        health, feed = self.health[source], self.feeds[source]
        began = asyncio.get_running_loop().time()
        try:
            failure, fresh = await self._hear(feed, health)
        except SourceError as error:
            health.failed(self._clock(), feed.told(error))
        except Exception as error:  # noqa: BLE001 - a fault in one adapter must not take the others down
            detail = feed.without_key(f"{type(error).__name__}: {error}"[:200])
            health.failed(self._clock(), SourceError(Reason.PARSE, detail))
        else:
            if failure is None:
                health.succeeded(self._clock(), fresh)
            else:
                health.failed(self._clock(), feed.told(failure))
        health.duration.observe(asyncio.get_running_loop().time() - began)
        # Who was asleep, or cut off from the others, finds out first whether it still speaks for them.
        await self.publisher.duty.begins()
        self.publish(self._clock())

    async def _hear(self, feed: Feed, health: Health) -> tuple[SourceError | None, int]:
        """What failed of one poll, and how many numbers it gave; an answer to what is asked no longer gives none."""
        asked = self.coverage.question(feed.id)
        reply = await self.ask(feed, self.coverage.codes(feed.id))
        health.rows_skipped += len(reply.skipped)
        if asked != self.coverage.question(feed.id):
            return reply.failure, 0
        return self.prepare()[0].take(self.coverage, health, reply, self._clock())

    def publish(self, now: datetime) -> Snapshot:
        """Put on the board what the candidates of this moment say."""
        heard, decided = self.prepare()
        last = self.publisher.shown(now)
        return self.publisher.publish(last, decided.choices(self.coverage, heard, last, now), now)

    def look_again(self, now: datetime) -> None:
        """Publish anew where a number waits for a witness that may have run out of time."""
        if self.publisher.waiting and self.publisher.duty.on:
            self.publish(now)

    def forget(self) -> None:
        """Know no more than the board shows, as at a start: what was last heard may be older than what others heard."""
        self._known, self.publisher.waiting = None, frozenset()

    def mark(self) -> Callable[[], None]:
        """What forgets everything that was learnt after this moment: a recording begins again there."""
        known, waiting = self.prepare(), self.publisher.waiting
        marks = [each.mark() for each in known]
        asked = {source: health.last_success for source, health in self.health.items()}

        def back() -> None:
            for each in marks:
                each()
            self._known, self.publisher.waiting = known, waiting
            for source, when in asked.items():
                self.health[source].last_success = when

        return back

    def adopt(
        self,
        instruments: Sequence[Instrument],
        feeds: Mapping[str, Feed],
        overrides: Mapping[str, Calendar] | None = None,
        checks: Sequence[Check] = (),
    ) -> set[str]:
        """Go on with another configuration, at once and without a gap; the sources that must now be asked anew.

        Numbers that still mean the same stay; an answer on its way that was asked for otherwise will be dropped.
        """
        now, before = self._clock(), self.coverage
        self.coverage = after = Coverage(instruments, feeds, overrides, checks)
        heard, decided = self.prepare()
        heard.carry(before, after, now)
        decided.carry(before, after)
        # The same object: metrics and handlers read it.
        kept = {source: self.health.get(source) or Health(source) for source in feeds}
        self.health.clear()
        self.health.update(kept)
        self.publisher.carry(instruments, now)
        if self.publisher.duty.on:
            self.publish(now)
        return {source for source in feeds if before.question(source) != after.question(source)}
