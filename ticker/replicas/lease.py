"""One of those that share a store: whether it leads, follows or is alone, and what the others tell.

A lease is held by the clock of who holds it: from a moment before it was asked for, and a little less long than it was
given. Whoever sleeps through that, or is cut off, knows at once that it may not speak, whatever else it knows.
"""

from __future__ import annotations

import asyncio
import select
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from ticker.log import Log
from ticker.polling import Poller
from ticker.scheduling import PollScheduler
from ticker.storage.base import EDITORS, OVERRIDES, Lease, Message, Shared, StoreError, holder_name
from ticker.supervision import Supervisor, in_thread

log = Log(__name__)

# A leader that is gone is replaced after a lease and a beat at most.
TTL_SECONDS, BEAT_SECONDS = 3.0, 1.0
# Two machines' clocks do not run at one speed, and a call takes its time.
_MARGIN_SECONDS = 0.25
# How long one question for news waits, so that an end is not waited for.
_TURN_SECONDS = 0.25
_NAP_SECONDS = 0.1
# Who follows and has heard nothing for so long does not know whether what it shows is still so. The same for who
# leads: a loop that hangs, or news that cannot be told, is no leader.
SILENT_SECONDS = 5.0
# How long its end is waited for: where it hangs, the lease runs out.
_END_SECONDS = 5.0
# The name of its thread among the supervised tasks.
TASK = "replica"


class Role(StrEnum):
    """What a replica does. STANDALONE: the store is away, and it polls for itself; so may each of the others."""

    STARTING = "starting"
    LEADS = "leads"
    FOLLOWS = "follows"
    STANDALONE = "standalone"


class Replica:
    """Claims the lease of `name` about once a second.

    On the loop that started it, `turned` is told the role before at every beat, and `heard` what another replica said.
    """

    def __init__(
        self,
        store: Shared,
        name: str,
        parts: Sequence[str],
        turned: Callable[[Role], object],
        heard: Callable[[Message], object],
        supervisor: Supervisor,
        untold_for: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`untold_for` is for how many seconds news has been waiting to be told to the others."""
        self.holder = holder_name()
        self.role = Role.STARTING
        self.replicas = 1
        self.silent = 0
        self.fence = 0
        self._turned = turned
        self._heard = heard
        self._supervisor = supervisor
        self._untold_for = untold_for
        self._store = store
        self._name = name
        self._known = dict.fromkeys((*parts, OVERRIDES), -1)
        self._until = 0.0
        self._seen = 0.0
        # When what the others show was last known here, and when the loop last heard of the thread.
        self._in_touch = self._pinged = 0.0
        self._stopping = threading.Event()
        self._life: asyncio.Task[None] | None = None
        self._began = asyncio.Event()
        self.decided = asyncio.Event()

    @property
    def on(self) -> bool:
        """Whether it polls and publishes at this moment."""
        return self.role is Role.STANDALONE or (self.role is Role.LEADS and time.monotonic() < self._until)

    @property
    def cut_off(self) -> bool:
        """Whether it neither polls nor has heard from who does, so that what it shows may be old."""
        return not self.on and self._life is not None and time.monotonic() - self._in_touch > SILENT_SECONDS

    async def begins(self) -> None:
        """Return when it polls and publishes."""
        while not self.on:
            await self._began.wait()

    def known(self, part: str) -> int:
        """The newest version of `part` that the store is known to have."""
        return self._known[part]

    def know(self, part: str, version: int) -> None:
        """Ask for no edition of `part` up to `version` any more; with -1, for whichever there is."""
        self._known[part] = version

    def start(self) -> None:
        """Begin to claim and to listen."""
        loop = asyncio.get_running_loop()
        self._seen = time.monotonic()
        self._in_touch = self._pinged = self._seen
        live = partial(self._live, loop)
        self._life = asyncio.create_task(self._supervisor.run(TASK, lambda: in_thread("replica", live)))

    async def stop(self) -> None:
        """Let go of the lease, so that the next one need not wait."""
        self._stopping.set()
        if self._life is not None:
            await asyncio.wait({self._life}, timeout=_END_SECONDS)
            self._life.cancel()

    def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                if self._loop_hangs(loop):
                    self._pause(_TURN_SECONDS)
                    continue
                self._ensure_heard()
                lease = self._store.claim(self._name, self.holder, TTL_SECONDS)
                # Before it leads, it knows what was told by who led.
                found = self._store.newer(self._name, self._asked, 0)
                self._call(loop, self._claimed, lease, began, found)
                self._listen(loop, began + BEAT_SECONDS, leads=lease.holder == self.holder)
            except StoreError as error:
                self._call(loop, self._missed, error)
                self._pause(began + BEAT_SECONDS - time.monotonic())
        try:
            self._store.release(self._name, self.holder)
        except StoreError:
            log.info("lease not released, it runs out", name=self._name)

    def _pause(self, seconds: float) -> None:
        """Poll, in naps, and no longer when it is to stop.

        Waiting for the event itself, or time.sleep, waits for a moment of the kernel's monotonic clock: under
        libfaketime it never comes, or is refused.
        """
        until = time.monotonic() + seconds
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            select.select((), (), (), min(_NAP_SECONDS, left))

    def _loop_hangs(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether the loop hears nothing: then a lease that is held here would keep everybody from polling."""
        hangs = time.monotonic() - self._pinged > SILENT_SECONDS
        loop.call_soon_threadsafe(self._ping)
        return hangs

    def _ensure_heard(self) -> None:
        """Raises StoreError where the others cannot hear what is found here: another one would tell them sooner."""
        if self._untold_for() > SILENT_SECONDS:
            raise StoreError("what was found here could not be told to the others")

    def _ping(self) -> None:
        self._pinged = time.monotonic()
        self._supervisor.beat(TASK)

    def _call(self, loop: asyncio.AbstractEventLoop, do: Callable[..., object], *what: object) -> None:
        """Have `do` called on the loop; a fault there is counted as one of this task."""

        def guarded() -> None:
            try:
                do(*what)
            except Exception as error:  # noqa: BLE001 - it would end in the loop's own log, and nobody would know
                self._supervisor.stumbled(TASK, error)

        loop.call_soon_threadsafe(guarded)

    def _take(self, message: Message) -> None:
        """Hand it on; what cannot be taken is asked for again, and until then nothing counts as heard."""
        try:
            self._heard(message)
        except Exception:
            self._known[message.part] = -1
            raise

    def _listen(self, loop: asyncio.AbstractEventLoop, until: float, *, leads: bool) -> None:
        """Until the next beat; who leads looks twice between two beats for what others, or an editor, say."""
        if leads:
            for _ in range(2):
                self._pause((until - time.monotonic()) / 2)
                self._tell(loop, 0)
            self._pause(until - time.monotonic())
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            self._tell(loop, min(left, _TURN_SECONDS))

    def _tell(self, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        editors = self._store.newer(EDITORS, {OVERRIDES: self._known[OVERRIDES]}, 0)
        for message in (*self._store.newer(self._name, self._asked, patience), *editors):
            self._known[message.part] = message.version
            self._call(loop, self._take, message)

    @property
    def _asked(self) -> dict[str, int]:
        """The versions that are known of what other replicas say."""
        return {part: version for part, version in self._known.items() if part != OVERRIDES}

    def _claimed(self, lease: Lease, began: float, found: Sequence[Message]) -> None:
        self._seen = time.monotonic()
        self.replicas, self.silent, self.fence = lease.replicas, lease.silent, lease.fence
        for message in found:
            self._known[message.part] = max(message.version, self._known[message.part])
            self._take(message)
        leads = lease.holder == self.holder
        self._until = began + TTL_SECONDS - _MARGIN_SECONDS if leads else 0.0
        self._become(Role.LEADS if leads else Role.FOLLOWS)
        self._in_touch = time.monotonic()

    def _missed(self, error: StoreError) -> None:
        """The store did not answer. Whoever followed waits for as long as a leader would have gone on."""
        if self.role is Role.STARTING or time.monotonic() >= max(self._until, self._seen + TTL_SECONDS):
            self._become(Role.STANDALONE, error.detail)

    def _become(self, role: Role, why: str | None = None) -> None:
        before, self.role = self.role, role
        if before is not role:
            log.info("replica turned", role=str(role), replicas=self.replicas, fence=self.fence, why=why)
        if self.on:
            bell, self._began = self._began, asyncio.Event()
            bell.set()
        self._turned(before)
        self.decided.set()


# Of so long nobody may know what a leader asked who could tell no more: its lease and a beat to each side.
_UNTOLD = timedelta(seconds=TTL_SECONDS + 2 * BEAT_SECONDS)


class LeaderHandover:
    """Lets `timetable` go on, rest or begin, as the role of `replica` asks for, within what is left of the budgets."""

    def __init__(self, replica: Replica, poller: Poller, timetable: PollScheduler) -> None:
        self._replica = replica
        self._poller = poller
        self._timetable = timetable
        self._silent = 0

    def take(self, before: Role, role: Role, asked: Mapping[str, Sequence[datetime]]) -> None:
        """Act on a role that has changed; `asked` is when whoever polled until now asked, as far as it told."""
        share = self._replica.replicas if role is Role.STANDALONE else 1
        if role is Role.FOLLOWS:
            self._timetable.rest()
        elif before in {Role.LEADS, Role.STANDALONE}:
            self._timetable.divide(share)
        else:
            self._poller.forget()
            for source, moments in asked.items():
                self._timetable.inherit(source, moments)
            if before is Role.FOLLOWS:
                self._timetable.presume(_UNTOLD)
            self.reserve(role)
            self._timetable.resume(share)

    def reserve(self, role: Role) -> None:
        """Who is silent may be polling for itself, within its share: it is not asked for by whoever leads."""
        silent = self._replica.silent if role is Role.LEADS else 0
        if silent > self._silent:
            self._timetable.reserve(silent - self._silent, self._replica.replicas)
        self._silent = silent
