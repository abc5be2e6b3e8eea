"""What a replica's role means for its parts: who polls, what the board shows, and what is told to the others.

The board only ever goes up: the highest version wins, whoever made it. A leader that hears of a higher one than its own
takes it up and goes on from there; whoever was alone offers what it shows when the store is back.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ticker.log import Log
from ticker.replicas.fares import Fares
from ticker.replicas.replica import Role
from ticker.replicas.turns import Turns
from ticker.stores import saved
from ticker.stores.keeper import QUOTES, SOURCES
from ticker.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ticker.board import Board
    from ticker.poll import Poller
    from ticker.quotes import Snapshot
    from ticker.replicas.replica import Replica
    from ticker.schedule import Timetable
    from ticker.stores import Edition, Keeper
    from ticker.vitals import Vitals

log = Log(__name__)


class Offer(Enum):
    """How far a replica is with what it alone knows and was refused."""

    NONE = "none"
    DUE = "at the next beat"
    MADE = "made"


class Following:
    """Joins `replica` with the parts of its service."""

    def __init__(
        self,
        replica: Replica,
        keeper: Keeper,
        poller: Poller,
        board: Board,
        timetable: Timetable,
        vitals: Vitals,
        clock: Callable[[], datetime],
    ) -> None:
        self._replica = replica
        self._keeper = keeper
        self._poller = poller
        self._board = board
        self._timetable = timetable
        self._vitals = vitals
        self._clock = clock
        self._turns = Turns(replica, poller, timetable)
        self._fares = Fares(replica, keeper, poller, board, timetable, clock)
        # The version that this replica itself has last made, while it may still be taken; and how far it is with
        # offering that once more, where it was refused because another has led meanwhile.
        self._own = -1
        self._offer = Offer.NONE
        replica.turned, replica.heard = self.turned, self.heard
        keeper.writer.fence, keeper.writer.refused = (lambda: replica.fence), self.refused
        keeper.leaving, keeper.writer.renewed = replica.stop, self.renewed
        poller.publisher.duty, poller.publisher.report = replica, self.report
        timetable.asking = self._fares.asking

    def start(self) -> None:
        """Go on from what the store told at the start, and take part."""
        self._vitals.leads = False
        for edition in self._keeper.found.values():
            self._replica.know(edition.part, edition.version)
            if edition.part == SOURCES:
                self._fares.heard(edition)
        self._replica.start()

    async def decided(self) -> None:
        """Wait until it is known who polls; by then whoever does has begun to."""
        await self._replica.decided.wait()

    def stop(self) -> None:
        """Tell the last that is to be told; when it is written, the keeper lets the replica go."""
        if self._replica.role is Role.LEADS:
            self._fares.tell()

    def renewed(self) -> None:
        """The store may have lost what it was told last: say it again."""
        self._fares.forgotten()
        if self._replica.role is Role.LEADS:
            self.report(self._board.latest)

    def report(self, snapshot: Snapshot) -> None:
        """Told every snapshot that is made here."""
        self._own, self._offer = snapshot.version, Offer.NONE
        self._keeper.report(snapshot)

    def turned(self, before: Role) -> None:
        """At every beat: act where the role is another one, and tell how the sources fare."""
        role = self._replica.role
        self._vitals.leads, self._vitals.replicas = self._replica.on, self._replica.replicas
        if role is not before:
            if before is Role.ALONE:
                self._keeper.retry()
            self._turns.take(before, role, self._fares.asked)
            if role is Role.LEADS:
                # The store may know it; one that lost it together with the lease does not.
                self.report(self._board.latest)
        self._turns.reserve(role)
        if self._offer is Offer.DUE:
            self._offer_again()
        if role is Role.LEADS:
            self._fares.tell()
        # A store that was emptied is told what is held here, whoever leads.
        self._keeper.look()

    def refused(self, part: str) -> None:
        """Somebody was ahead: hear what there is. What this one alone knows it offers once more, as who it is now."""
        if part == QUOTES and self._own == self._board.latest.version and self._offer is Offer.NONE:
            self._offer = Offer.DUE
        else:
            self._own, self._offer = -1, Offer.NONE
        self._replica.know(part, -1)

    def _offer_again(self) -> None:
        """What is shown, where it is newer than all that is known; it stays until somebody has refused it again."""
        shown, self._offer = self._board.latest, Offer.MADE
        if shown.version > self._replica.known(QUOTES):
            self._keeper.report(shown)
        else:
            self._own = -1

    def heard(self, edition: Edition) -> None:
        """Show, or know, what another replica has told."""
        if edition.part == SOURCES:
            self._fares.heard(edition)
        elif edition.part == QUOTES:
            self._show(edition)

    def _show(self, edition: Edition) -> None:
        now = self._clock()
        shown = self._board.current(now)
        if edition.version <= shown.version and (self._replica.on or self._own == shown.version):
            return
        snapshot = saved.restored(edition.text, self._poller.instruments, now)
        if snapshot is None:
            self._overtake(edition, shown)
            return
        # What only time has changed here gives way to what is known of the sources, under a version of its own.
        version = max(edition.version, shown.version + 1) if snapshot.quotes != shown.quotes else edition.version
        self._board.put(replace(snapshot, version=version, demo=shown.demo), now)
        self._keeper.note(snapshot)
        if self._replica.role is Role.LEADS:
            # What the sources said here may be older than what they said there: they are asked again.
            self._poller.forget()
            for source in self._poller.feeds:
                self._timetable.hurry(source)

    def _overtake(self, edition: Edition, shown: Snapshot) -> None:
        """Of another clock, or of another version of ours: the leader goes on above it, the others wait for that."""
        log.warning("edition passed over: not readable, or from the future", version=edition.version)
        if self._replica.on:
            self._board.put(replace(shown, version=edition.version + 1), self._clock())
            self.report(self._board.latest)
