"""What the service writes down about itself while it publishes: the evidence of each decision, and corrections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from ticker import corrections, evidence
from ticker.board import Board
from ticker.corrections import Correction, CorrectionTracker
from ticker.log import Log
from ticker.polling import Decision
from ticker.quotes import Snapshot
from ticker.storage.writer import SHOWN, StoreWriter

log = Log(__name__)


class Records:
    """Writes the record of what is published; only the one that polls is told anything."""

    def __init__(
        self,
        store_writer: StoreWriter,
        board: Board,
        clock: Callable[[], datetime],
        tell: Callable[[Snapshot, Snapshot, Sequence[Correction]], object] = lambda _before, _after, _found: None,
    ) -> None:
        """`tell` is told every version that readers see, the one before it, and what was recorded with it."""
        self._store_writer = store_writer
        self._board = board
        self._clock = clock
        self._tell = tell
        self._seen = board.latest
        self._tracker = CorrectionTracker(store_writer.remembered(SHOWN))
        self._remembered = self._tracker.text
        # How many corrections were written in this process, by instrument and kind.
        self.counted: Counter[tuple[str, str]] = Counter()

    def explain(self, before: Snapshot, after: Snapshot, decisions: Sequence[Decision]) -> None:
        """Keep the evidence of every quote that `after` shows otherwise than `before`."""
        symbols = evidence.changed(before, after.quotes)
        try:
            self._store_writer.record(
                evidence.entry(question, choice, after.version)
                for question, choice in decisions
                if choice.quote.symbol in symbols
            )
        except Exception:
            # A record that cannot be written is a fault, and no reason not to publish the number.
            log.exception("evidence not recorded", version=after.version)

    def observe(self, snapshot: Snapshot) -> None:
        """Keep the corrections that `snapshot`, what selection has decided, and the editors' hands give rise to."""
        try:
            self._observe(snapshot)
        except Exception:
            # The same: what is written about the board must never keep it from being shown.
            log.exception("corrections not recorded", version=snapshot.version)

    def _observe(self, snapshot: Snapshot) -> None:
        found = self._tracker.observe(snapshot)
        found += self._tracker.edited(self._board.overrides, snapshot, self._clock())
        before, self._seen = self._seen, self._board.latest
        self._tell(before, self._seen, found)
        self._count(found)
        self._store_writer.record(map(corrections.entry, found))
        text = self._tracker.text
        if text != self._remembered:
            # Whoever polls next finds what was shown before it, and ends what has begun.
            self._remembered = text
            self._store_writer.remember(SHOWN, lambda: text, self._clock())

    def take_over(self, text: str) -> None:
        """Know what another replica has shown."""
        self._tracker.take_over(text)
        self._remembered = self._tracker.text

    def _count(self, found: Iterable[Correction]) -> None:
        for each in found:
            if each.kind == "wrong" or each.until is None:
                self.counted[each.symbol, each.kind] += 1
