"""A worker's place in the crew, and what it is to be in it: a way up to who started it, and an end of its own."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from ticker.log import Log
from ticker.values import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

log = Log(__name__)

# A worker that dies at once is started again ever more seldom.
FIRST_PAUSE = 0.1
# What a worker says, a byte each: it listens or has reloaded; it lives.
READY, LIVES = b"R", b"W"


class Hand(Struct):
    """One worker's place, whoever is in it."""

    number: int
    process: int = 0
    channel: int = -1
    ready: bool = False
    began: float = 0.0
    heard: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0


class Channel(Struct):
    """A worker's way to who started it: what it says up, and `life`, which ends with that process."""

    up: int
    life: int

    def say(self, state: str) -> None:
        """Pass on what a service manager would be told; see `supervisor.notify`."""
        byte = {"READY=1": READY, "WATCHDOG=1": LIVES}.get(state)
        if byte is not None:
            with suppress(OSError):
                os.write(self.up, byte)


def become_worker(inherited: tuple[int, ...]) -> None:
    """Forget what is only its parent's."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    for each in inherited:
        os.close(each)


def work_and_end(work: Callable[[int, Channel], int], number: int, channel: Channel) -> None:
    """Work, and end here: what the parent would still do is not the worker's to do."""
    code = 1
    try:
        code = work(number, channel)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        log.exception("worker failed", worker=number)
    finally:
        os._exit(code)
