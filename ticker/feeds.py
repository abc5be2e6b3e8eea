"""A configured source: where and how it is asked, whose words it speaks, and by which calendar its age is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from ticker.calendars import Calendar
    from ticker.normalise import Origin
    from ticker.quotes import Instrument
    from ticker.sources import Adapter


@dataclass(frozen=True, slots=True)
class Feed:
    """One configured source: its adapter, where and how it is asked, and whose words its ticks are."""

    id: str
    adapter: Adapter
    base_url: str
    timeout: timedelta
    max_bytes: int
    origin: Origin
    api_key: str | None = field(default=None, repr=False)

    def secret(self) -> Mapping[str, str]:
        """The part of every query that is neither logged nor kept: the user's key, where the source asks for one."""
        name = self.adapter.key_parameter
        return {name: self.api_key} if name and self.api_key else {}

    def without_key(self, text: str) -> str:
        """`text` as it may be logged and shown: an error sometimes quotes the address with the key in it."""
        return text.replace(self.api_key, "***") if self.api_key else text


def calendars_of(
    instruments: Sequence[Instrument], feeds: Mapping[str, Feed], overrides: Mapping[str, Calendar]
) -> dict[str, dict[str, Calendar]]:
    """By symbol and source, the calendar that judges a number's age."""
    own = {source: feed.origin.calendar for source, feed in feeds.items()}
    return {
        each.symbol: dict.fromkeys(feeds, overrides[each.symbol]) if each.symbol in overrides else own
        for each in instruments
    }
