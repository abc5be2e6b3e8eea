"""Quotes, conversions, catalogues, health and metrics: a function a route, which reads parameters and answers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from types import MappingProxyType
from typing import cast

from aiohttp import web

from ticker.convert import Conversion, base_of, codes, way
from ticker.quotes import Snapshot, Status
from ticker.rendering.html import STYLES
from ticker.rendering.locales import locale_of
from ticker.rendering.renderer import View
from ticker.rendering.representation import JSON, Representation, to_json
from ticker.rendering.schemas import (
    AliveSchema,
    ConversionSchema,
    InstrumentCatalogueSchema,
    ReadinessSchema,
    ReadyInstrumentSchema,
    ReadySourceSchema,
    SourceCatalogueSchema,
)
from ticker.web import history, parameters
from ticker.web.context import CONTEXT, Context
from ticker.web.headers import preferred_coding
from ticker.web.problems import Problem, fragment_safe, nearest
from ticker.web.responses import respond, respond_current

PARAMETERS = ("lang",)


async def instruments(request: web.Request) -> web.StreamResponse:
    """`GET /v1/instruments`: the catalogue of what is quoted."""
    parameters.only(request, PARAMETERS)
    context, locale = request.app[CONTEXT], locale_of(parameters.language(request))
    snapshot = context.snapshot()
    body = to_json(InstrumentCatalogueSchema.of(snapshot, context.settings, locale))
    return respond_current(request, snapshot, Representation(body, JSON, snapshot.generated_at))


async def sources(request: web.Request) -> web.StreamResponse:
    """`GET /v1/sources`: who is asked, on what terms, and how they fare; any poll may change it."""
    parameters.only(request, PARAMETERS)
    context, locale = request.app[CONTEXT], locale_of(parameters.language(request))
    now = context.clock()
    found = SourceCatalogueSchema.of(context.health, context.settings, now.date(), locale, demo=context.demo)
    body = to_json(found)
    return respond(request, Representation(body, JSON, _modified(context)), context.board.next_change(now))


def _modified(context: Context) -> datetime:
    ended = [at for each in context.health.values() for at in (each.last_success, each.last_failure) if at]
    return max(ended, default=context.snapshot().generated_at)


# `GET /v1/convert`: an amount in another unit, through the board as it stands or as it stood.

PARAMETERS_CONVERT = ("amount", "from", "to", "precision", "at")
# Digits after the point where none are asked for: as the Bank of Russia publishes its rates.
PRECISION, MOST = 4, 12
# As programs write numbers: 0.30000000000000004, 1e-7. Bounded, so that no result is longer than a line.
AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_AMOUNT_TOO_BIG, _AMOUNT_DIGITS = Decimal(10) ** 15, 40


async def convert(request: web.Request) -> web.StreamResponse:
    """`GET /v1/convert`: 200 with `result` null where a quote on the way is not known, as quotes themselves are."""
    parameters.only(request, PARAMETERS_CONVERT)
    snapshot = await history.snapshot(request)
    amount = _amount(request.query.get("amount", "1"))
    origin, to = (_code(request, name, snapshot) for name in ("from", "to"))
    precision = parameters.whole(request, "precision", PRECISION, 0, MOST)
    found = _way(snapshot, origin, to)
    answer = ConversionSchema.of(snapshot, found, amount=amount, codes=(origin, to), precision=precision)
    made = Representation(to_json(answer), JSON, snapshot.generated_at)
    if "at" in request.query:
        return await _stood(request, snapshot, found, made)
    return respond_current(request, snapshot, made)


def conversion(snapshot: Snapshot, amount: str, origin: str, to: str, precision: int) -> ConversionSchema:
    """`amount` of `origin` in `to`, both codes of the board. Raises a Problem (400)."""
    found = _way(snapshot, origin, to)
    return ConversionSchema.of(snapshot, found, amount=_amount(amount), codes=(origin, to), precision=precision)


async def _stood(
    request: web.Request, snapshot: Snapshot, found: Conversion, made: Representation
) -> web.StreamResponse:
    used = [leg.quote for leg in found.legs]
    if used and all(quote.as_of is None for quote in used):
        raise await history.before_history(request, [quote.symbol for quote in used], "at")
    known = max((quote.fetched_at for quote in used if quote.fetched_at), default=snapshot.generated_at)
    return history.answered(request, dataclasses.replace(made, modified=known), snapshot.generated_at)


def _amount(amount: str) -> Decimal:
    found = Decimal(amount) if AMOUNT.fullmatch(amount) else None
    digits = 0 if found is None else -cast("int", found.as_tuple().exponent)
    if found is None or found >= _AMOUNT_TOO_BIG or digits > _AMOUNT_DIGITS:
        detail = (
            f"'amount' is a number such as 100, 12.50 or 1e-7, below 10^15 and with {_AMOUNT_DIGITS} digits behind the "
            f"point at most, not {amount[:60]!r}"
        )
        raise Problem(400, detail, parameter="amount")
    # 1e3 is 1000: an amount is given back in plain digits.
    return found if digits >= 0 else found.quantize(Decimal(1))


def _code(request: web.Request, name: str, snapshot: Snapshot) -> str:
    known = codes(snapshot.quotes)
    code = request.query.get(name)
    if code is None:
        raise Problem(
            400, f"parameter {name!r} is missing; there are {', '.join(known)}", parameter=name, allowed=known
        )
    if code not in known:
        detail = f"{code[:40]!r} is nothing that can be converted; {nearest(code, known)}"
        raise Problem(400, detail, parameter=name, allowed=known)
    return code


def _way(snapshot: Snapshot, origin: str, to: str) -> Conversion:
    start, end = (base_of(code, snapshot.quotes) for code in (origin, to))
    found = way(start, end, snapshot.quotes)
    if found is None:
        raise Problem(400, f"no quote leads from {origin!r} to {to!r}", parameter="to")
    return found


# What `/readyz` tells the person who is paged: each instrument, each source, and what is missing.


def readiness(context: Context) -> ReadinessSchema:
    """`status` is "ready" with a snapshot loaded and while the service stays; what is `missing` does not change it.

    One missing number would take every replica out at once: whoever is paged learns it by `status`, metric and alert.
    """
    snapshot, draining = context.snapshot(), context.process_health.draining
    missing = [q.symbol for q in snapshot.quotes if q.instrument.required and q.status is Status.UNAVAILABLE]
    return ReadinessSchema(
        status="draining" if draining else "ready" if context.board.loaded else "loading",
        missing=tuple(missing),
        instruments={
            quote.symbol: ReadyInstrumentSchema.read(quote, required=quote.instrument.required)
            for quote in snapshot.quotes
        },
        sources={
            source: ReadySourceSchema.read(each, failures_in_a_row=each.in_a_row)
            for source, each in context.health.items()
        },
        demo=context.demo,
    )


# One small function a route: read the parameters, name the view, answer.

# The timetable runs something every second; after a minute without, nothing will ever be polled again.
_PATIENCE = timedelta(minutes=1)
# What the quotes take: where the format is asked for, and at an address with a format of its own.
_PARTS = ("symbols", "lang", "at", "shape", "fields", "precision")
_TAKEN = {None: (*_PARTS, "format", "dialect"), "json": _PARTS, "csv": (*_PARTS, "dialect"), "ndjson": _PARTS}
# What the Glance dashboard asks of an extension.
_GLANCE = {"Widget-Title": "Market ticker", "Widget-Content-Type": "html"}


async def quotes(request: web.Request, fixed: str | None = None) -> web.StreamResponse:
    """`GET /v1/quotes`: all quotes of the snapshot; `.json`, `.csv` and `.ndjson` whatever `Accept` says."""
    parameters.only(request, _TAKEN[fixed])
    snapshot = await history.snapshot(request)
    form = parameters.form_of(request, fixed)
    view = View("quotes", parameters.symbols(request, snapshot), parameters.language(request), form=form)
    return await _answer(request, snapshot, view, history.attachment(form, "quotes"))


async def quote(request: web.Request) -> web.StreamResponse:
    """`GET /v1/quotes/{symbol}`: one of them."""
    parameters.only(request, ("lang", "at", "fields", "precision", "format", "dialect"))
    snapshot = await history.snapshot(request)
    symbol = parameters.instrument(request, snapshot).symbol
    form = parameters.form_of(request)
    view = View("quote", (symbol,), parameters.language(request), form=form)
    return await _answer(request, snapshot, view, history.attachment(form, symbol))


@fragment_safe
async def widget(request: web.Request) -> web.StreamResponse:
    """`GET /widget`: the HTML fragment."""
    parameters.only(request, ("symbols", "lang", "style", "at"))
    style = parameters.one_of(request, "style", STYLES, "plain")
    snapshot = await history.snapshot(request)
    # A board of the past is looked at as it was looked at then.
    seen = snapshot.generated_at if "at" in request.query else request.app[CONTEXT].clock()
    stale = any(quote.status is Status.STALE for quote in snapshot.quotes)
    hour = seen.replace(minute=0, second=0, microsecond=0) if stale else None
    view = View("widget", parameters.symbols(request, snapshot), parameters.language(request), style, hour)
    return await _answer(request, snapshot, view, _GLANCE)


async def healthz(request: web.Request) -> web.StreamResponse:
    """`GET /healthz`: 200 while the process is worth keeping; 503 where only a restart would mend it."""
    context = request.app[CONTEXT]
    health = context.process_health
    failed = ["timetable stalled"] if health.stalled(_PATIENCE) else []
    failed += [f"task {name} fails" for name in health.supervisor.hopeless(_PATIENCE.total_seconds())]
    state = AliveSchema(status=", ".join(failed) or "alive", demo=context.demo)
    return _state(state, 503 if failed else 200)


async def readyz(request: web.Request) -> web.StreamResponse:
    """`GET /readyz`: 200 with a snapshot loaded, even one with gaps, and while not draining."""
    state = readiness(request.app[CONTEXT])
    return _state(state, 200 if state.status == "ready" else 503)


async def metrics(request: web.Request) -> web.StreamResponse:
    """`GET /metrics`: Prometheus or OpenMetrics text."""
    found = request.app[CONTEXT].exposition.scrape(request.headers.get("Accept", ""))
    headers = {"Content-Type": found.content_type, "Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding"}
    if preferred_coding(request.headers.get("Accept-Encoding", ""), ("gzip",)) == "identity":
        return web.Response(body=found.body, headers=headers)
    return web.Response(body=found.gzipped, headers={**headers, "Content-Encoding": "gzip"})


async def _answer(
    request: web.Request, snapshot: Snapshot, view: View, fields: Mapping[str, str] = MappingProxyType({})
) -> web.StreamResponse:
    """The view, of the present board or of a past one; `fields` are what every answer of the route carries."""
    if "at" in request.query:
        return await history.stood(request, snapshot, view, fields)
    context = request.app[CONTEXT]
    made = context.renderer.render(snapshot, view, await history.recent(context, snapshot, view.style))
    return respond_current(request, snapshot, made, fields, hour=view.hour)


def _state(state: AliveSchema | ReadinessSchema, status: int) -> web.StreamResponse:
    again = {} if status == HTTPStatus.OK else {"Retry-After": "1"}
    return web.Response(
        status=status, body=to_json(state), headers={"Content-Type": JSON, "Cache-Control": "no-store", **again}
    )
