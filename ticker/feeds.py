"""What is asked of whom, and how: a source's requests one after the other, its key in them and nowhere else."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ticker.calendars import Calendar, Publication, Session
from ticker.calendars.publication import EVERY_DAY
from ticker.fetch import Call, Fetching, redact
from ticker.normalize import Origin, word
from ticker.quotes import AnswerDigest, Check, Instrument, Reason, SourceError, Tick
from ticker.settings.models import Settings
from ticker.sources import SOURCES, Adapter, Extract, Request, Skipped

# A symbol that the source does not list says nothing of its others; a guard or a time-out does.
_OF_ONE_ANSWER = frozenset(
    {Reason.HTTP_4XX, Reason.ENCODING, Reason.PARSE, Reason.SCHEMA, Reason.UNIT, Reason.RANGE, Reason.FROZEN}
)
# Bytes that are read in a millisecond or two; a table of a bank has ten thousand, a futures board a quarter million.
_BIG = 50_000


@dataclass(frozen=True, slots=True)
class Feed:
    """One configured source: its adapter, where and how it is asked, and whose words its ticks are.

    `reads` is its adapter's name, `host` the address where it is not the adapter's own; `carries` are the weekdays of
    whose tables a relay hands on.
    """

    id: str
    reads: str
    adapter: Adapter
    host: str | None
    timeout: timedelta
    max_bytes: int
    calendar: Calendar
    api_key: str | None = None
    carries: str = EVERY_DAY

    def __repr__(self) -> str:
        # Without the key: what is logged is read by others.
        return f"Feed({self.id!r}, {self.host!r})"

    @property
    def base_url(self) -> str:
        """What every path of it follows."""
        return self.host or self.adapter.base_url

    @property
    def origin(self) -> Origin:
        """Whose ticks they are, and what they mean."""
        return Origin(self.id, self.adapter.publisher, self.calendar, self.adapter.codes)

    def calendar_of(self, instrument: Instrument) -> Calendar:
        """What judges the age of its numbers of `instrument`."""
        grace = self.adapter.graces.get(word(instrument, self.origin))
        return replace(self.calendar, grace=grace) if grace and isinstance(self.calendar, Session) else self.calendar

    def is_late(self, newest: datetime | None, now: datetime) -> bool:
        """Whether a table that was due after `newest` has not come; of a market, and of what was never heard, no."""
        if newest is None or not isinstance(self.calendar, Publication):
            return False
        return self.calendar.is_late(newest, now, self.carries)

    def secret(self) -> Mapping[str, str]:
        """The part of every query that is neither logged nor kept: the user's key, where the source asks for one."""
        name = self.adapter.key_parameter
        return {name: self.api_key} if name and self.api_key else {}

    def call(self, request: Request, base: str | None = None, patience: int = 1) -> Call:
        """`request` as the fetcher makes it, at `base` instead of the feed's own address, `patience` times as long."""
        url = f"{(base or self.base_url).rstrip('/')}{request.path}"
        return Call(url, request.query, request.headers, self.timeout * patience, self.max_bytes, self.secret())

    def without_key(self, text: str) -> str:
        """`text` as it may be logged and shown: an upstream's words may repeat the key, encoded or cut off as well."""
        return redact(text, [self.api_key] if self.api_key else ())

    def redacted(self, error: SourceError) -> SourceError:
        """`error` as it may be logged and shown."""
        error.detail = self.without_key(error.detail)
        return error


@dataclass(frozen=True, slots=True)
class Reply:
    """What a source said in one poll.

    `failure` is what went wrong with a part of it, or with a code that was asked for. `skipped` are the rows that were
    left out, whosoever they are.
    """

    ticks: tuple[Tick, ...]
    failure: SourceError | None = None
    skipped: tuple[Skipped, ...] = ()

    def why_not(self, *symbols: str) -> Reason | None:
        """Why nothing is said of `symbols`, the source's words for what was asked for; None where nothing tells."""
        own = next((row.reason for row in self.skipped if row.symbol in symbols), None)
        return own or (self.failure.reason if self.failure else None)


def feeds_of(config: Settings, upstream: str | None, sources: Iterable[str]) -> dict[str, Feed]:
    """The feeds of `sources`; with `upstream`, each is asked there instead of at its own host."""
    feeds: dict[str, Feed] = {}
    for source in sources:
        each = config.sources[source]
        feeds[source] = Feed(
            id=source,
            reads=each.adapter or source,
            adapter=SOURCES[each.adapter or source],
            host=f"{upstream.rstrip('/')}/{source}" if upstream else each.base_url,
            timeout=each.timeout,
            max_bytes=each.max_bytes,
            calendar=config.calendars[each.calendar],
            carries=each.carries,
            api_key=each.api_key.get_secret_value() if each.api_key else None,
        )
    return feeds


def meaning(instrument: Instrument) -> tuple[object, ...]:
    """What a number of `instrument` is a number of; the rest is how it is judged and shown."""
    return (instrument.symbol, instrument.base, instrument.quote, instrument.unit, tuple(instrument.codes.items()))


def unchanged(before: Iterable[Instrument], after: Iterable[Instrument]) -> set[str]:
    """The symbols whose numbers mean the same before and after."""
    meant = {each.symbol: meaning(each) for each in before}
    return {each.symbol for each in after if meant.get(each.symbol) == meaning(each)}


class PollTargets:
    """The instruments that are shown, the feeds they come from, and the checks; another configuration's take its place.

    `calendars`, by symbol and source, are what judges a number's age.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        feeds: Mapping[str, Feed],
        overrides: Mapping[str, Calendar] | None = None,
        checks: Sequence[Check] = (),
    ) -> None:
        """`overrides` are the calendars of instruments that are judged by one of their own, by symbol."""
        self.instruments = instruments
        self.feeds = feeds
        self.checks = checks
        # Those that only serve a check among them.
        self.all = (*instruments, *(check.reference for check in checks))
        self.calendars = {
            each.symbol: {name: (overrides or {}).get(each.symbol) or f.calendar_of(each) for name, f in feeds.items()}
            for each in self.all
        }

    def wanted(self, source: str) -> list[Instrument]:
        """The instruments that `source` feeds, those that only serve a check among them."""
        return [instrument for instrument in self.all if source in instrument.all_sources]

    def codes(self, source: str) -> list[str]:
        """What `source` calls them."""
        return [word(instrument, self.feeds[source].origin) for instrument in self.wanted(source)]

    def cost(self, source: str, now: datetime) -> int:
        """How many requests one poll of `source` at `now` takes."""
        return len(self.feeds[source].adapter.requests(self.codes(source), now))

    def request_key(self, source: str) -> tuple[object, ...] | None:
        """All that decides what is asked of `source` and how its answer is read; None where it is not asked."""
        feed = self.feeds.get(source)
        return None if feed is None else (feed, *(meaning(each) for each in self.wanted(source)))

    def witnesses(self, instrument: Instrument) -> tuple[str, ...]:
        """Who is waited for at a start from nothing: everybody who can speak of the instrument, or against it."""
        measures = {
            source
            for check in self.checks
            if instrument.symbol in (check.numerator, check.denominator)
            for source in check.sources
        }
        return tuple(source for source in self.feeds if source in measures or source in instrument.all_sources)


async def ask(fetcher: Fetching, feed: Feed, codes: Sequence[str], now: datetime) -> Reply:
    """What `feed` says of `codes` at `now`, one request after the other.

    A fault in a part of an answer that nobody asked for is none. Raises SourceError where nothing came, and asks no
    further where the source itself is in trouble.
    """
    return await _ask(fetcher, feed, codes, feed.adapter.requests(codes, now))


async def ask_earlier(fetcher: Fetching, feed: Feed, codes: Sequence[str], day: date) -> Reply:
    """What `feed` says of `codes` on `day`, nothing where it can only be asked for its newest. Raises as `ask` does."""
    earlier = feed.adapter.earlier
    return await _ask(fetcher, feed, codes, earlier(codes, day)) if earlier else Reply(())


async def _ask(fetcher: Fetching, feed: Feed, codes: Sequence[str], requests: Sequence[Request]) -> Reply:
    ticks: list[Tick] = []
    skipped: list[Skipped] = []
    failure: SourceError | None = None
    for request in requests:
        try:
            found = await _answer(fetcher, feed, request)
        except SourceError as error:
            if not request.optional or error.reason is Reason.RATE_LIMITED:
                # Drop the traceback: it forms a reference cycle with the frames that hold the error.
                failure = failure or error.with_traceback(None)
            if error.reason not in _OF_ONE_ANSWER:
                break
        else:
            ticks += found.ticks
            skipped += found.skipped
    known = {tick.symbol for tick in ticks}
    unread = (row.error() for code in codes if code not in known for row in skipped if row.symbol == code)
    failure = failure or next(unread, None)
    if failure is None or ticks:
        return Reply(tuple(ticks), failure, tuple(skipped))
    try:
        raise failure
    finally:
        failure = None  # for the same reason


async def _answer(fetcher: Fetching, feed: Feed, request: Request) -> Extract:
    answer = await fetcher.get(feed.call(request))
    # Whoever reads the page meanwhile is answered between two of its rows.
    big = len(answer.body) >= _BIG
    return await asyncio.to_thread(read, feed, answer.body) if big else read(feed, answer.body)


def read(feed: Feed, body: bytes) -> Extract:
    """What `body`, an answer of `feed`, says; each tick with the digest of the bytes it came in. Raises SourceError."""
    found = feed.adapter.parse(body)
    digest = AnswerDigest(hashlib.sha256(body).hexdigest(), len(body))
    return Extract(tuple(replace(tick, answer=digest) for tick in found.ticks), found.skipped)
