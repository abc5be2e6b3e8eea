"""`--workers N`: the process that starts the workers, passes signals on to them and replaces those that die.

It serves nothing and has no loop: what it does is start, wait and count, so that it outlives whatever ends a worker. It
is the service to whoever manages it: ready when every worker listens, reloaded when every worker is, alive while it is;
a worker that no longer says that it lives is ended and replaced.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from typing import TYPE_CHECKING

from ticker.cli.hand import FIRST_PAUSE, READY, Channel, Hand, become_worker, work_and_end
from ticker.cli.supervisor import notify
from ticker.log import Log
from ticker.values import Struct, field

if TYPE_CHECKING:
    from collections.abc import Callable

log = Log(__name__)

# A worker that dies at once is started again ever more seldom; one that has lived as long as this begins anew.
_LONGEST_PAUSE, _HEALTHY_SECONDS = 30.0, 10.0
_LOOK_SECONDS = 1.0
# After how long a worker that says nothing is ended, where no service manager says: its readers wait in vain.
_SILENT_MICROSECONDS = "30000000"


class Crew(Struct):
    """`count` workers; `work` is what each does, in a process of its own, and its answer the exit code."""

    count: int
    work: Callable[[int, Channel], int]
    # For how long they may take to end after SIGTERM.
    patience: float
    hands: list[Hand] = field(default_factory=list)
    stopping: float = 0.0
    reloading: bool = False
    told: bool = False
    failed: int = 0

    def run(self) -> int:
        """Until they have all been ended; the exit code."""
        os.environ.setdefault("WATCHDOG_USEC", _SILENT_MICROSECONDS)
        self.hands = [Hand(number) for number in range(self.count)]
        life = os.pipe()
        bell, rings = os.pipe()
        os.set_blocking(rings, False)
        signal.set_wakeup_fd(rings, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(bell, selectors.EVENT_READ)
            while not self.stopping or any(hand.process for hand in self.hands):
                for hand in self.hands:
                    if not self.stopping and not hand.process and time.monotonic() >= hand.due:
                        self._start(hand, life, (bell, rings), selector)
                for key, _ in selector.select(self._wait()):
                    heard = os.read(key.fd, 4096)
                    self._signalled(heard) if key.fd == bell else self._heard(key.data, heard, selector)
                self._reap()
                self._watch()
        return self.failed

    def _start(self, hand: Hand, life: tuple[int, int], own: tuple[int, int], selector: selectors.BaseSelector) -> None:
        down, up = os.pipe()
        process = os.fork()
        if not process:
            become_worker((down, life[1], *own, *(other.channel for other in self.hands if other.channel >= 0)))
            work_and_end(self.work, hand.number, Channel(up, life[0]))
        os.close(up)
        hand.process, hand.channel, hand.ready = process, down, False
        hand.began = hand.heard = time.monotonic()
        selector.register(down, selectors.EVENT_READ, hand)

    def _wait(self) -> float:
        due = [hand.due for hand in self.hands if not hand.process and not self.stopping]
        return max(0.0, min([_LOOK_SECONDS, *(each - time.monotonic() for each in due)]))

    def _signalled(self, numbers: bytes) -> None:
        if signal.SIGHUP in numbers and not self.stopping:
            notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            self.reloading = True
            for hand in self.hands:
                hand.ready = False
            self._send(signal.SIGHUP)
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            notify("STOPPING=1")
            self._stop()

    def _stop(self) -> None:
        self.stopping = self.stopping or time.monotonic()
        self._send(signal.SIGTERM)

    def _send(self, number: int) -> None:
        for hand in self.hands:
            if hand.process:
                os.kill(hand.process, number)

    def _heard(self, hand: Hand, said: bytes, selector: selectors.BaseSelector) -> None:
        if not said:
            selector.unregister(hand.channel)
            os.close(hand.channel)
            hand.channel = -1
            return
        hand.heard = time.monotonic()
        hand.ready = hand.ready or READY in said
        if all(each.ready for each in self.hands) and (self.reloading or not self.told):
            self.reloading, self.told = False, True
            notify("READY=1")

    def _reap(self) -> None:
        """Whoever has ended is replaced; but where the first of them cannot begin, none can."""
        for hand in self.hands:
            if not hand.process:
                continue
            process, status = os.waitpid(hand.process, os.WNOHANG)
            if not process:
                continue
            hand.process, code = 0, os.waitstatus_to_exitcode(status)
            if self.stopping:
                self.failed = self.failed or int(code != 0)
            elif code > 0 and not self.told:
                self.failed = self.failed or code
                self._stop()
            else:
                self._replace(hand, code)

    def _replace(self, hand: Hand, code: int) -> None:
        now = time.monotonic()
        hand.pause = FIRST_PAUSE if now - hand.began > _HEALTHY_SECONDS else hand.pause
        hand.due, hand.pause = now + hand.pause, min(hand.pause * 2, _LONGEST_PAUSE)
        log.error(
            "worker ended, another takes its place", worker=hand.number, code=code, pause=round(hand.due - now, 1)
        )

    def _watch(self) -> None:
        """As the service manager watches us, so we watch them."""
        now, most = time.monotonic(), int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000
        late = [hand for hand in self.hands if hand.process and most and now - hand.heard > most]
        if self.stopping and now - self.stopping > self.patience:
            late = [hand for hand in self.hands if hand.process]
        for hand in late:
            log.error("worker does not answer, it is ended", worker=hand.number)
            os.kill(hand.process, signal.SIGKILL)
            hand.heard = now
        if most:
            notify("WATCHDOG=1")
