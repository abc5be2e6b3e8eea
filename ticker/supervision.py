"""Nothing in the background dies unseen: each task is named, restarted with growing pauses, and heard to be alive.

Every time here is monotonic: nobody sets that clock, and a process that was stopped finds how long it was.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Barrier
from time import monotonic

from ticker.log import Log

log = Log(__name__)

# Seconds between a fault and the restart: doubled each time, up to the second.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
# A task that has run so long since its last restart is well again.
_STEADY_SECONDS = 10.0
# How often a thread is looked at: one that has lost its last word, as when memory ran out, must not be waited for.
_LOOK_SECONDS = 0.5


@dataclass(slots=True)
class SupervisedTask:
    """How one task fares: `failing_since` is when its faults began, None while it is well.

    One that `beats` says so itself whenever it has done its work; `heard` is when it did last.
    """

    heard: float
    up: bool = True
    beats: bool = False
    restarts: int = 0
    in_a_row: int = 0
    failed_at: float | None = None
    failing_since: float | None = None


class Supervisor:
    """Runs tasks by name and counts their restarts; `timer` is a clock in seconds that nobody sets."""

    def __init__(self, timer: Callable[[], float] = monotonic) -> None:
        self._timer = timer
        self._tasks: dict[str, SupervisedTask] = {}

    @property
    def tasks(self) -> Mapping[str, SupervisedTask]:
        """Every task that was ever begun or heard of, by name."""
        return self._tasks

    def beat(self, name: str) -> None:
        """Note that `name` has just done its work."""
        task = self._task(name)
        task.heard, task.beats = self._timer(), True

    def stumbled(self, name: str, error: BaseException) -> None:
        """Count and log a fault after which `name` goes on by itself."""
        self._task(name).restarts += 1
        log.error("task failed, it goes on", task=name, error=f"{type(error).__name__}: {error}"[:200])

    def failed(self, name: str, error: BaseException) -> float:
        """Count and log a fault of `name`; how many seconds to wait before it is restarted."""
        task, now = self._task(name), self._timer()
        self._settle(task)
        task.restarts += 1
        task.in_a_row += 1
        task.failed_at = now
        task.failing_since = now if task.failing_since is None else task.failing_since
        pause = min(_FIRST_PAUSE * (1 << min(task.in_a_row - 1, 10)), _LONGEST_PAUSE)
        told = f"{type(error).__name__}: {error}"[:200]
        log.error("task failed, it is restarted", task=name, error=told, in_a_row=task.in_a_row, pause=pause)
        return pause

    def hopeless(self, patience: float) -> list[str]:
        """The names of those whose restarts have failed, or who have said nothing, for `patience` seconds."""
        now = self._timer()
        failing = {
            name
            for name, task in self._tasks.items()
            if not self._settle(task) and task.failing_since is not None and now - task.failing_since >= patience
        }
        silent = {name for name, task in self._tasks.items() if task.beats and now - task.heard >= patience}
        return sorted(failing | silent)

    def is_up(self, name: str) -> bool:
        """Whether `name` runs, and is not between a fault and its being well again."""
        task = self._tasks[name]
        self._settle(task)
        return task.up and task.failing_since is None

    async def run(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Await `work()` until it returns; whenever it raises, wait and begin it anew."""
        task = self._task(name)
        while True:
            task.up, task.heard = True, self._timer()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the task in silence
                task.up = False
                pause = self.failed(name, error)
                await asyncio.sleep(pause)
            else:
                return

    def _task(self, name: str) -> SupervisedTask:
        return self._tasks.setdefault(name, SupervisedTask(self._timer()))

    def _settle(self, task: SupervisedTask) -> bool:
        """Whether `task` is well; it is when it has run long enough since its last fault."""
        if task.failed_at is not None and task.up and self._timer() - task.failed_at >= _STEADY_SECONDS:
            task.failed_at = task.failing_since = None
            task.in_a_row = 0
        return task.failing_since is None


async def in_thread(name: str, target: Callable[[], object]) -> None:
    """Run `target` in a thread of its own and return when it has ended. Raises whatever ended it.

    The thread outlives a caller who is cancelled.
    """
    faults: list[BaseException] = []
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def guarded() -> None:
        try:
            target()
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            faults.append(error)
        finally:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(ended.set)

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    # A thread that dies for want of memory sets no event, so it is looked at too.
    while thread.is_alive() and not ended.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await ended.wait()
    if faults:
        raise faults[0]


def begin(pool: ThreadPoolExecutor) -> ThreadPoolExecutor:
    """Start every thread of `pool` now."""
    together = Barrier(pool._max_workers)  # noqa: SLF001 - nobody else tells it
    for _ in range(together.parties):
        pool.submit(together.wait)
    return pool
