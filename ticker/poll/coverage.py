"""What is asked, and of whom: all of a configuration that polling depends on. Another one takes its place whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ticker.calendars import Calendar
from ticker.carry import meaning
from ticker.feeds import Feed
from ticker.normalize import word
from ticker.quotes import Check, Instrument


class Coverage:
    """The instruments that are shown, the feeds they come from, and the cross-checks that are made of them."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        feeds: Mapping[str, Feed],
        overrides: Mapping[str, Calendar] | None,
        checks: Sequence[Check],
    ) -> None:
        """`overrides` are the calendars of instruments that are judged by one of their own, by symbol."""
        self.instruments = instruments
        self.feeds = feeds
        self.checks = checks
        # Those that only serve a cross-check among them.
        self.all = (*instruments, *(check.reference for check in checks))
        # By symbol and source, what judges a number's age.
        self.calendars = self._calendars(overrides or {})

    def _calendars(self, overrides: Mapping[str, Calendar]) -> dict[str, dict[str, Calendar]]:
        own = {source: feed.calendar for source, feed in self.feeds.items()}
        return {
            each.symbol: dict.fromkeys(self.feeds, overrides[each.symbol]) if each.symbol in overrides else own
            for each in self.all
        }

    def wanted(self, source: str) -> list[Instrument]:
        """The instruments that `source` feeds, those that only serve a cross-check among them."""
        return [instrument for instrument in self.all if source in instrument.sources]

    def codes(self, source: str) -> list[str]:
        """What `source` calls them."""
        return [word(instrument, self.feeds[source].origin) for instrument in self.wanted(source)]

    def cost(self, source: str, now: datetime) -> int:
        """How many requests one poll of `source` at `now` takes."""
        return len(self.feeds[source].adapter.requests(self.codes(source), now))

    def question(self, source: str) -> tuple[object, ...] | None:
        """All that decides what is asked of `source` and how its answer is read; None where it is not asked."""
        feed = self.feeds.get(source)
        return None if feed is None else (feed, *(meaning(each) for each in self.wanted(source)))
