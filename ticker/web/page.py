"""`GET /` and `GET /frame`: the pages for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.render.embeds import Choice
from ticker.render.html import STYLES
from ticker.render.page import THEMES, Sheet, SourceState
from ticker.stores.base import StoreError
from ticker.web import parameters
from ticker.web.answers import answer
from ticker.web.context import CONTEXT
from ticker.web.problems import fragment_safe

if TYPE_CHECKING:
    from aiohttp import web

    from ticker.quotes import Snapshot
    from ticker.render import Representation
    from ticker.web.context import Context

_PARAMETERS = ("symbols", "lang", "style", "theme")
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


async def page(request: web.Request) -> web.Response:
    """`GET /`: the header as a news site has it, with every option and the code to embed it."""
    context = request.app[CONTEXT]
    snapshot = context.snapshot()
    past = await _with_history(context, [quote.symbol for quote in snapshot.quotes])
    sheet = Sheet(_choice(request, snapshot), sources(context), past)
    response = _answer(request, context.renderer.site.page(snapshot, sheet))
    response.headers.update(PAGE)
    return response


@fragment_safe
async def frame(request: web.Request) -> web.Response:
    """`GET /frame`: the widget alone, for an iframe on any site."""
    context = request.app[CONTEXT]
    snapshot = context.snapshot()
    response = _answer(request, context.renderer.site.frame(snapshot, _choice(request, snapshot)))
    response.headers.update(_FRAMED)
    return response


def sources(context: Context) -> tuple[SourceState, ...]:
    """The sources as they stand."""
    return tuple(
        SourceState(
            id=name,
            feeds=context.feeds.get(name, ()),
            up=health.up,
            reason=str(health.reason) if health.reason else None,
            last_success=health.last_success,
            terms=context.terms.get(name),
        )
        for name, health in context.health.items()
    )


def _choice(request: web.Request, snapshot: Snapshot) -> Choice:
    # A form's checkboxes each send their own `symbols`.
    parameters.only(request, _PARAMETERS, repeated=("symbols",))
    return Choice(
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


def _answer(request: web.Request, representation: Representation) -> web.Response:
    context = request.app[CONTEXT]
    now = context.clock()
    return answer(request, representation, now, context.board.next_change(now))
