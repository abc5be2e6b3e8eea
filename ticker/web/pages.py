"""`GET /`, `GET /frame` and `GET /docs`: the pages for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import TypeVar

from aiohttp import web

from ticker.convert import codes
from ticker.corrections import correction_of
from ticker.quotes import Snapshot
from ticker.rendering import reference
from ticker.rendering.chart import RANGES
from ticker.rendering.embeds import COLOURS, SIZES, THEMES, WidgetChoice
from ticker.rendering.html import STYLES
from ticker.rendering.page_words import page_language
from ticker.rendering.representation import HTML, Representation
from ticker.rendering.site import PAGE_LANGUAGES, Converted, CorrectionRow, Sheet, SourceState
from ticker.storage.base import StoreError
from ticker.web import parameters
from ticker.web.charts import CHARTS
from ticker.web.context import CONTEXT, Context
from ticker.web.handlers import conversion
from ticker.web.history import recent, told
from ticker.web.openapi.document import document_of
from ticker.web.problems import Problem, fragment_safe
from ticker.web.responses import respond

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
    then = None if day is None else await told(context.history.board(day))
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


async def _corrections(context: Context, snapshot: Snapshot) -> tuple[CorrectionRow, ...]:
    """The newest of the public record; none while the store cannot be read."""
    try:
        entries = await context.records.corrections([quote.symbol for quote in snapshot.quotes], None, None, _NEWEST)
    except StoreError:
        return ()
    found = (correction_of(each.text) for each in entries)
    return tuple(
        CorrectionRow(one.symbol, one.kind, one.since, one.until, _plain(one.shown), _plain(one.right)) for one in found
    )


def _plain(price: Decimal | None) -> str | None:
    return None if price is None else format(price, "f")


def _answer(
    request: web.Request, snapshot: Snapshot, made: Representation, fields: Mapping[str, str]
) -> web.StreamResponse:
    board, now = request.app[CONTEXT].board, request.app[CONTEXT].clock()
    return respond(request, made, board.next_change(now), fields, valid_until=snapshot.valid_until)


# `GET /docs`: the reference of the API as a page.


# The languages beside English in which the page speaks; the document itself is for programs.
_LANGUAGES = {"ru": "ru"}


async def docs(request: web.Request) -> web.StreamResponse:
    """The page, with no file from another host."""
    lang = _LANGUAGES.get(parameters.language(request).partition("-")[0], "en")
    context = request.app[CONTEXT]
    snapshot, now = context.snapshot(), context.clock()

    def made() -> Representation:
        document, html = document_of(context), context.renderer.html
        body = reference.page(document, html, _said(lang), lang=lang, demo=context.demo)
        return Representation(body, HTML, snapshot.generated_at)

    return respond(request, context.renderer.steady(("docs", lang), made), context.board.next_change(now), PAGE)


def _said(lang: str) -> dict[str, str]:
    """What the page says in a language, by what it says in English; for English nothing."""
    if lang == "en":
        return {}
    found: dict[str, str] = json.loads(files("ticker.web.openapi").joinpath("russian.json").read_bytes())
    return found
