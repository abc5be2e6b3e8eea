"""What an adapter is: two pure functions and some data, or four where the source has an archive.

Which requests ask for the codes wanted, and which ticks an answer holds. It knows neither settings nor clock nor
instruments, and raises nothing but `SourceError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ticker.quotes import Tick


@dataclass(frozen=True, slots=True)
class Day:
    """A query parameter that names a day, `back` days before the request's in `zone`; `pattern` is strftime's."""

    name: str
    pattern: str
    zone: ZoneInfo
    back: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One GET: `path` behind the source's base URL, with its query; `day` where the query must name the current day."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    day: Day | None = None

    def asked(self, now: datetime) -> Mapping[str, str]:
        """The query of a request made at `now` (aware)."""
        if self.day is None:
            return self.query
        moment = now.astimezone(self.day.zone) - timedelta(days=self.day.back)
        return {**self.query, self.day.name: moment.strftime(self.day.pattern)}


@dataclass(frozen=True, slots=True)
class Adapter:
    """How one upstream is asked and read.

    `requests(codes)` gives the requests that fetch `codes`; `parse(body)` the ticks of one answer. `publisher` is whose
    numbers these are. `codes` maps a pair such as "BRENT/USD" to the source's own word where that is not the base.

    `archive(codes, first, last)` gives the requests for the days from `first` to `last`, both included, which may be
    many; `parse_archive(body)` the ticks of one such answer, of several dates, none where nothing was published. An
    archive by the day answers 404 for a day without a publication. Its host is `archive_url` where that is another one.

    `key_parameter` is the query parameter of the user's key, for a source that asks for one.
    """

    publisher: str
    base_url: str
    requests: Callable[[Sequence[str]], Sequence[Request]]
    parse: Callable[[bytes], Sequence[Tick]]
    codes: Mapping[str, str] = field(default_factory=dict)
    archive: Callable[[Sequence[str], date, date], Sequence[Request]] | None = None
    parse_archive: Callable[[bytes], Sequence[Tick]] | None = None
    archive_url: str | None = None
    key_parameter: str | None = None
