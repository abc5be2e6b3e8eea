"""Answers cut from the board as it stands, ready to be sent again for as long as nothing has changed.

Only the ordinary path fills the cache: it holds nothing that a handler has not answered to the same target and the same
preferences. A new snapshot and each full hour empty it; when it is full, what was used longest ago goes. A message is
its opening, which all answers of an epoch share (status, date, freshness, CORS), and what its version alone decides.
The fast path and the ordinary one both look up, decide 304 and compose by calling `ResponseCache.answer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http import HTTPStatus
from time import time

from cachetools import FIFOCache, LRUCache

from ticker.board import Board
from ticker.quotes import Snapshot
from ticker.rendering.locales import DEFAULT
from ticker.rendering.representation import Representation
from ticker.web.headers import (
    Freshness,
    cross_origin,
    freshness,
    lines,
    preferred_coding,
    preferred_format,
    preferred_language,
    status_of,
)

# Bytes held: some six thousand variants of three quotes. And what an entry costs beside its own bytes, measured.
MAX_BYTES, _ENTRY_BYTES = 16_000_000, 1_000
# Different sets of Accept headers remembered (the world's browsers send some hundreds), and how long they may be.
_MAX_PREFERENCES, _PREFERENCES_LENGTH = 2048, 1024
_HOUR = timedelta(hours=1)
_NEVER = datetime.max.replace(tzinfo=UTC)
_END = b"\r\n"
# As a number: to ask an enumeration for it takes as long as the rest of a message.
_NOT_MODIFIED = 304

# The value of a header: bytes on the fast path, text behind aiohttp's parser, None where there is none.
HeaderValue = str | bytes | None


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """One representation in one coding: the fields that a 304 repeats, those of the body, and the body.

    `route` is the pattern under which the answer is counted. `shared` says that a cache which goes by the address alone
    may keep it: no preference of the client chose it, or it is what a client without preferences gets.
    """

    route: str
    etag: str
    modified: datetime
    head: bytes
    body_head: bytes
    body: bytes
    shared: bool

    def message(self, opening: bytes, status: int, *, with_body: bool, extra: bytes = b"") -> bytes:
        """The whole answer: a 304 says nothing of a body, and HEAD gets everything but the body."""
        if status == _NOT_MODIFIED:
            return b"".join((opening, extra, self.head, _END))
        return b"".join((opening, extra, self.head, self.body_head, self.body if with_body else b""))


def cached_response(
    route: str,
    made: Representation,
    coding: str,
    fields: Mapping[str, str],
    *,
    shared: bool,
    modified: datetime | None = None,
) -> CachedResponse:
    """`made` in `coding`, or as it is where a coding is not worth it; `fields` are those that a 304 repeats.

    `modified` is when it last changed, where the representation does not know it.
    """
    coding = coding if coding in made.codings else "identity"
    etag, body = made.etag(coding), made.encoded(coding)
    content = {"Content-Type": made.content_type, "Content-Length": str(len(body))}
    if coding != "identity":
        content["Content-Encoding"] = coding
    head = lines({"ETag": etag, **fields})
    return CachedResponse(route, etag, modified or made.modified, head, lines(content) + _END, body, shared)


class Openings:
    """How messages begin: status, date, freshness, and whose scripts may read them."""

    def __init__(self, cors_origins: tuple[str, ...], *, demo: bool) -> None:
        self._cors_origins = cors_origins
        self._demo = {"Ticker-Demo": "true"} if demo else {}

    def opening(self, status: int, told: Freshness, second: int, origin: str | None, *, shared: bool) -> bytes:
        """Everything before the fields of the answer itself; `second` is the Unix time of `Date`."""
        # Many a CDN ignores `Vary`: it may keep only what a client without preferences would get under this address.
        cdn = told.fields["Cache-Control"] if shared else "no-store"
        fields = {"Date": formatdate(second, usegmt=True), **told.fields, "CDN-Cache-Control": cdn}
        line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        return line + lines({**fields, **cross_origin(origin, self._cors_origins), **self._demo})


def changed_at(snapshot: Snapshot) -> datetime:
    """When an answer cut from the snapshot last changed: with its numbers, or when a source said one of them again."""
    checked = (quote.checked_at for quote in snapshot.quotes if quote.checked_at is not None)
    return max((snapshot.generated_at, *checked))


@dataclass(frozen=True, slots=True)
class CacheEpoch:
    """A time in which all answers cut from `snapshot` begin alike, since no field that tells the time changes.

    `since` and `until` are by the service's clock; `second` is the machine's own, which `Date` tells. `begins` and
    `ends` bound both as Unix times, where the service's clock is the machine's. `openings` are made when first needed.
    """

    snapshot: Snapshot
    hour: datetime
    revision: int
    told: Freshness
    since: datetime
    until: datetime
    second: int
    begins: float
    ends: float
    openings: dict[tuple[str | None, int, bool], bytes] = field(default_factory=dict)


class ResponseCache:
    """Answers by target and variant key, in bounded memory.

    `machine_clock` says that the service's clock is the machine's: then to look at it takes a number and no date.
    """

    def __init__(
        self,
        board: Board,
        cors_origins: tuple[str, ...],
        clock: Callable[[], datetime],
        *,
        demo: bool = False,
        default_language: str = DEFAULT,
        negotiate_language: bool = True,
        machine_clock: bool = False,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._board = board
        self._clock = clock
        self._default_language, self._negotiate_language = default_language, negotiate_language
        self._machine_clock = machine_clock
        self._max_bytes = max_bytes
        self.openings = Openings(cors_origins, demo=demo)
        listed = () if "*" in cors_origins else cors_origins
        self._origins: dict[HeaderValue, str] = {each: each for each in listed}
        self._origins |= {each.encode(): each for each in listed}
        self._entries: LRUCache[tuple[bytes, str], CachedResponse] = LRUCache(max_bytes, _held)
        self._variants: FIFOCache[tuple[HeaderValue, HeaderValue, HeaderValue], str] = FIFOCache(_MAX_PREFERENCES)
        self._epoch: CacheEpoch | None = None

    @property
    def held_bytes(self) -> int:
        """The memory that the answers take, as far as it is known."""
        return int(self._entries.currsize)

    def answer(
        self,
        target: bytes,
        variant: str,
        origin: HeaderValue,
        if_none_match: HeaderValue,
        if_modified_since: HeaderValue,
    ) -> tuple[CachedResponse, int, bytes] | None:
        """What was answered to that target and variant before, its status now, and its opening; None for nothing."""
        epoch = self.epoch()
        try:
            each = self._entries[target, variant]
        except KeyError:
            return None
        return self._decided(epoch, each, origin, if_none_match, if_modified_since)

    def decide(
        self, each: CachedResponse, origin: HeaderValue, if_none_match: HeaderValue, if_modified_since: HeaderValue
    ) -> tuple[CachedResponse, int, bytes]:
        """The same for an answer that a handler has made in the present epoch."""
        return self._decided(self.epoch(), each, origin, if_none_match, if_modified_since)

    def variant(self, accept: HeaderValue, accept_encoding: HeaderValue, accept_language: HeaderValue) -> str:
        """What the three Accept headers come to: format, coding and language."""
        asked = (accept, accept_encoding, accept_language)
        try:
            return self._variants[asked]
        except KeyError:
            found = self._variant_of(*(_text(each) or "" for each in asked))
        # No browser sends longer ones: whoever does would have the service remember megabytes.
        if sum(len(each or "") for each in asked) <= _PREFERENCES_LENGTH:
            self._variants[asked] = found
        return found

    def keep(self, target: bytes, variant: str, each: CachedResponse) -> None:
        """Keep an answer of the present epoch."""
        if _held(each) + len(target) <= self._max_bytes:
            self._entries[target, variant] = each

    def epoch(self) -> CacheEpoch:
        """The epoch that it is now."""
        epoch = self._epoch
        if epoch is None or epoch.revision != self._board.revision:
            return self._begin(self._clock())
        if self._machine_clock:
            return epoch if epoch.begins <= time() < epoch.ends else self._begin(self._clock())
        now = self._clock()
        same = epoch.since <= now < epoch.until and epoch.second == int(time())
        return epoch if same else self._begin(now)

    def _variant_of(self, accept: str, accept_encoding: str, accept_language: str) -> str:
        preferred = preferred_language(accept_language) if self._negotiate_language else None
        language = preferred or self._default_language
        return f"{preferred_format(accept)} {preferred_coding(accept_encoding)} {language}"

    def _begin(self, now: datetime) -> CacheEpoch:
        former, snapshot, second = self._epoch, self._board.current(now), int(time())
        hour = now.replace(minute=0, second=0, microsecond=0)
        # The hour decides how old a stale number is said to be.
        if former is None or former.snapshot is not snapshot or former.hour != hour:
            self._entries.clear()
        told = freshness(changed_at(snapshot), now, self._board.next_change(now), snapshot.valid_until)
        until = min(told.changes_at, hour + _HOUR, self._board.turns_at or _NEVER)
        ends = min(second + 1.0, until.timestamp())
        revision = self._board.revision
        self._epoch = CacheEpoch(snapshot, hour, revision, told, now, until, second, now.timestamp(), ends)
        return self._epoch

    def _decided(
        self,
        epoch: CacheEpoch,
        each: CachedResponse,
        origin: HeaderValue,
        if_none_match: HeaderValue,
        if_modified_since: HeaderValue,
    ) -> tuple[CachedResponse, int, bytes]:
        status = 200
        if if_none_match is not None or if_modified_since is not None:
            status = status_of(each.etag, each.modified, _text(if_none_match), _text(if_modified_since))
        listed = self._origins.get(origin)
        key = (listed, status, each.shared)
        opening = epoch.openings.get(key)
        if opening is None:
            opening = self.openings.opening(status, epoch.told, epoch.second, listed, shared=each.shared)
            epoch.openings[key] = opening
        return each, status, opening


def _held(each: CachedResponse) -> int:
    return len(each.head) + len(each.body_head) + len(each.body) + _ENTRY_BYTES


def _text(value: HeaderValue) -> str | None:
    return value.decode("ascii") if isinstance(value, bytes) else value
