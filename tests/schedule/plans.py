"""What tests of the timetable say when: a cadence, a plan with luck of its own, and how a source stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from ticker.scheduling import Cadence, Plan
from ticker.settings.models import Schedule

MOSCOW: Final = ZoneInfo("Europe/Moscow")
NOW: Final = datetime(2024, 11, 22, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)


def cadence(budget: int = 120, **schedule: Any) -> Cadence:  # noqa: ANN401 - any field of a schedule
    """A cadence in Moscow."""
    return Cadence(Schedule(**{"zone": MOSCOW, **schedule}), budget)


EVERY: Final = cadence(every=MINUTE, jitter=timedelta(seconds=10))


@dataclass(slots=True)
class Standing:
    """How a source stands, as far as a plan asks."""

    in_a_row: int = 0
    retry_at: datetime | None = None
    next_poll: datetime | None = None


def plan(how_often: Cadence, seed: int = 1) -> Plan:
    """A plan with its own luck."""
    return Plan(how_often, Random(seed))  # noqa: S311 - jitter, not a secret
