"""A configured source, and how it is asked: its requests one after the other, its key in them and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ticker.calendars import Calendar
from ticker.fetch import Fetching, hidden
from ticker.normalize import Origin
from ticker.quotes import Reason, SourceError, Tick
from ticker.sources import SOURCES
from ticker.sources.adapter import Adapter, Request

# A symbol that the source does not list says nothing of its others; a guard or a time-out does.
_OF_ONE_ANSWER = frozenset(
    {Reason.HTTP_4XX, Reason.ENCODING, Reason.PARSE, Reason.SCHEMA, Reason.UNIT, Reason.RANGE, Reason.FROZEN}
)
# Bytes that are read in a millisecond or two; a table of a bank has ten thousand, a futures board a quarter million.
_BIG = 50_000


@dataclass(frozen=True, slots=True)
class Feed:
    """One configured source: its adapter, where and how it is asked, and whose words its ticks are.

    `reads` is its adapter's name, `host` the address where it is not the adapter's own. The adapter is loaded when it
    is first needed: to be asked, not to be shown. `own` stands in for it.
    """

    id: str
    reads: str
    host: str | None
    timeout: timedelta
    max_bytes: int
    calendar: Calendar
    api_key: str | None = None
    own: Adapter | None = None

    def __repr__(self) -> str:
        # Without the key: what is logged is read by others.
        return f"Feed({self.id!r}, {self.host!r})"

    @property
    def adapter(self) -> Adapter:
        """What asks it and reads its answers."""
        return self.own or SOURCES[self.reads]

    @property
    def base_url(self) -> str:
        """What every path of it follows."""
        return self.host or self.adapter.base_url

    @property
    def origin(self) -> Origin:
        """Whose ticks they are, and what they mean."""
        return Origin(self.id, self.adapter.publisher, self.calendar, self.adapter.codes)

    def secret(self) -> Mapping[str, str]:
        """The part of every query that is neither logged nor kept: the user's key, where the source asks for one."""
        name = self.adapter.key_parameter
        return {name: self.api_key} if name and self.api_key else {}

    def without_key(self, text: str) -> str:
        """`text` as it may be logged and shown: an upstream's words may repeat the key, encoded or cut off as well."""
        return hidden(text, [self.api_key] if self.api_key else ())

    def told(self, error: SourceError) -> SourceError:
        """`error` as it may be logged and shown."""
        error.detail = self.without_key(error.detail)
        return error


async def ask(
    fetcher: Fetching, feed: Feed, codes: Sequence[str], now: datetime
) -> tuple[list[Tick], SourceError | None]:
    """What `feed` says of `codes`, one request after the other, and the failure of one where another succeeded.

    A fault in a part of an answer that nobody asked for is none. Raises SourceError where nothing came, and asks no
    further where the source itself is in trouble.
    """
    ticks: list[Tick] = []
    failure: SourceError | None = None
    in_part: SourceError | None = None
    for request in feed.adapter.requests(codes):
        try:
            ticks += await _answer(fetcher, feed, request, now)
        except SourceError as error:
            ticks += error.besides
            # Without the frames it came through: they would hold it as it holds them, and all they know of with it.
            if error.besides:
                in_part = in_part or error.with_traceback(None)
            else:
                failure = failure or error.with_traceback(None)
            if error.reason not in _OF_ONE_ANSWER:
                break
    if not {tick.symbol for tick in ticks} >= set(codes):
        failure = failure or in_part
    if failure is None or ticks:
        return ticks, failure
    try:
        raise failure
    finally:
        failure = None  # for the same reason


async def _answer(fetcher: Fetching, feed: Feed, request: Request, now: datetime) -> Sequence[Tick]:
    answer = await fetcher.get(
        f"{feed.base_url.rstrip('/')}{request.path}",
        request.asked(now),
        request.headers,
        timeout=feed.timeout,
        max_bytes=feed.max_bytes,
        secret=feed.secret(),
    )
    if len(answer.body) < _BIG:
        return feed.adapter.parse(answer.body)
    # Whoever reads the page meanwhile is answered between two of its rows.
    return await asyncio.to_thread(feed.adapter.parse, answer.body)
