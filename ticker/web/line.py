"""One instrument's past: `/v1/quotes/{symbol}/history` and the sparkline."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from ticker.history import INTERVALS, Stretch
from ticker.quotes import EPOCH
from ticker.render import Representation
from ticker.render.picture import modified, picture_of
from ticker.render.series import FORMATS
from ticker.web import parameters
from ticker.web.answers import ready
from ticker.web.context import CONTEXT
from ticker.web.moments import moment
from ticker.web.negotiation import format_of, varied
from ticker.web.past import answered, before_history, told
from ticker.web.problems import Problem, nearest

if TYPE_CHECKING:
    from aiohttp import web

    from ticker.history import Line
    from ticker.quotes import Instrument

LIMIT, MOST = 1000, 5000
CURSOR = re.compile(r"[0-9a-f]{1,14}")
DAYS, MOST_DAYS = 30, 3660
# Finer than a pixel of the picture shows nothing more.
_HOURLY_UP_TO = 5


async def history(request: web.Request) -> web.Response:
    """`GET /v1/quotes/{symbol}/history`: the line of one instrument."""
    parameters.only(request, ("from", "to", "interval", "limit", "cursor", "format"))
    instrument = _instrument(request)
    ask = _stretch(request, instrument.symbol)
    context, head, coding = request.app[CONTEXT], _head(request, ask), request.headers.get("Accept-Encoding", "")
    content_type, write = FORMATS[format_of(request)]

    def make(line: Line) -> Representation:
        body = write(line, {**head, "next": _cursor(line.onward)})
        return ready(Representation(body, content_type, modified(line) or context.clock()), coding)

    line, made = await told(context.history.line(ask, make))
    if not line.points and ask.onward is None and _ends_before(ask.last, line.since):
        raise await before_history(request, [ask.symbol], "to" if ask.last else "symbol")
    response = varied(request, answered(request, made, _end(ask.last)))
    if line.onward is not None:
        onward = request.rel_url.update_query(cursor=_cursor(line.onward) or "")
        response.headers["Link"] = f'<{onward}>; rel="next"'
    return response


async def picture(request: web.Request) -> web.Response:
    """`GET /sparkline/{symbol}.svg`: the last days as a line."""
    parameters.only(request, ("days", "lang"))
    instrument, lang = _instrument(request), parameters.language(request)
    days, now = parameters.whole(request, "days", DAYS, 1, MOST_DAYS), request.app[CONTEXT].clock()
    interval = "1h" if days <= _HOURLY_UP_TO else "1d"
    ask = Stretch(instrument.symbol, now - timedelta(days=days), None, interval, MOST)

    def make(line: Line) -> Representation:
        return picture_of(line, instrument, lang, now)

    _, made = await told(request.app[CONTEXT].history.line(ask, make))
    return answered(request, made, now)


def _instrument(request: web.Request) -> Instrument:
    quotes, symbol = request.app[CONTEXT].snapshot().quotes, request.match_info["symbol"]
    known = {quote.symbol: quote.instrument for quote in quotes}
    if symbol not in known:
        detail = f"no instrument {symbol[:40]!r}; {nearest(symbol, known)}"
        raise Problem(404, detail, parameter="symbol", allowed=list(known))
    return known[symbol]


def _stretch(request: web.Request, symbol: str) -> Stretch:
    first, last = moment(request, "from"), moment(request, "to")
    if first is not None and last is not None and _start(first) > _start(last):
        raise Problem(400, "'from' is later than 'to'", parameter="from")
    interval = parameters.one_of(request, "interval", INTERVALS, "raw")
    cursor = request.query.get("cursor")
    if cursor is not None and not CURSOR.fullmatch(cursor):
        raise Problem(400, "'cursor' is not one that an earlier answer gave as 'next'", parameter="cursor")
    onward = None if cursor is None else EPOCH + timedelta(microseconds=int(cursor, 16))
    return Stretch(symbol, first, last, interval, parameters.whole(request, "limit", LIMIT, 1, MOST), onward)


def _head(request: web.Request, ask: Stretch) -> dict[str, object]:
    demo = {"demo": True} if request.app[CONTEXT].demo else {}
    asked = {name: request.query.get(name) for name in ("from", "to")}
    return {"symbol": ask.symbol, "interval": ask.interval, **asked, **demo}


def _cursor(onward: datetime | None) -> str | None:
    return None if onward is None else f"{(onward - EPOCH) // timedelta(microseconds=1):x}"


def _start(of: date | datetime) -> datetime:
    return of if isinstance(of, datetime) else datetime(of.year, of.month, of.day, tzinfo=UTC)


def _end(last: date | datetime | None) -> datetime | None:
    return None if last is None else _start(last)


def _ends_before(last: date | datetime | None, since: datetime | None) -> bool:
    if last is None or since is None:
        return since is None
    return last < since if isinstance(last, datetime) else last < since.date()
