"""`GET /` and `GET /frame`: the pages for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files

from aiohttp import web

from ticker.quotes import Snapshot
from ticker.rendering import reference
from ticker.rendering.embeds import WidgetChoice
from ticker.rendering.html import STYLES
from ticker.rendering.representation import HTML, Representation
from ticker.rendering.site import THEMES, Sheet, SourceState
from ticker.storage.base import StoreError
from ticker.web import parameters
from ticker.web.context import CONTEXT, Context
from ticker.web.history import recent
from ticker.web.openapi.document import document_of
from ticker.web.problems import fragment_safe
from ticker.web.responses import respond

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


async def page(request: web.Request) -> web.StreamResponse:
    """`GET /`: the header as a news site has it, with every option and the code to embed it."""
    context = request.app[CONTEXT]
    snapshot = context.snapshot()
    past = await _with_history(context, [quote.symbol for quote in snapshot.quotes])
    sheet = Sheet(_choice(request, snapshot), sources(context), past)
    lines = await recent(context, snapshot, sheet.choice.style)
    return _answer(request, snapshot, context.renderer.site.page(snapshot, sheet, lines), PAGE)


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
    )


async def _with_history(context: Context, symbols: list[str]) -> tuple[str, ...]:
    """Those of `symbols` that have a line to draw: the page asks for no other."""
    try:
        return tuple([symbol for symbol in symbols if await context.history.since([symbol]) is not None])
    except StoreError:
        return ()


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
