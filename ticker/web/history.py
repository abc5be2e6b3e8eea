"""The past: the board as it stood (`at=`), histories and sparklines, the evidence of a number, and corrections."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from types import MappingProxyType
from typing import TypeVar

from aiohttp import web

from ticker.corrections import MATERIAL, Correction, correction_of, summary
from ticker.evidence import published
from ticker.quotes import EPOCH, Instrument, PriceType, Quote, Snapshot
from ticker.rendering.chart import came_in, sparkline_file
from ticker.rendering.formats import CONTENT_TYPES, Form, HistoryResult, write_histories, write_history
from ticker.rendering.locales import DEFAULT, locale_of
from ticker.rendering.renderer import View
from ticker.rendering.representation import JSON, Representation, to_json
from ticker.rendering.schemas import (
    CorrectionSchema,
    CorrectionsSchema,
    EvidenceSchema,
    HistorySchema,
    stamp,
)
from ticker.rendering.site import ATOM, FeedEntry
from ticker.storage.base import Point, StoreError
from ticker.storage.history import INTERVALS, Series, TimeRange
from ticker.web import parameters
from ticker.web.context import CONTEXT, Context
from ticker.web.headers import preferred_coding
from ticker.web.parameters import dialect_of, format_of, moment
from ticker.web.problems import Problem
from ticker.web.responses import respond

T = TypeVar("T")

# What is settled may still be corrected; what is recent is still being written.
_SETTLED, _SETTLED_SECONDS, _RECENT_SECONDS = timedelta(days=2), 3600, 30


async def snapshot(request: web.Request) -> Snapshot:
    """The board as it stood at `at`, or as it stands now where that is not asked."""
    context, at = request.app[CONTEXT], moment(request, "at")
    if at is None:
        return context.snapshot()
    found = await read_or_problem(context.history.board(at))
    return context.board.overrides.applied(found, found.generated_at)


async def stood(request: web.Request, board: Snapshot, view: View, fields: Mapping[str, str]) -> web.StreamResponse:
    """The view of a board out of history. Raises a Problem (404) where history does not reach back to it."""
    asked = [q for q in board.quotes if not view.symbols or q.symbol in view.symbols]
    if all(quote == Quote(quote.instrument) for quote in asked):
        raise await before_history(request, [quote.symbol for quote in asked], "at")
    # The picture is of the days before that moment.
    past = await recent(request.app[CONTEXT], board, view.style, board.generated_at)
    made = request.app[CONTEXT].renderer.render_uncached(board, view, past)
    known = max((quote.fetched_at for quote in asked if quote.fetched_at), default=board.generated_at)
    return answered(request, replace(made, modified=known), board.generated_at, fields)


async def recent(
    context: Context, snapshot: Snapshot, style: str, until: datetime | None = None
) -> Mapping[str, Sequence[Point]]:
    """The last days of each instrument, before `until` or before now, where the style draws them.

    Numbers wait for no store that fails.
    """
    if style != "sparkline":
        return {}
    try:
        return await context.history.recent([quote.symbol for quote in snapshot.quotes], until)
    except StoreError:
        return {}


async def read_or_problem(asked: Awaitable[T]) -> T:
    """What history answers. Raises a Problem (503) where the store fails."""
    try:
        return await asked
    except StoreError:
        raise Problem(503, "history cannot be read just now; the current numbers go on") from None


def answered(
    request: web.Request,
    made: Representation,
    until: datetime | None,
    fields: Mapping[str, str] = MappingProxyType({}),
) -> web.StreamResponse:
    """What ends at `until` may be kept long once that is past, and shortly before."""
    now = request.app[CONTEXT].clock()
    settled = until is not None and until < now - _SETTLED
    keep = timedelta(seconds=_SETTLED_SECONDS if settled else _RECENT_SECONDS)
    return respond(request, made, now + keep, fields)


async def before_history(request: web.Request, symbols: Sequence[str], parameter: str) -> Problem:
    """The Problem (404) that says from when on there is history of `symbols`."""
    since = await read_or_problem(request.app[CONTEXT].history.since(symbols))
    names = ", ".join(symbols)
    if since is None:
        return Problem(404, f"there is no history of {names} yet", parameter=parameter, since=None)
    detail = f"history of {names} begins on {since.isoformat(timespec='seconds')}"
    return Problem(404, detail, parameter=parameter, since=since.isoformat(timespec="seconds"))


# One instrument's past: `/v1/quotes/{symbol}/history` and the sparkline.

LIMIT, MOST = 1000, 5000
ORDERS = ("asc", "desc")
CURSOR = re.compile(r"-?[0-9a-f]{1,14}")
# Points of one answer, of all instruments together.
MOST_TOGETHER = 50_000
DAYS, MOST_DAYS = 30, 3660
# Finer than a pixel of the picture shows nothing more.
_HOURLY_UP_TO = 5


_RANGE = ("from", "to", "interval", "limit", "order", "source", "price_type")
_WRITTEN = ("format", "dialect", "lang")


async def history(request: web.Request) -> web.StreamResponse:
    """`GET /v1/quotes/{symbol}/history`: the series of one instrument."""
    parameters.only(request, (*_RANGE, "cursor", *_WRITTEN))
    context = request.app[CONTEXT]
    instrument = parameters.instrument(request, context.snapshot())
    ask = _stretch(request, instrument, instrument.all_sources)
    form = Form(format=format_of(request), dialect=dialect_of(request))
    coding, lang = request.headers.get("Accept-Encoding", ""), _language(request, form)

    def make(line: Series) -> Representation:
        body = write_history(HistoryResult(_head(request, ask, line), line.points), form, lang)
        return _compressed(body, form, came_in(line.points) or context.clock(), coding)

    line, made = await read_or_problem(context.history.line(ask, make))
    if not line.points and ask.onward is None and _ends_before(ask.last, line.since):
        raise await before_history(request, [ask.symbol], "to" if ask.last else "symbol")
    fields = attachment(form, f"{ask.symbol}-history")
    if line.onward is not None:
        onward = request.rel_url.update_query(cursor=_cursor(line.onward) or "")
        fields["Link"] = f'<{onward}>; rel="next"'
    return answered(request, made, _end(ask.last), fields)


async def histories(request: web.Request, fixed: str | None = None) -> web.StreamResponse:
    """`GET /v1/history`: the series of several instruments; `.csv` and `.ndjson` whatever `Accept` says."""
    taken = {None: _WRITTEN, "csv": ("dialect", "lang"), "ndjson": ()}[fixed]
    parameters.only(request, ("symbols", *_RANGE, *taken))
    form = Form(format=fixed or format_of(request), dialect=dialect_of(request))
    context, coding, lang = request.app[CONTEXT], request.headers.get("Accept-Encoding", ""), _language(request, form)
    snapshot = context.snapshot()
    asked = parameters.symbols(request, snapshot) or tuple(quote.symbol for quote in snapshot.quotes)
    instruments = [quote.instrument for quote in snapshot.quotes if quote.symbol in asked]
    sources = tuple(dict.fromkeys(source for each in instruments for source in each.all_sources))
    asks = [_stretch(request, each, sources) for each in instruments]
    asks.sort(key=lambda ask: asked.index(ask.symbol))
    if sum(ask.limit for ask in asks) > MOST_TOGETHER:
        detail = f"'limit' times {len(asks)} symbols is more than {MOST_TOGETHER} points: ask for fewer of either"
        raise Problem(400, detail, parameter="limit")
    found: list[HistoryResult] = []
    for ask in asks:
        line, head = await read_or_problem(context.history.line(ask, partial(_head, request, ask)))
        found.append(HistoryResult(head, line.points))
    points = [point for each in found for point in each.points]

    def make() -> Representation:
        body = write_histories(found, form, lang, demo=context.demo)
        return _compressed(body, form, came_in(points) or context.clock(), coding)

    made = await asyncio.to_thread(make)
    return answered(request, made, _end(asks[0].last if asks else None), attachment(form, "history"))


def attachment(form: Form, name: str) -> dict[str, str]:
    """The field that names the file, where the answer is one that another program opens."""
    excel = form.format == "csv" and form.dialect == "excel"
    return {"Content-Disposition": f'attachment; filename="{name}.csv"'} if excel else {}


def _language(request: web.Request, form: Form) -> str:
    """The language that a table for Excel is written for; it has no say in anything else of a series."""
    if "lang" not in request.query and form.dialect != "excel":
        return DEFAULT
    return parameters.language(request)


def _compressed(body: bytes, form: Form, modified: datetime, coding: str) -> Representation:
    found = Representation(body, CONTENT_TYPES[form.format], modified)
    # Off the loop, as the rest of it: a large answer takes milliseconds to compress.
    found.etag(preferred_coding(coding, found.codings))
    found.encoded(preferred_coding(coding, found.codings))
    return found


async def picture(request: web.Request) -> web.StreamResponse:
    """`GET /sparkline/{symbol}.svg`: the last days as a line."""
    parameters.only(request, ("days", "lang"))
    context, lang = request.app[CONTEXT], parameters.language(request)
    instrument, now = parameters.instrument(request, context.snapshot()), context.clock()
    days = parameters.whole(request, "days", DAYS, 1, MOST_DAYS)
    interval = "1h" if days <= _HOURLY_UP_TO else "1d"
    ask = TimeRange(instrument.symbol, now - timedelta(days=days), None, interval, MOST)

    def make(line: Series) -> Representation:
        return sparkline_file(line.points, instrument, lang, now)

    _, made = await read_or_problem(context.history.line(ask, make))
    return answered(request, made, now)


def _stretch(request: web.Request, instrument: Instrument, sources: Sequence[str]) -> TimeRange:
    first, last = moment(request, "from"), moment(request, "to")
    if first is not None and last is not None and _moment(first, last=False) > _moment(last, last=False):
        raise Problem(400, "'from' is later than 'to'", parameter="from")
    cursor = request.query.get("cursor")
    if cursor is not None and not CURSOR.fullmatch(cursor):
        raise Problem(400, "'cursor' is not one that an earlier answer gave as 'next'", parameter="cursor")
    kind = _chosen(request, "price_type", tuple(map(str, PriceType)))
    return TimeRange(
        instrument.symbol,
        first,
        last,
        parameters.one_of(request, "interval", INTERVALS, "raw"),
        parameters.whole(request, "limit", LIMIT, 1, MOST),
        None if cursor is None else EPOCH + timedelta(microseconds=int(cursor, 16)),
        _chosen(request, "source", sources),
        None if kind is None else PriceType(kind),
        "desc" if parameters.one_of(request, "order", ORDERS, "asc") == "desc" else "asc",
    )


def _chosen(request: web.Request, name: str, allowed: Sequence[str]) -> str | None:
    return parameters.one_of(request, name, allowed, "") if name in request.query else None


def _head(request: web.Request, ask: TimeRange, line: Series) -> HistorySchema:
    return HistorySchema(
        symbol=ask.symbol,
        interval=ask.interval,
        order=ask.order,
        source=ask.source,
        price_type=ask.price_type or next((PriceType(point.price_type) for point in line.points), None),
        from_=request.query.get("from"),
        to=request.query.get("to"),
        next=_cursor(line.onward),
        since=stamp(line.since),
        points=(),
        demo=request.app[CONTEXT].demo,
    )


def _cursor(onward: datetime | None) -> str | None:
    return None if onward is None else f"{(onward - EPOCH) // timedelta(microseconds=1):x}"


def _end(last: date | datetime | None) -> datetime | None:
    return None if last is None else _moment(last, last=False)


def _ends_before(last: date | datetime | None, since: datetime | None) -> bool:
    if last is None or since is None:
        return since is None
    return last < since if isinstance(last, datetime) else last < since.date()


# `GET /v1/quotes/{symbol}/evidence` and `GET /v1/corrections`: why a number is shown, and what stood wrong or late.

_LIMIT, _MOST = 100, 1000
# Of the feed and its entries, wherever it is read (RFC 4287, 4.2.6).
_ID = "urn:market-ticker:corrections"
# What the error record counts where no range is asked for.
_MONTH = timedelta(days=30)


async def evidence(request: web.Request) -> web.StreamResponse:
    """Why this number: every source's newest tick, the verdict on each, the rule that decided."""
    parameters.only(request, ("at",))
    context, symbol = request.app[CONTEXT], request.match_info["symbol"]
    parameters.instrument(request, context.snapshot())
    at = moment(request, "at")
    until = _moment(at, last=True) if at is not None else None
    found = await read_or_problem(context.records.evidence(symbol, until))
    if found is None:
        since = await read_or_problem(context.records.evidence_since(symbol))
        kept = "none is kept yet" if since is None else f"it is kept since {since.isoformat(timespec='seconds')}"
        since_text = None if since is None else since.isoformat(timespec="seconds")
        raise Problem(404, f"there is no evidence of {symbol} at that time; {kept}", parameter="at", since=since_text)
    withheld = {name for name, source in context.settings.sources.items() if not source.publish}
    tree = published(found.text, withheld)
    answer = EvidenceSchema.model_validate({**tree, "demo": context.demo})
    made = Representation(to_json(answer), JSON, found.at)
    return answered(request, made, until)


async def corrections(request: web.Request) -> web.StreamResponse:
    """The public record, the newest first."""
    parameters.only(request, ("symbol", "from", "to", "limit"))
    context = request.app[CONTEXT]
    symbols, first, until = _asked(request, context)
    limit = parameters.whole(request, "limit", _LIMIT, 1, _MOST)
    found = await _read(context, symbols, first, until, limit)
    now = context.clock()
    begun, end = first or now - _MONTH, min(until or now, now)
    # The error record is of the whole range, however few entries were asked for.
    every = await _read(context, symbols, None, end, _MOST)
    counted = summary((each for each in every if (each.until or end) > begun), symbols, begun, end)
    answer = CorrectionsSchema.model_validate(
        {
            "corrections": [CorrectionSchema.read(each, from_=each.since, to=each.until) for each in found],
            "summary": counted,
            "from_": begun,
            "to": end,
            "material": MATERIAL,
            "demo": context.demo,
        }
    )
    newest = max((each.until or each.since for each in found), default=now)
    return answered(request, Representation(to_json(answer), JSON, min(newest, now)), None)


async def atom(request: web.Request) -> web.StreamResponse:
    """The same as an Atom feed (RFC 4287)."""
    parameters.only(request, ("symbol",))
    context = request.app[CONTEXT]
    symbols, _, _ = _asked(request, context)
    found = await _read(context, symbols, None, None, _LIMIT)
    now = context.clock()
    updated = min(max((each.until or each.since for each in found), default=now), now)
    body = context.renderer.html.fill(
        "feed.atom",
        locale_of(DEFAULT),
        id=_ID,
        title="Corrections",
        author="Market ticker",
        updated=updated,
        path="/v1/corrections.atom",
        page=None,
        entries=[_entry(each) for each in found],
    )
    return answered(request, Representation(body.encode(), ATOM, updated), None)


def _entry(one: Correction) -> FeedEntry:
    stood = f"{one.seconds} s" if one.seconds is not None else "still"
    shown = "" if one.shown is None else f" shown {one.shown:f}"
    right = "" if one.right is None else f", right {one.right:f}"
    title = f"{one.symbol}: {one.kind},{shown}{right} ({stood})"
    return FeedEntry(
        id=f"{_ID}:{one.symbol}:{one.id}",
        title=title,
        updated=one.until or one.since,
        path=f"/v1/corrections?symbol={one.symbol}",
        summary=one.note or title,
        published=one.since,
    )


async def _read(
    context: Context, symbols: Sequence[str], first: datetime | None, until: datetime | None, limit: int
) -> list[Correction]:
    entries = await read_or_problem(context.records.corrections(symbols, first, until, limit))
    return [correction_of(each.text) for each in entries]


def _asked(request: web.Request, context: Context) -> tuple[list[str], datetime | None, datetime | None]:
    snapshot = context.snapshot()
    one = [parameters.instrument(request, snapshot).symbol] if "symbol" in request.query else []
    symbols = one or [quote.symbol for quote in snapshot.quotes]
    first, last = moment(request, "from"), moment(request, "to")
    begun = None if first is None else _moment(first, last=False)
    end = None if last is None else _moment(last, last=True)
    if begun is not None and end is not None and begun > end:
        raise Problem(400, "'from' is later than 'to'", parameter="from")
    return symbols, begun, end


def _moment(of: date | datetime, *, last: bool) -> datetime:
    """A day begins and ends in UTC here."""
    if isinstance(of, datetime):
        return of
    return datetime.combine(of, time.max if last else time.min, UTC)
