"""The pages for people, and what others make of a link to them: cards, a feed, robots.txt and llms.txt."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from aiohttp import web
from cachetools import TTLCache

from ticker.convert import codes
from ticker.corrections import Correction, correction_of
from ticker.quotes import PriceType, Quote, Snapshot
from ticker.rendering import reference
from ticker.rendering.chart import RANGES, ChartFrame, ChartPoint, chart_points, history_chart
from ticker.rendering.embeds import COLOURS, SIZES, THEMES, WidgetChoice
from ticker.rendering.html import STYLES, shown_quotes
from ticker.rendering.locales import locale_of
from ticker.rendering.representation import HTML, Representation
from ticker.rendering.schemas import name_of
from ticker.rendering.site import Converted, Drawing, Sheet, SourceState, card, feed
from ticker.rendering.words import PAGE_LANGUAGES, page_language, reference_words, words_for
from ticker.storage.base import StoreError
from ticker.storage.history import Series, TimeRange
from ticker.web import parameters
from ticker.web.context import CONTEXT, Context
from ticker.web.handlers import conversion
from ticker.web.history import read_or_problem, recent
from ticker.web.openapi import OPERATIONS, document_of
from ticker.web.problems import Problem, fragment_safe
from ticker.web.responses import respond, respond_current

# The history charts of the page: each is drawn off the loop, and remembered for half a minute.
_KEPT, _REMEMBERED_SECONDS = 256, 30
# Points asked for: more than any range has at its interval.
_MOST_POINTS = 5000
# How far before a chart's first day the number may be from that still holds on it: no market rests longer.
_BEFORE = timedelta(days=14)
_SHORTEST = timedelta(days=2)
_INTERVALS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "1w": timedelta(days=7)}


class Charts:
    """Draws the charts that a page shows."""

    def __init__(self) -> None:
        self._drawn: TTLCache[Hashable, Drawing] = TTLCache(_KEPT, _REMEMBERED_SECONDS)

    async def drawn(self, context: Context, snapshot: Snapshot, span: str, lang: str) -> tuple[Drawing, ...] | None:
        """One of each instrument over `span`, a key of RANGES, up to the number on the board; None without a store."""
        try:
            return tuple([await self._of(context, quote, span, lang) for quote in snapshot.quotes])
        except StoreError:
            return None

    async def _of(self, context: Context, quote: Quote, span: str, lang: str) -> Drawing:
        key = (quote.symbol, span, lang, quote.as_of, quote.price, quote.status)
        if key not in self._drawn:
            self._drawn[key] = await _drawn(context, quote, span, lang)
        return self._drawn[key]


CHARTS = web.AppKey("charts", Charts)


async def _drawn(context: Context, quote: Quote, span: str, lang: str) -> Drawing:
    length, interval = RANGES[span]
    calendar = context.settings.calendar_of(quote.symbol)
    now = context.clock().astimezone(calendar.zone)
    first = None if length is None else now - length
    steps = quote.price_type is PriceType.FIXING
    asked = None if first is None else first - _BEFORE if steps else first
    # What is published for tomorrow is in the store already, and no number of today's.
    ask = TimeRange(quote.symbol, asked, now, interval, _MOST_POINTS)
    locale = locale_of(lang)

    def make(line: Series) -> str:
        points = chart_points(line.points, quote.instrument, calendar, now, _INTERVALS[interval])
        points = _with_the_present(points, quote, now)
        if first is not None:
            before = [point for point in points if point.at <= first]
            points = [*before[-1:], *(point for point in points if point.at > first)]
        if not points:
            return ""
        title = f"{name_of(quote.instrument, locale)}, {words_for(locale)[span].lower()}"
        # A history that is shorter than the period fills the picture all the same; its dates are written below it.
        began = max(first or points[0].at, min(points[0].at, now - _SHORTEST)).astimezone(calendar.zone)
        return history_chart(points, ChartFrame(title, began, now, quote.instrument.decimals, locale, steps))

    _, svg = await context.history.line(ask, make)
    return Drawing(quote.symbol, svg, str(calendar.zone))


def _with_the_present(points: list[ChartPoint], quote: Quote, now: datetime) -> list[ChartPoint]:
    """The points and, where the store has it not yet, the number on the board; where that has none, nothing goes on."""
    if quote.price is None and points:
        return [*points[:-1], replace(points[-1], gone_from=points[-1].at)]
    if quote.price is None or quote.as_of is None or quote.as_of > now:
        return points
    earlier = [point for point in points if point.at < quote.as_of]
    if earlier:
        # The number that followed has come: what was missing until now is missing no more.
        last = earlier[-1]
        earlier[-1] = replace(
            last,
            stale_from=_until(last.stale_from, quote.as_of),
            gone_from=_until(last.gone_from, quote.as_of),
        )
    stale_from = now if quote.fresh_until is None else quote.fresh_until
    return [
        *earlier,
        ChartPoint(quote.as_of, quote.price, quote.fallback, stale_from if stale_from < now else None),
    ]


def _until(moment: datetime | None, end: datetime) -> datetime | None:
    return moment if moment is not None and moment < end.astimezone(UTC) else None


# `GET /`, `GET /frame` and `GET /docs`: the pages for people.

T = TypeVar("T")

_NOTHING = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
# A page for people: no window that opened it reaches in, and no site takes its text for its own.
PAGE = {
    "Permissions-Policy": _NOTHING,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The one page that other sites may frame, isolated ones too; it can do no more than show numbers.
_FRAMED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *",
    "Permissions-Policy": _NOTHING,
    "Cross-Origin-Embedder-Policy": "require-corp",
}
# Entries of the public record that the page shows.
_NEWEST = 5
# What the converter shows where nothing was asked of it.
_AMOUNT = "100"


async def page(request: web.Request) -> web.StreamResponse:
    """`GET /`: the header as a news site has it, every option and the code to embed it, and what stands behind it."""
    context = request.app[CONTEXT]
    snapshot, today = context.snapshot(), context.history.today()
    choice = _choice(request, snapshot)
    lang = parameters.one_of(request, "ui", PAGE_LANGUAGES, page_language(choice.lang))
    day = _day_of(request)
    then = None if day is None else await read_or_problem(context.history.board(day))
    span = parameters.one_of(request, "range", RANGES, "1m")
    sheet = Sheet(
        choice,
        lang,
        sources(context),
        span,
        await request.app[CHARTS].drawn(context, snapshot, span, lang),
        day,
        await _since(context, snapshot),
        today,
        _converted(request, then or snapshot),
        tuple(codes(snapshot.quotes)),
        # A form whose boxes are all empty sends no symbol at all.
        none_chosen="form" in request.query and not choice.symbols,
        evidence=True,
        corrections=await _corrections(context, snapshot),
    )
    lines = await recent(context, snapshot, choice.style)
    return _answer(request, snapshot, context.renderer.site.page(snapshot, sheet, lines, then), PAGE)


@fragment_safe
async def frame(request: web.Request) -> web.StreamResponse:
    """`GET /frame`: the widget alone, for an iframe on any site."""
    context = request.app[CONTEXT]
    snapshot = context.snapshot()
    choice = _choice(request, snapshot)
    lines = await recent(context, snapshot, choice.style)
    return _answer(request, snapshot, context.renderer.site.frame(snapshot, choice, lines), _FRAMED)


def sources(context: Context) -> tuple[SourceState, ...]:
    """The sources as they stand."""
    return tuple(
        SourceState(
            id=name,
            feeds=context.settings.instruments_fed(name) + context.settings.checks_fed(name),
            up=health.up,
            reason=str(health.reason) if health.reason else None,
            last_success=health.last_success,
            terms=context.settings.sources[name].terms_url,
        )
        for name, health in context.health.items()
        if name in context.settings.sources
    )


def _choice(request: web.Request, snapshot: Snapshot) -> WidgetChoice:
    # A shared link carries parameters of others (`utm_source`, `fbclid`): a page ignores what it does not know.
    # A form's checkboxes each send their own `symbols`.
    return WidgetChoice(
        parameters.symbols(request, snapshot),
        parameters.language(request),
        parameters.one_of(request, "style", STYLES, "plain"),
        parameters.one_of(request, "theme", THEMES, "auto"),
        parameters.one_of(request, "size", SIZES, "normal"),
        parameters.one_of(request, "colours", COLOURS, "text"),
    )


def _day_of(request: web.Request) -> date | None:
    """The day that the page is asked of; an empty field asks for now."""
    at = parameters.moment(request, "at") if request.query.get("at") else None
    return at.date() if isinstance(at, datetime) else at


def _converted(request: web.Request, snapshot: Snapshot) -> Converted | None:
    """What the converter shows; None where there is nothing to convert between."""
    known = codes(snapshot.quotes)
    if not known:
        return None
    quote = snapshot.quotes[0].instrument
    amount = request.query.get("amount", _AMOUNT).strip().replace(",", ".")[:60]
    asked = Converted(amount, request.query.get("from", quote.base), request.query.get("to", quote.quote))
    if not {asked.origin, asked.to} <= set(known):
        return Converted(amount, quote.base, quote.quote, failed=True)
    try:
        found = conversion(snapshot, amount, asked.origin, asked.to, 2)
    except Problem:
        return replace(asked, failed=True)
    as_of = datetime.fromisoformat(found.as_of) if found.as_of else None
    return replace(asked, result=None if found.result is None else format(found.result, "f"), as_of=as_of)


async def _since(context: Context, snapshot: Snapshot) -> date | None:
    """From when on there is a past to look at; none while the store cannot be read."""
    try:
        since = await context.history.since([quote.symbol for quote in snapshot.quotes])
    except StoreError:
        return None
    return None if since is None else since.date()


async def _corrections(context: Context, snapshot: Snapshot) -> tuple[Correction, ...]:
    """The newest of the public record; none while the store cannot be read."""
    try:
        entries = await context.records.corrections([quote.symbol for quote in snapshot.quotes], None, None, _NEWEST)
    except StoreError:
        return ()
    return tuple(correction_of(each.text) for each in entries)


def _answer(
    request: web.Request, snapshot: Snapshot, made: Representation, fields: Mapping[str, str]
) -> web.StreamResponse:
    board, now = request.app[CONTEXT].board, request.app[CONTEXT].clock()
    return respond(request, made, board.next_change(now), fields, valid_until=snapshot.valid_until)


# `GET /docs`: the reference of the API as a page.


async def docs(request: web.Request) -> web.StreamResponse:
    """The page, with no file from another host."""
    language, context = parameters.language(request).partition("-")[0], request.app[CONTEXT]
    lang = language if language in PAGE_LANGUAGES else "en"
    snapshot, now = context.snapshot(), context.clock()

    def made() -> Representation:
        document, html = document_of(context), context.renderer.html
        body = reference.page(document, html, reference_words(lang), lang=lang, demo=context.demo)
        return Representation(body, HTML, snapshot.generated_at)

    return respond(request, context.renderer.steady(("docs", lang), made), context.board.next_change(now), PAGE)


# What others make of a link: cards for messengers, a feed, and what crawlers and language models are told.

_TEXT = "text/plain; charset=utf-8"
# Of the pages one is enough; the API is for programs that know what they want.
_ROBOTS = "User-agent: *\nAllow: /$\nAllow: /?lang=\nAllow: /card\nAllow: /docs\nAllow: /llms.txt\nDisallow: /\n"


async def picture(request: web.Request) -> web.StreamResponse:
    """`GET /card.png` and `GET /card/{symbol}.png`: the numbers as a picture, each with its date."""
    parameters.only(request, ("lang",))
    context = request.app[CONTEXT]
    snapshot, lang = context.snapshot(), page_language(parameters.language(request))
    symbols = (parameters.instrument(request, snapshot).symbol,) if "symbol" in request.match_info else ()
    quotes = shown_quotes(snapshot, symbols)
    made = await asyncio.to_thread(card, snapshot, quotes, context.renderer.html, locale_of(lang))
    return respond_current(request, snapshot, made)


async def atom(request: web.Request) -> web.StreamResponse:
    """`GET /feed.atom`: the day's fixings."""
    parameters.only(request, ("lang",))
    context = request.app[CONTEXT]
    snapshot, lang = context.snapshot(), parameters.language(request)
    return respond_current(request, snapshot, feed(snapshot, context.renderer.html, locale_of(lang)))


async def robots(request: web.Request) -> web.StreamResponse:
    """`GET /robots.txt`: the page and the reference may be found; numbers of the moment are no search results."""
    context = request.app[CONTEXT]
    made = Representation(_ROBOTS.encode(), _TEXT, context.snapshot().generated_at)
    return respond(request, context.renderer.steady("robots", lambda: made), context.board.next_change(context.clock()))


async def llms(request: web.Request) -> web.StreamResponse:
    """`GET /llms.txt`: what this is, for language models; of the configuration and the API alone."""
    context = request.app[CONTEXT]
    snapshot = context.snapshot()

    def made() -> Representation:
        english, instruments = locale_of("en"), (quote.instrument for quote in snapshot.quotes)
        named = [(each, name_of(each, english)) for each in instruments]
        text = context.renderer.html.fill(
            "llms.txt", english, demo=context.demo, instruments=named, operations=OPERATIONS
        )
        return Representation(f"{text}\n".encode(), _TEXT, snapshot.generated_at)

    return respond(request, context.renderer.steady("llms", made), context.board.next_change(context.clock()))
