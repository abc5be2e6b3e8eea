"""What a replica's role means for its parts: who polls, what the board shows, and what is told to the others.

The board only ever goes up: the highest version wins, whoever made it. A leader that hears of a higher one than its own
takes it up and goes on from there; whoever was alone offers what it shows when the store is back. How the sources fare
is told with what was asked of each in the last hour: whoever polls next goes on within the same budget.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from ticker.board import Board
from ticker.health import Health, ProcessHealth
from ticker.log import Log
from ticker.overrides import decode
from ticker.polling import Poller
from ticker.quotes import Reason, Snapshot
from ticker.replicas.lease import SILENT_SECONDS, LeaderHandover, Replica, Role
from ticker.scheduling import PollScheduler
from ticker.storage import codec
from ticker.storage.base import OVERRIDES, Message
from ticker.storage.writer import MEMORY, QUOTES, SHOWN, SOURCES, StoreWriter

log = Log(__name__)

_MOMENTS = ("last_success", "last_failure", "next_poll", "retry_at")
_PLAIN = ("in_a_row", "accepted", "detail")
# Requests are told by the minute: an hour of a busy source is sixty numbers.
_MINUTE = 60


def health_text(health: Mapping[str, Health], asked: Callable[[str], Sequence[datetime]]) -> str:
    """Each source as it fares, with when it was asked."""
    return json.dumps({source: _told(each, asked(source)) for source, each in health.items()})


def health_of_text(text: str, health: Mapping[str, Health]) -> dict[str, list[datetime]]:
    """Make `health` what `text` tells of it; when each source was asked. A text that cannot be read tells nothing."""
    try:
        tree = json.loads(text)
        return {source: _heard(tree[source], each) for source, each in health.items() if source in tree}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return {}


def _told(health: Health, asked: Sequence[datetime]) -> dict[str, object]:
    minutes = Counter(int(moment.timestamp()) // _MINUTE for moment in asked)
    moments = {name: getattr(health, name) for name in _MOMENTS}
    return {
        **{name: getattr(health, name) for name in _PLAIN},
        **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
        "reason": None if health.reason is None else str(health.reason),
        "asked": sorted(minutes.items()),
    }


def _heard(tree: Any, health: Health) -> list[datetime]:  # noqa: ANN401 - read from a store
    values = {name: tree[name] for name in _PLAIN}
    values |= {name: None if tree[name] is None else datetime.fromisoformat(tree[name]) for name in _MOMENTS}
    values["reason"] = None if tree["reason"] is None else Reason(tree["reason"])
    # At the end of its minute: a budget is rather spent a little longer than a little too soon.
    asked = [
        moment
        for minute, count in tree["asked"]
        for moment in [datetime.fromtimestamp((minute + 1) * _MINUTE, UTC)] * count
    ]
    for name, value in values.items():
        setattr(health, name, value)
    return asked


class HealthSync:
    """Tells through `store_writer` what `poller` and `timetable` know, and lets them know what was told."""

    def __init__(
        self,
        replica: Replica,
        store_writer: StoreWriter,
        poller: Poller,
        board: Board,
        timetable: PollScheduler,
        clock: Callable[[], datetime],
    ) -> None:
        # When whoever polls has asked each source, as it was told last.
        self.asked: dict[str, list[datetime]] = {}
        self._replica = replica
        self._store_writer = store_writer
        self._poller = poller
        self._board = board
        self._timetable = timetable
        self._clock = clock
        self._told: object = None
        self._version = 0

    def receive(self, message: Message) -> None:
        """Of the one who polls; what is polled here is known better here."""
        self._version = max(self._version, message.version)
        if not self._replica.on and (asked := health_of_text(message.text, self._poller.health)):
            self.asked = asked
            planned = [each.next_poll for each in self._poller.health.values() if each.next_poll]
            self._board.expect(min(planned, default=None))

    def asking(self) -> None:
        """Before an upstream is asked it is told: what a leader has spent outlives it."""
        if self._replica.role is Role.LEADS:
            asyncio.get_running_loop().call_soon(self.tell)

    def forgotten(self) -> None:
        """The store may have lost what it was told last."""
        self._told = None

    def tell(self) -> None:
        """Say it, where anything is new."""
        asked = self._timetable.asked
        health = self._poller.health.items()
        now = [(e.last_success, e.last_failure, e.next_poll, len(asked(source))) for source, e in health]
        if now != self._told:
            self._told = now
            text = health_text(self._poller.health, asked)
            self._version = max(self._version + 1, int(self._clock().timestamp() * 1000))
            self._store_writer.tell(SOURCES, self._version, lambda: text)


class Offer(Enum):
    """How far a replica is with what it alone knows and was refused."""

    NONE = "none"
    DUE = "at the next beat"
    MADE = "made"


class ReplicaCoordinator:
    """Joins `replica` with the parts of its service."""

    def __init__(
        self,
        replica: Replica,
        store_writer: StoreWriter,
        poller: Poller,
        board: Board,
        timetable: PollScheduler,
        process_health: ProcessHealth,
        clock: Callable[[], datetime],
        shown: Callable[[str], object],
    ) -> None:
        """`shown` is told what another replica has shown, as the record of corrections remembers it."""
        self._shown = shown
        self._replica = replica
        self._store_writer = store_writer
        self._poller = poller
        self._board = board
        self._timetable = timetable
        self._process_health = process_health
        self._clock = clock
        self._turns = LeaderHandover(replica, poller, timetable)
        self._health_sync = HealthSync(replica, store_writer, poller, board, timetable, clock)
        # The version that this replica itself has last made, while it may still be taken; and how far it is with
        # offering that once more, where it was refused because another has led meanwhile.
        self._own = -1
        self._offer = Offer.NONE

    def start(self) -> None:
        """Go on from what the store told at the start, and take part."""
        self._process_health.leads = False
        for message in self._store_writer.found.values():
            self._replica.know(message.part, message.version)
            if message.part == SOURCES:
                self._health_sync.receive(message)
        self._replica.start()

    @property
    def fence(self) -> int:
        """The fencing token under which this replica may publish now."""
        return self._replica.fence

    async def answered(self) -> None:
        """Wait until it is known who polls, and where that is this replica, until every source has answered."""
        await self._replica.decided.wait()
        await self._timetable.answered()

    def asking(self) -> None:
        """Told before an upstream is asked."""
        self._health_sync.asking()

    async def leave(self) -> None:
        """Let the lease go, when everything is written."""
        await self._replica.stop()

    def stop(self) -> None:
        """Tell the last that is to be told; when it is written, the keeper lets the replica go."""
        if self._replica.role is Role.LEADS:
            self._health_sync.tell()

    def renewed(self) -> None:
        """The store may have lost what it was told last: say it again."""
        self._health_sync.forgotten()
        if self._replica.role is Role.LEADS:
            self.report(self._board.latest_selected)

    def report(self, snapshot: Snapshot) -> None:
        """Told every snapshot that is made here."""
        self._own, self._offer = snapshot.version, Offer.NONE
        self._store_writer.report(snapshot)

    def turned(self, before: Role) -> None:
        """At every beat: act where the role is another one, and tell how the sources fare."""
        role = self._replica.role
        if role is Role.STANDALONE and self._store_writer.untold_for > SILENT_SECONDS:
            self._store_writer.retry()
        self._process_health.leads, self._process_health.replicas = self._replica.on, self._replica.replicas
        if role is not before:
            if before is Role.STANDALONE:
                self._store_writer.retry()
            self._turns.take(before, role, self._health_sync.asked)
            if role is Role.LEADS:
                # The store may know it; one that lost it together with the lease does not.
                self.report(self._board.latest_selected)
        self._turns.reserve(role)
        if self._offer is Offer.DUE:
            self._offer_again()
        if role is Role.LEADS:
            self._health_sync.tell()
        # A store that was emptied is told what is held here, whoever leads.
        self._store_writer.look()

    def refused(self, part: str) -> None:
        """Somebody was ahead: hear what there is. What this one alone knows it offers once more, as who it is now."""
        if part == QUOTES and self._own == self._board.latest_selected.version and self._offer is Offer.NONE:
            self._offer = Offer.DUE
        else:
            self._own, self._offer = -1, Offer.NONE
        self._replica.know(part, -1)

    def _offer_again(self) -> None:
        """What is shown, where it is newer than all that is known; it stays until somebody has refused it again."""
        shown, self._offer = self._board.latest_selected, Offer.MADE
        if shown.version > self._replica.known(QUOTES):
            self._store_writer.report(shown)
        else:
            self._own = -1

    def receive(self, message: Message) -> None:
        """Show, or know, what another replica has told."""
        if message.part == SOURCES:
            self._health_sync.receive(message)
        elif message.part == MEMORY:
            self._poller.take_over(message.text)
        elif message.part == SHOWN:
            self._shown(message.text)
        elif message.part == OVERRIDES:
            self._override(message)
        elif message.part == QUOTES:
            self._show(message)

    def _override(self, message: Message) -> None:
        """An editor has set or ended something: who leads tells it as a new version, the others show it at once."""
        now = self._clock()
        log.info("overrides changed", held=",".join(sorted(decode(message.text).active(now))))
        self._board.override(decode(message.text), message.version, now)
        self._poller.age(now)

    def _show(self, message: Message) -> None:
        now = self._clock()
        shown = self._board.selected(now)
        if message.version <= shown.version and (self._replica.on or self._own == shown.version):
            return
        snapshot = codec.snapshot_of_text(message.text, self._poller.instruments, now)
        if snapshot is None:
            self._overtake(message, shown)
            return
        # What only time has changed here gives way to what is known of the sources, under a version of its own.
        version = max(message.version, shown.version + 1) if not shown.repeats(snapshot.quotes) else message.version
        self._board.put(replace(snapshot, version=version, demo=shown.demo), now)
        self._poller.shows(version)
        self._store_writer.note(snapshot)
        if self._replica.role is Role.LEADS:
            # What the sources said here may be older than what they said there: they are asked again.
            self._poller.forget()
            for source in self._poller.feeds:
                self._timetable.poll_now(source)

    def _overtake(self, message: Message, shown: Snapshot) -> None:
        """Of another clock, or of another version of ours: the leader goes on above it, the others wait for that."""
        log.warning("edition passed over: not readable, or from the future", version=message.version)
        if self._replica.on:
            self._board.put(replace(shown, version=message.version + 1), self._clock())
            self._poller.shows(message.version + 1)
            self.report(self._board.latest_selected)
