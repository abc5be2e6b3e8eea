"""When each source is asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

from ticker.scheduling import Cadence, Plan
from ticker.settings.errors import ConfigurationError
from ticker.settings.model import Settings


def plans_of(config: Settings, feeds: Iterable[str], random: Random, *, sound: bool = False) -> dict[str, Plan]:
    """A plan for each of `feeds`. Raises ConfigurationError for a cron line that names no time; `sound` ones do."""
    return {source: Plan(cadence_of(config, source, sound=sound), random) for source in feeds}


def cadence_of(config: Settings, source: str, *, sound: bool = False) -> Cadence:
    """How often `source` is asked. Raises ConfigurationError as `plans_of`."""
    each = config.sources[source]
    schedule = each.schedule
    # Repeating a failed request must not spend the hour: a source with a small budget is left alone for longer.
    backoff = max(timedelta(seconds=5), timedelta(hours=1) / (4 * each.budget))
    cadence = Cadence(schedule.zone, schedule.every, schedule.cron, schedule.jitter, each.budget, backoff)
    if sound:
        return cadence
    try:
        cadence.after(datetime.now(schedule.zone))
    except ValueError as error:
        message = f"sources.{source}.schedule.cron: {error}; five fields: minute hour day month weekday"
        raise ConfigurationError(message) from None
    return cadence
