"""Faults of our own side: clock, process, resources, disk, operator."""

from __future__ import annotations

from tests.defences import Fault, Mutation

_KEEPER = "ticker/stores/keeper.py"

_SET_BACK = Mutation("ticker/clock.py", "return jump if abs(jump) >= self._LEAST else None", "return None")

PROCESSES: tuple[Fault, ...] = (
    Fault(
        "clock set back",
        "five hours, under a running process",
        "the numbers it had, and new ones at their usual time",
        "tests/faults/test_clock.py::test_set_back_by_hours_polling_goes_on",
        _SET_BACK,
    ),
    Fault(
        "clock set forward",
        "three days, and right again",
        "old by that clock and said so; right as soon as the clock is",
        "tests/faults/test_clock.py::test_set_forward_by_days_the_numbers_are_old_and_young_again_when_it_is_right",
        _SET_BACK,
    ),
    Fault(
        "disk full",
        "a disk of 1 MB, filled",
        "nothing; what was missed is written when there is room",
        "tests/faults/test_store.py::test_a_full_disk_is_waited_for",
        Mutation(_KEEPER, "            self._wake.set()\n        for pool", "            break\n        for pool"),
    ),
    Fault(
        "disk read-only",
        "remounted",
        "nothing; a restart still shows the last numbers",
        "tests/faults/test_store.py::test_a_read_only_disk_still_gives_the_last_snapshot",
        Mutation("ticker/stores/database.py", "immutable=1", "mode=ro"),
    ),
    Fault(
        "store damaged",
        "junk in its place, pages overwritten",
        "nothing; said once, counted, the file left as it is",
        "tests/faults/test_store.py::test_a_damaged_file_does_not_stop_the_service",
        Mutation("ticker/stores/opening.py", "    except sqlite3.Error as", "    except sqlite3.OperationalError as"),
    ),
)
