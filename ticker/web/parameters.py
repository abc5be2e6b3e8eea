"""Reading a request's parameters strictly: what is not understood is named, never ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.render.locales import DEFAULT, UnknownLanguageError, locale_of, tag_of
from ticker.web.answers import NEGOTIATED
from ticker.web.languages import preferred
from ticker.web.problems import Problem, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiohttp import web

    from ticker.quotes import Snapshot


def only(request: web.Request, allowed: Sequence[str], *, repeated: Sequence[str] = ()) -> None:
    """Raise a Problem (400) for a parameter that the route does not have, or one given twice that is not `repeated`."""
    for name in request.query:
        if name not in allowed:
            hint = nearest(name, allowed) if allowed else "this route has none"
            detail = f"unknown parameter {name[:40]!r}; {hint}"
            raise Problem(400, detail, parameter=name[:40], allowed=list(allowed))
        if len(request.query.getall(name)) > 1 and name not in repeated:
            raise Problem(400, f"parameter {name!r} is given more than once", parameter=name)


def symbols(request: web.Request, snapshot: Snapshot) -> tuple[str, ...]:
    """The symbols asked for, in that order; none means all. Raises a Problem (400) for one not on the board."""
    if "symbols" not in request.query:
        return ()
    text = ",".join(request.query.getall("symbols"))
    asked = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    known = [quote.symbol for quote in snapshot.quotes]
    for one in asked:
        if one not in known:
            detail = f"unknown symbol {one[:40]!r} in 'symbols'; {nearest(one, known)}"
            raise Problem(400, detail, parameter="symbols", allowed=known)
    return asked


def language(request: web.Request) -> str:
    """The language tag asked for, in CLDR's own spelling; without one, what the reader's browser prefers.

    Raises a Problem (400) for one CLDR has no locale for.
    """
    tag = request.query.get("lang")
    if tag is None:
        request[NEGOTIATED] = True
        return preferred(request.headers.get("Accept-Language", "")) or DEFAULT
    try:
        return tag_of(locale_of(tag))
    except UnknownLanguageError as error:
        raise Problem(400, f"{error}", parameter="lang") from None


def whole(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    """The whole number in `name`. Raises a Problem (400) for one outside `least` to `most` and for anything else."""
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):  # noqa: PLR2004 - digits
        raise Problem(400, f"{name!r} is a whole number from {least} to {most}, not {text[:20]!r}", parameter=name)
    return int(text)


def one_of(request: web.Request, name: str, allowed: Iterable[str], default: str) -> str:
    """The value of `name`, one of `allowed`. Raises a Problem (400) for any other."""
    value, known = request.query.get(name, default), list(allowed)
    if value not in known:
        detail = f"{value[:40]!r} is no value of {name!r}; {nearest(value, known)}"
        raise Problem(400, detail, parameter=name, allowed=known)
    return value
