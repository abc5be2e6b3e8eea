"""What has been answered lately, ready to be answered again for as long as nothing has changed.

Filled by the ordinary path alone: nothing is on the shelf that it has not answered to the same target and the same
wishes. Emptied by every new version, by the hour, and when it is full.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import partial
from time import perf_counter, time
from typing import TYPE_CHECKING

from aiohttp import web

from ticker.board import Board
from ticker.quotes import Snapshot
from ticker.rendering.locales import DEFAULT
from ticker.rendering.renderer import View
from ticker.storage.base import Point
from ticker.web import connections
from ticker.web.context import CONTEXT
from ticker.web.middlewares import policy
from ticker.web.negotiation import preferred, preferred_format
from ticker.web.responses import (
    CODINGS,
    Ready,
    accepted,
    demand,
    freshness,
    lines,
    modified,
    not_modified,
    ready_response,
    response,
    sent,
    unmodified,
    vary,
)

if TYPE_CHECKING:
    from ticker.web.context import Context


# Bytes held; ten thousand variants of three quotes. What a place costs beside what it holds, measured.
LIMIT, _PLACE = 24_000_000, 800
# Different sets of Accept headers remembered; the world's browsers send some hundreds.
_WISHES, _WISH = 2048, 1024
# Answers of 304 that a moment remembers.
_UNCHANGED = 256
_SECOND, _HOUR = timedelta(seconds=1), timedelta(hours=1)
_STATUS = {200: b"HTTP/1.1 200 OK\r\n", 304: b"HTTP/1.1 304 Not Modified\r\n"}
_NEVER = datetime.max.replace(tzinfo=UTC)

Text = str | bytes | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A time during which every answer of a `snapshot` begins alike: none of its fields that tell the time changes.

    `since` and `until` are the clock's; `second` is the machine's own, which `Date` tells. `begins` and `ends` bound
    both where the clock is the machine's.
    """

    snapshot: Snapshot
    hour: datetime
    edition: int
    since: datetime
    until: datetime
    second: int
    begins: float
    ends: float
    telling: dict[str, str]
    openings: dict[str | None, dict[int, bytes]] = field(default_factory=dict)
    unchanged: dict[tuple[str | None, bytes], bytes] = field(default_factory=dict)


class Shelf:
    """Ready answers by target and wishes. `usable` is False where an answer must be made for its very request.

    `wall` says that the clock is the machine's own: then a look at it is one number and makes no date.
    """

    def __init__(
        self,
        board: Board,
        cors_origins: tuple[str, ...],
        *,
        demo: bool = False,
        usable: bool = True,
        wall: bool = False,
        limit: int = LIMIT,
    ) -> None:
        self.usable = usable
        self._board = board
        self._limit = limit
        self._wall = wall
        self._policy = partial(policy, allowed=cors_origins, demo=demo)
        listed = () if "*" in cors_origins else cors_origins
        # As a browser sends them and as aiohttp reads them.
        self.origins: dict[Text, str] = {**{each: each for each in listed}, **{each.encode(): each for each in listed}}
        self._ready: dict[tuple[bytes, str], Ready] = {}
        self._wishes: dict[tuple[Text, Text, Text], str] = {}
        self.held = 0
        self._moment: Moment | None = None

    def present(self, clock: Callable[[], datetime]) -> Moment:
        """The moment that it is now."""
        moment = self._moment
        if (
            self._wall
            and moment is not None
            and moment.begins <= time() < moment.ends
            and moment.edition == self._board.edition
        ):
            return moment
        return self.moment(clock())

    def moment(self, now: datetime) -> Moment:
        """The moment that `now` falls into."""
        moment = self._moment
        if (
            moment is not None
            and moment.since <= now < moment.until
            and moment.edition == self._board.edition
            and moment.second == int(time())
        ):
            return moment
        return self._turn(now)

    def find(self, target: bytes, wishes: str) -> Ready | None:
        """What is ready for that target; ask for the moment first."""
        return self._ready.get((target, wishes))

    def wishes(self, accept: Text, coding: Text, language: Text) -> str:
        """What the three Accept headers come to: format, coding and language."""
        asked = (accept, coding, language)
        found = self._wishes.get(asked)
        if found is None:
            found = _wished(*map(_text, asked))
            # No browser sends as much: who does would have us remember megabytes.
            if sum(len(each or "") for each in asked) <= _WISH:
                if len(self._wishes) >= _WISHES:
                    self._wishes.clear()
                self._wishes[asked] = found
        return found

    def keep(self, target: bytes, wishes: str, each: Ready) -> None:
        """Put an answer of the present moment on the shelf."""
        cost = len(target) + len(each) + _PLACE
        if self.held + cost > self._limit:
            self._empty()
        if cost <= self._limit and (target, wishes) not in self._ready:
            self._ready[target, wishes] = each
            self.held += cost

    def opening(self, moment: Moment, origin: str | None, status: int) -> bytes:
        """The status line and the fields that every answer of the moment has."""
        openings = moment.openings.get(origin)
        if openings is None:
            alike = lines({**moment.telling, **self._policy(origin)})
            openings = moment.openings[origin] = {each: line + alike for each, line in _STATUS.items()}
        return openings[status]

    def unmodified(self, moment: Moment, origin: str | None, each: Ready) -> bytes:
        """A whole answer of 304: one that is given all the time is put together once a moment."""
        asked = (origin, each.described)
        whole = moment.unchanged.get(asked)
        if whole is None:
            whole = unmodified(self.opening(moment, origin, 304), each)
            if len(moment.unchanged) < _UNCHANGED:
                moment.unchanged[asked] = whole
        return whole

    def _empty(self) -> None:
        self._ready.clear()
        self.held = 0

    def _turn(self, now: datetime) -> Moment:
        former, snapshot, second = self._moment, self._board.current(now), int(time())
        hour = now.replace(minute=0, second=0, microsecond=0)
        # What the hour decides is the age of a number that is stale.
        if former is None or former.snapshot is not snapshot or former.hour != hour:
            self._empty()
        fields, changes = freshness(snapshot.generated_at, now, self._board.next_change(now))
        telling = {"Date": formatdate(second, usegmt=True), **fields}
        until = min(changes, hour + _HOUR, self._board.turns_at or _NEVER)
        ends = min(second + 1.0, until.timestamp())
        self._moment = Moment(snapshot, hour, self._board.edition, now, until, second, now.timestamp(), ends, telling)
        return self._moment


def _wished(accept: str, coding: str, language: str) -> str:
    return f"{preferred_format(accept)} {accepted(coding, CODINGS)} {preferred(language) or DEFAULT}"


def _text(value: Text) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value or ""


# Answering with the board as it stands: what is on the shelf, else what a handler has made, which goes there.


_METHODS = ("GET", "HEAD")


def found(request: web.BaseRequest, context: Context) -> web.StreamResponse | None:
    """What is ready for the request, counted; None where the application has to be asked."""
    began, shelf, headers = perf_counter(), context.shelf, request.headers
    if not shelf.usable or request.method not in _METHODS or not connections.believed(request):
        return None
    if "Expect" in headers or "If-Match" in headers or "If-Unmodified-Since" in headers:
        return None
    moment = shelf.present(context.clock)
    each = shelf.find(_target(request), _wishes(request, context))
    if each is None:
        return None
    answered = _answered(request, context, moment, each)
    context.traffic.note(each.route, request.method, answered.status, perf_counter() - began)
    return answered


def current(
    request: web.Request,
    snapshot: Snapshot,
    view: View,
    fields: Mapping[str, str],
    *,
    formats: bool,
    past: Mapping[str, Sequence[Point]],
) -> web.StreamResponse:
    """The view of a board that was the present one just now, on the shelf from here on.

    `fields` are those of the route; with `formats`, `Accept` had a say in the format; `past` are the lines to draw.
    """
    context, now = request.app[CONTEXT], request.app[CONTEXT].clock()
    shelf, made = context.shelf, context.renderer.render(snapshot, view, past)
    moment, wishes = shelf.moment(now), _wishes(request, context)
    varied = ["Accept"] if formats else []
    varied += [vary(request)] + (["Origin"] if "*" not in context.cors_origins else [])
    fields = {"Vary": ", ".join(varied), **fields}
    if moment.snapshot is not snapshot or view.hour not in {None, moment.hour}:
        # Time has passed it by since it was asked for: an answer like any other, but none to be repeated.
        return sent(request, made, {**freshness(made.modified, now, now)[0], **fields})
    each = ready_response(_route(request), made, wishes.split()[1], fields)
    if shelf.usable:
        shelf.keep(_target(request), wishes, each)
    return _answered(request, context, moment, each)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""


def _answered(request: web.BaseRequest, context: Context, moment: Moment, each: Ready) -> web.StreamResponse:
    origin = context.shelf.origins.get(request.headers.get("Origin"))
    demand(request, each.etag, moment.snapshot.generated_at)
    status = 304 if not_modified(request, each.etag, moment.snapshot.generated_at) else 200
    if status == 304:  # noqa: PLR2004
        whole = context.shelf.unmodified(moment, origin, each)
    else:
        whole = modified(context.shelf.opening(moment, origin, status), each, body=request.method == "GET")
    last = context.process_health.draining or connections.last(request)
    return response(request, status, whole, last=last, more=bool(context.limiter.rate))


def _target(request: web.BaseRequest) -> bytes:
    return request.raw_path.encode("utf-8", "surrogateescape")


def _wishes(request: web.BaseRequest, context: Context) -> str:
    headers = request.headers
    return context.shelf.wishes(headers.get("Accept"), headers.get("Accept-Encoding"), headers.get("Accept-Language"))
