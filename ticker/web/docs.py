"""`GET /docs`: the reference of the API as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.render import Representation, reference
from ticker.render.render import HTML
from ticker.web import parameters
from ticker.web.answers import answer
from ticker.web.context import CONTEXT
from ticker.web.page import PAGE
from ticker.web.spec import document_of

if TYPE_CHECKING:
    from aiohttp import web


async def docs(request: web.Request) -> web.Response:
    """The page, with no file from another host."""
    parameters.only(request, ())
    context = request.app[CONTEXT]
    snapshot, now = context.snapshot(), context.clock()

    def made() -> Representation:
        body = reference.page(document_of(context), context.renderer.pages, demo=context.demo)
        return Representation(body, HTML, snapshot.generated_at)

    response = answer(request, context.renderer.steady("docs", made), now, context.board.next_change(now))
    response.headers.update(PAGE)
    return response
