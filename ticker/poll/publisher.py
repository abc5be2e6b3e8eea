"""What was decided goes onto the board, to whoever keeps it, and back to the sources that shall bear witness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from ticker import carry
from ticker.board import Board
from ticker.poll.duty import Always, Duty
from ticker.quotes import Instrument, Snapshot
from ticker.select.question import Choice


class Publisher:
    """The one that writes to `board`; whom else it tells is the composer's to set."""

    def __init__(self, board: Board) -> None:
        # Whoever can ask a source before its turn.
        self.hurry: Callable[[str], object] = lambda _source: None
        # Whoever is told every new snapshot.
        self.report: Callable[[Snapshot], object] = lambda _snapshot: None
        # Whether what is learnt may be published.
        self.duty: Duty = Always()
        # The sources that a number waits for.
        self.waiting: frozenset[str] = frozenset()
        self._board = board

    def shown(self, now: datetime) -> Snapshot:
        """What the board shows."""
        return self._board.current(now)

    def publish(self, last: Snapshot, choices: Sequence[Choice], now: datetime) -> Snapshot:
        """Put `choices` in the place of `last`; the same quotes again are no new version."""
        quotes = tuple(choice.quote for choice in choices)
        snapshot = last if quotes == last.quotes else last.follow(quotes, now)
        self._board.put(snapshot, now)
        if snapshot is not last:
            self.report(snapshot)
        self._ask(frozenset(source for choice in choices for source in choice.ask_now))
        return snapshot

    def _ask(self, witnesses: frozenset[str]) -> None:
        for source in witnesses - self.waiting:
            self.hurry(source)
        self.waiting = witnesses

    def carry(self, instruments: Sequence[Instrument], now: datetime) -> None:
        """Show `instruments` instead, with the numbers that still mean the same."""
        last = self.shown(now)
        quotes = carry.quotes(last, instruments, now)
        if quotes == last.quotes:
            return
        # Who follows goes one step ahead of what it shows, and never ahead of what the leader will say of it.
        carried = last.follow(quotes, now) if self.duty.on else replace(last, version=last.version + 1, quotes=quotes)
        self._board.put(carried, now)
        if self.duty.on:
            self.report(carried)
