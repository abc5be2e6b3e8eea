"""Which sources are asked, and how."""

from __future__ import annotations

from collections.abc import Sequence

from ticker import keys
from ticker.configured.calendars import calendar_of
from ticker.feeds import Feed
from ticker.settings.model import Settings


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
