"""What others make of a link: cards for messengers, a feed, and what crawlers and language models are told."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ticker.quotes import Snapshot
from ticker.rendering.card import card
from ticker.rendering.feed import feed
from ticker.rendering.html import shown_quotes
from ticker.rendering.locales import locale_of
from ticker.rendering.page_words import page_language
from ticker.rendering.representation import Representation
from ticker.rendering.schemas import name_of
from ticker.web import parameters
from ticker.web.context import CONTEXT, Context
from ticker.web.openapi.operations import OPERATIONS
from ticker.web.problems import Problem, nearest
from ticker.web.responses import respond, respond_current

_TEXT = "text/plain; charset=utf-8"
# Of the pages one is enough; the API is for programs that know what they want.
_ROBOTS = "User-agent: *\nAllow: /$\nAllow: /?lang=\nAllow: /card\nAllow: /docs\nAllow: /llms.txt\nDisallow: /\n"


async def picture(request: web.Request) -> web.StreamResponse:
    """`GET /card.png` and `GET /card/{symbol}.png`: the numbers as a picture, each with its date."""
    parameters.only(request, ("lang",))
    context = request.app[CONTEXT]
    snapshot, lang = context.snapshot(), page_language(parameters.language(request))
    symbol = request.match_info.get("symbol")
    known = [quote.symbol for quote in snapshot.quotes]
    if symbol is not None and symbol not in known:
        raise Problem(
            404, f"no instrument {symbol[:40]!r}; {nearest(symbol, known)}", parameter="symbol", allowed=known
        )
    quotes = shown_quotes(snapshot, (symbol,) if symbol else ())
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
        return Representation(_told(context, snapshot).encode(), _TEXT, snapshot.generated_at)

    return respond(request, context.renderer.steady("llms", made), context.board.next_change(context.clock()))


_LLMS = """# Market ticker{demo}

> A few market numbers, each with where it is from and how old it is, polled from public sources. What is not known is
> null, never invented; an old number is marked as old.

Read this before you quote a number:

- `price` carries the digits of its source; `display.price` is the same rounded for people. Quote it with `as_of` and
  `source`: a number without its date is not what this service said.
- `status` is `fresh` (as new as the source's own calendar lets it be), `stale` (something newer should be known; say
  so), or `unavailable` (`price` is null; say that it is not known, and pass no other number off as this service's).
- `price_type` is `fixing` (an official rate, in force from the date in `as_of` until the next one), `last`,
  `settlement` or `mid`. One kind is not another.
- `upcoming` is a fixing that is published and not in force yet; `confirmed` says whether a second source agrees.
- `fallback: true` means that another source than the preferred one speaks. `override` means that an editor holds it.
- `valid_until`: after this moment ask again, do not repeat the number.
- The past is `at=` (a date, or an RFC 3339 time) and the history; neither is a forecast, and there is none.
{invented}
## Instruments

{instruments}

## Routes

Unknown parameters are errors that name the right ones. Every parameter: {base}/v1/openapi.json

{routes}

## Pages

- [The page]({base}/): the numbers, their history, and the code to embed them
- [The reference]({base}/docs): every endpoint, parameter and answer
"""


def _told(context: Context, snapshot: Snapshot) -> str:
    base, english = context.public_url or "", locale_of("en")
    instruments = [
        f"- `{quote.symbol}`: {name_of(quote.instrument, english)}, {quote.instrument.quote} for "
        f"{quote.instrument.unit}; sources in order of preference: {', '.join(quote.instrument.all_sources)}"
        for quote in snapshot.quotes
    ]
    routes = [f"- `GET {each.path}`: {each.summary}" for each in OPERATIONS]
    return _LLMS.format(
        base=base.rstrip("/"),
        demo=" (demo)" if context.demo else "",
        invented="- This is a demo: every number here is invented.\n" if context.demo else "",
        instruments="\n".join(instruments),
        routes="\n".join(routes),
    )
