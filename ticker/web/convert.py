"""`GET /v1/convert`: an amount in another unit, through the board as it stands or as it stood."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from ticker.convert import base_of, codes, way
from ticker.render import JSON, Representation, encoder
from ticker.render.conversion import Wanted, conversion_of
from ticker.values import replace
from ticker.web import parameters, past
from ticker.web.answers import answer
from ticker.web.context import CONTEXT
from ticker.web.problems import Problem, nearest

if TYPE_CHECKING:
    from aiohttp import web

    from ticker.convert import Conversion
    from ticker.quotes import Snapshot

PARAMETERS = ("amount", "from", "to", "precision", "at")
# Digits after the point where none are asked for: as the Bank of Russia publishes its rates.
PRECISION, MOST = 4, 12
AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,12})?", re.ASCII)


async def convert(request: web.Request) -> web.Response:
    """`GET /v1/convert`: 200 with `result` null where a quote on the way is not known, as quotes themselves are."""
    parameters.only(request, PARAMETERS)
    context = request.app[CONTEXT]
    snapshot = await past.snapshot(request)
    wanted = _wanted(request, snapshot)
    found = _found(wanted, snapshot)
    body = encoder.line(conversion_of(wanted, found, snapshot))
    made = Representation(body, JSON, snapshot.generated_at)
    if "at" in request.query:
        return await _stood(request, snapshot, found, made)
    now = context.clock()
    return answer(request, made, now, context.board.next_change(now))


async def _stood(request: web.Request, snapshot: Snapshot, found: Conversion, made: Representation) -> web.Response:
    used = [leg.quote for leg in found.legs]
    if used and all(quote.as_of is None for quote in used):
        raise await past.before_history(request, [quote.symbol for quote in used], "at")
    known = max((quote.fetched_at for quote in used if quote.fetched_at), default=snapshot.generated_at)
    return past.answered(request, replace(made, modified=known), snapshot.generated_at)


def _wanted(request: web.Request, snapshot: Snapshot) -> Wanted:
    amount = request.query.get("amount", "1")
    if not AMOUNT.fullmatch(amount):
        detail = f"'amount' is a number such as 100 or 12.50, 15 digits before the point at most, not {amount[:40]!r}"
        raise Problem(400, detail, parameter="amount")
    origin, to = (_code(request, name, snapshot) for name in ("from", "to"))
    return Wanted(Decimal(amount), origin, to, parameters.whole(request, "precision", PRECISION, 0, MOST))


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


def _found(wanted: Wanted, snapshot: Snapshot) -> Conversion:
    start, end = (base_of(code, snapshot.quotes) for code in (wanted.origin, wanted.to))
    found = way(start, end, snapshot.quotes)
    if found is None:
        raise Problem(400, f"no quote leads from {wanted.origin!r} to {wanted.to!r}", parameter="to")
    return found
