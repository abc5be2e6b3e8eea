"""The form in which quotes are asked for: `shape`, `fields`, `precision`, `format`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.render.forms import FIELDS, SHAPES, Form
from ticker.web import parameters
from ticker.web.negotiation import format_of
from ticker.web.problems import Problem, nearest

if TYPE_CHECKING:
    from aiohttp import web

ONE = ("fields", "precision", "format")
MANY = ("shape", *ONE)
# As many digits as any source has ever had.
MOST = 12


def form_of(request: web.Request) -> Form:
    """The form asked for. Raises a Problem (400) for a value that there is not."""
    precision = parameters.whole(request, "precision", 0, 0, MOST) if "precision" in request.query else None
    shape = parameters.one_of(request, "shape", SHAPES, "records")
    return Form(shape, _fields(request), precision, format_of(request))


def _fields(request: web.Request) -> tuple[str, ...]:
    text = request.query.get("fields")
    if text is None:
        return ()
    asked = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for one in asked:
        if one not in FIELDS:
            detail = f"{one[:40]!r} in 'fields' is no field of a quote; {nearest(one, FIELDS)}"
            raise Problem(400, detail, parameter="fields", allowed=list(FIELDS))
    return asked
