"""Settings become values: instruments, feeds, calendars, plans. Nothing is joined or started here; `app` does that."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ticker import calendars, keys
from ticker.feeds import Feed
from ticker.quotes import Instrument
from ticker.schedule import Cadence, Plan
from ticker.select.cross import Check
from ticker.settings import ConfigurationError, plain
from ticker.settings.model import PublicationCalendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, tzinfo
    from random import Random

    from ticker.calendars.calendar import Calendar
    from ticker.settings.model import Calendar as CalendarSettings
    from ticker.settings.model import Settings

# What the running process cannot change under its own connections.
FIXED = ("server.host", "server.port", "server.metrics_host", "server.metrics_port", "server.workers", "store")


def keep_fixed(running: Settings, wanted: Settings) -> None:
    """Raises ConfigurationError where `wanted` moves what only a restart can move; every such key is named."""
    old, new = plain(running), plain(wanted)
    moved = [
        f"{key} cannot change while the service runs (it is {_at(old, key)!r}); restart it for {_at(new, key)!r}"
        for key in FIXED
        if _at(old, key) != _at(new, key)
    ]
    if moved:
        raise ConfigurationError("\n".join(moved))


def _at(tree: object, dotted: str) -> object:
    for key in dotted.split("."):
        tree = tree[key] if isinstance(tree, dict) else None
    return tree


def instruments(config: Settings) -> tuple[Instrument, ...]:
    """The configured instruments as values."""
    return tuple(
        Instrument(
            symbol=symbol,
            base=each.base,
            quote=each.quote,
            unit=each.unit or f"1 {each.base}",
            decimals=each.decimals,
            sources=each.sources,
            max_age=each.max_age,
            max_move=each.max_move,
            tolerance=each.tolerance,
            band=each.band,
            required=each.required,
            calendar=each.calendar,
            labels=each.label,
            names=each.name,
            codes=each.codes,
        )
        for symbol, each in config.instruments.items()
    )


def checks_of(config: Settings) -> tuple[Check, ...]:
    """The configured cross-checks as values."""
    return tuple(
        Check(
            each.numerator,
            each.denominator,
            Instrument(
                symbol=name,
                base=each.base,
                quote=each.quote,
                unit=f"1 {each.base}",
                decimals=4,
                sources=each.sources,
                max_age=each.max_age,
                max_move=Decimal(1),
                tolerance=each.tolerance,
            ),
            each.tolerance,
        )
        for name, each in config.checks.items()
    )


def used(config: Settings) -> list[str]:
    """The sources that feed an instrument, in the order of the configuration; the others are never asked."""
    fed = {source for each in config.instruments.values() for source in each.sources}
    fed |= {source for each in config.checks.values() for source in each.sources}
    return [source for source in config.sources if source in fed]


def idle(config: Settings, upstream: str | None) -> dict[str, Feed]:
    """The sources that feed nothing and are not off: they can be probed all the same."""
    fed = used(keys.switched_on(config))
    return feeds_of(config, upstream, [s for s in config.sources if s not in fed and not keys.off(config, s)])


def feeds_of(config: Settings, upstream: str | None, chosen: Sequence[str]) -> dict[str, Feed]:
    """The feeds of the `chosen` sources."""
    feeds: dict[str, Feed] = {}
    for source in chosen:
        each = config.sources[source]
        feeds[source] = Feed(
            id=source,
            reads=each.adapter or source,
            host=f"{upstream.rstrip('/')}/{source}" if upstream else each.base_url,
            timeout=each.timeout,
            max_bytes=each.max_bytes,
            calendar=calendar_of(config.calendars[each.calendar]),
            api_key=each.api_key.get_secret_value() if each.api_key else None,
        )
    return feeds


def read_holidays(config: Settings, today: date) -> None:
    """Have this year's holidays of the calendars that are asked for at hand."""
    of_sources = {config.sources[source].calendar for source in used(config)}
    for name in of_sources | {each.calendar for each in config.instruments.values() if each.calendar}:
        if market := config.calendars[name].holidays:
            calendars.is_holiday(market, today)


def overrides_of(config: Settings) -> dict[str, Calendar]:
    """The calendars of instruments that are judged by one of their own, by symbol."""
    return {s: calendar_of(config.calendars[i.calendar]) for s, i in config.instruments.items() if i.calendar}


def zone_of(config: Settings, symbol: str) -> tzinfo:
    """Where the days of an instrument begin: where its preferred source publishes."""
    instrument = config.instruments[symbol]
    return config.calendars[instrument.calendar or config.sources[instrument.sources[0]].calendar].zone


def calendar_of(config: CalendarSettings) -> Calendar:
    """A configured calendar as a value."""
    days = calendars.days_of(config.days)
    if isinstance(config, PublicationCalendar):
        return calendars.Publication(config.zone, config.at, config.grace, days, config.holidays, config.lead)
    return calendars.Session(
        config.zone, config.opens, config.closes, config.delay, config.grace, days, config.holidays
    )


def plans_of(config: Settings, feeds: Iterable[str], random: Random) -> dict[str, Plan]:
    """A plan for each of `feeds`. Raises ConfigurationError for a cron line that names no time."""
    return {source: Plan(cadence_of(config, source), random) for source in feeds}


def cadence_of(config: Settings, source: str) -> Cadence:
    """How often `source` is asked. Raises ConfigurationError as `plans_of`."""
    each = config.sources[source]
    schedule = each.schedule
    # Repeating a failed request must not spend the hour: a source with a small budget is left alone for longer.
    backoff = max(timedelta(seconds=5), timedelta(hours=1) / (4 * each.budget))
    cadence = Cadence(schedule.zone, schedule.every, schedule.cron, schedule.jitter, each.budget, backoff)
    try:
        cadence.after(datetime.now(schedule.zone))
    except ValueError as error:
        message = f"sources.{source}.schedule.cron: {error}; five fields: minute hour day month weekday"
        raise ConfigurationError(message) from None
    return cadence
