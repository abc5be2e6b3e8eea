"""`GET /v1/instruments` and `GET /v1/sources`: what there is, and how it fares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.render import JSON, Representation, encoder
from ticker.render.catalogue import instruments_of, sources_of
from ticker.render.locales import locale_of
from ticker.web import parameters
from ticker.web.answers import answer
from ticker.web.context import CONTEXT

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp import web

    from ticker.web.context import Context

PARAMETERS = ("lang",)


async def instruments(request: web.Request) -> web.Response:
    """`GET /v1/instruments`: the catalogue of what is quoted."""
    parameters.only(request, PARAMETERS)
    context, locale = request.app[CONTEXT], locale_of(parameters.language(request))
    snapshot = context.snapshot()
    body = encoder.line(instruments_of(snapshot, context.facts, locale))
    now = context.clock()
    return answer(request, Representation(body, JSON, snapshot.generated_at), now, context.board.next_change(now))


async def sources(request: web.Request) -> web.Response:
    """`GET /v1/sources`: who is asked, on what terms, and how they fare; any poll may change it."""
    parameters.only(request, PARAMETERS)
    context, locale = request.app[CONTEXT], locale_of(parameters.language(request))
    body = encoder.line(sources_of(context.health, context.facts, locale, demo=context.demo))
    now = context.clock()
    return answer(request, Representation(body, JSON, _modified(context)), now, context.board.next_change(now))


def _modified(context: Context) -> datetime:
    ended = [at for each in context.health.values() for at in (each.last_success, each.last_failure) if at]
    return max(ended, default=context.snapshot().generated_at)
