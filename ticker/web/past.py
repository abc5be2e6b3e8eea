"""The board as it stood (`at=`), and what every answer out of the past shares."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from ticker.stores.base import StoreError
from ticker.values import replace
from ticker.web.answers import answer
from ticker.web.context import CONTEXT
from ticker.web.moments import moment
from ticker.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from datetime import datetime

    from aiohttp import web

    from ticker.quotes import Snapshot
    from ticker.render import Representation, View

T = TypeVar("T")

# What is settled may still be corrected; what is recent is still being written.
_SETTLED, _SETTLED_SECONDS, _RECENT_SECONDS = timedelta(days=2), 3600, 30


async def snapshot(request: web.Request) -> Snapshot:
    """The board as it stood at `at`, or as it stands now where that is not asked."""
    context, at = request.app[CONTEXT], moment(request, "at")
    return context.snapshot() if at is None else await told(context.history.board(at))


async def stood(request: web.Request, board: Snapshot, view: View) -> web.Response:
    """The view of a board out of history. Raises a Problem (404) where history does not reach back to it."""
    asked = [q for q in board.quotes if not view.symbols or q.symbol in view.symbols]
    if all(quote.as_of is None for quote in asked):
        raise await before_history(request, [quote.symbol for quote in asked], "at")
    if view.style == "sparkline":
        # The picture is of the last days from now: beside the numbers of another day it would tell what they do not.
        view = replace(view, style="plain")
    made = request.app[CONTEXT].renderer.once(board, view)
    known = max(quote.fetched_at for quote in asked if quote.fetched_at)
    return answered(request, replace(made, modified=known), board.generated_at)


async def told(asked: Awaitable[T]) -> T:
    """What history answers. Raises a Problem (503) where the store fails."""
    try:
        return await asked
    except StoreError:
        raise Problem(503, "history cannot be read just now; the current numbers go on") from None


def answered(request: web.Request, made: Representation, until: datetime | None) -> web.Response:
    """What ends at `until` may be kept long once that is past, and shortly before."""
    now = request.app[CONTEXT].clock()
    settled = until is not None and until < now - _SETTLED
    keep = timedelta(seconds=_SETTLED_SECONDS if settled else _RECENT_SECONDS)
    return answer(request, made, now, now + keep)


async def before_history(request: web.Request, symbols: Sequence[str], parameter: str) -> Problem:
    """The Problem (404) that says from when on there is history of `symbols`."""
    since = await told(request.app[CONTEXT].history.since(symbols))
    names = ", ".join(symbols)
    if since is None:
        return Problem(404, f"there is no history of {names} yet", parameter=parameter, since=None)
    detail = f"history of {names} begins on {since.isoformat(timespec='seconds')}"
    return Problem(404, detail, parameter=parameter, since=since.isoformat(timespec="seconds"))
