"""`GET /docs`: the reference of the API as a page."""

from __future__ import annotations

import json
from importlib.resources import files
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


# The languages beside English in which the page speaks; the document itself is for programs.
_LANGUAGES = {"ru": "ru"}


async def docs(request: web.Request) -> web.Response:
    """The page, with no file from another host."""
    parameters.only(request, ("lang",))
    lang = _LANGUAGES.get(parameters.language(request).partition("-")[0], "en")
    context = request.app[CONTEXT]
    snapshot, now = context.snapshot(), context.clock()

    def made() -> Representation:
        document, pages = document_of(context), context.renderer.pages
        body = reference.page(document, pages, _said(lang), lang=lang, demo=context.demo)
        return Representation(body, HTML, snapshot.generated_at)

    response = answer(request, context.renderer.steady(("docs", lang), made), now, context.board.next_change(now))
    response.headers.update(PAGE)
    return response


def _said(lang: str) -> dict[str, str]:
    """What the page says in a language, by what it says in English; for English nothing."""
    if lang == "en":
        return {}
    found: dict[str, str] = json.loads(files("ticker.web.spec").joinpath("russian.json").read_bytes())
    return found
