"""Reading a request's parameters strictly: what is not understood is named, never ignored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from aiohttp import web

from ticker.quotes import Instrument, Snapshot
from ticker.rendering.formats import DIALECTS, FIELDS, SHAPES, Form
from ticker.rendering.locales import UnknownLanguageError, normalize_tag
from ticker.web.context import CONTEXT
from ticker.web.headers import FORMATS, chose, preferred_format, preferred_language
from ticker.web.problems import Problem, nearest

# Lists, with commas; some generated clients know no commas and send the parameter several times.
LISTS = ("symbols", "fields")


def only(request: web.Request, allowed: Sequence[str]) -> None:
    """Raise a Problem (400) for a parameter that the route does not have, or one given twice that is no list."""
    for name in request.query:
        if name not in allowed:
            hint = nearest(name, allowed) if allowed else "this route has none"
            detail = f"unknown parameter {name[:40]!r}; {hint}"
            raise Problem(400, detail, parameter=name[:40], allowed=list(allowed))
        if len(request.query.getall(name)) > 1 and name not in LISTS:
            raise Problem(400, f"parameter {name!r} is given more than once", parameter=name)


def symbols(request: web.Request, snapshot: Snapshot) -> tuple[str, ...]:
    """The symbols asked for, in that order; none means all. Raises a Problem (400) for one not on the board."""
    return _listed(
        request, "symbols", [quote.symbol for quote in snapshot.quotes], "unknown symbol {one!r} in 'symbols'"
    )


def _listed(request: web.Request, name: str, known: Sequence[str], refusal: str) -> tuple[str, ...]:
    """Values with commas between them, each once, all of them `known`; empty where `name` is absent."""
    text = ",".join(request.query.getall(name, ()))
    asked = tuple(dict.fromkeys(part.strip() for part in text.split(","))) if name in request.query else ()
    for one in asked:
        if one not in known:
            detail = f"{refusal.format(one=one[:40])}; {nearest(one, known)}"
            raise Problem(400, detail, parameter=name, allowed=list(known))
    return asked


def instrument(request: web.Request, snapshot: Snapshot) -> Instrument:
    """The instrument that the path or the query names as `symbol`. Raises a Problem (404) for one not on the board."""
    symbol = request.match_info.get("symbol") or request.query["symbol"]
    found, known = snapshot.get(symbol), [quote.symbol for quote in snapshot.quotes]
    if found is None:
        detail = f"no instrument {symbol[:40]!r}; {nearest(symbol, known)}"
        raise Problem(404, detail, parameter="symbol", allowed=known)
    return found.instrument


def language(request: web.Request) -> str:
    """The language tag asked for, in CLDR's own spelling; without one, what the reader's browser prefers.

    Raises a Problem (400) for one CLDR has no locale for.
    """
    tag = request.query.get("lang")
    if tag is None:
        context = request.app[CONTEXT]
        if not context.server.negotiate_language:
            return context.server.default_language
        found = preferred_language(request.headers.get("Accept-Language", "")) or context.server.default_language
        chose(request, "Accept-Language", default=found == context.server.default_language)
        return found
    try:
        return normalize_tag(tag)
    except UnknownLanguageError as error:
        raise Problem(400, f"{error}", parameter="lang") from None


def format_of(request: web.Request) -> str:
    """The format that `format` names, else the one that `Accept` prefers.

    Raises a Problem (400) for a `format` that there is not; nonsense in `Accept` is no error.
    """
    if "format" in request.query:
        return one_of(request, "format", FORMATS, FORMATS[0])
    found = preferred_format(request.headers.get("Accept", ""))
    chose(request, "Accept", default=found == FORMATS[0])
    return found


def whole(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    """The whole number in `name`. Raises a Problem (400) for one outside `least` to `most` and for anything else."""
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):  # noqa: PLR2004 - digits
        raise Problem(400, f"{name!r} is a whole number from {least} to {most}, not {text[:20]!r}", parameter=name)
    return int(text)


def one_of(request: web.Request, name: str, allowed: Iterable[str], default: str) -> str:
    """The value of `name`, one of `allowed`, or `default` where it is absent. Raises a Problem (400) for any other."""
    value, known = request.query.get(name), list(allowed)
    if value is None:
        return default
    if value not in known:
        detail = f"{value[:40]!r} is no value of {name!r}; {nearest(value, known)}"
        raise Problem(400, detail, parameter=name, allowed=known)
    return value


# Days and moments in a request, read strictly.

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# RFC 3339, 5.6. A `+` that was not escaped arrives as a blank.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:([Zz])|([+ -])(\d\d:\d\d))", re.ASCII)
# A year before it is written with less than four digits by some who write dates.
_FIRST = 1000


def moment(request: web.Request, name: str) -> date | datetime | None:
    """The day (2024-11-22) or the moment (RFC 3339) in the parameter `name`; None where it is absent.

    Raises a Problem (400) that names the parameter for anything else and for what is still to come.
    """
    text = request.query.get(name)
    if text is None:
        return None
    found = _read(text, name)
    history = request.app[CONTEXT].history
    ahead = found > request.app[CONTEXT].clock() if isinstance(found, datetime) else found > history.today()
    if ahead:
        raise Problem(400, f"{name!r} is in the future: {text[:40]}", parameter=name)
    return found


def _read(text: str, name: str) -> date | datetime:
    try:
        found = _day(text) if _DATE.fullmatch(text) else _moment(text)
        if found.year >= _FIRST:
            return found
    except (ValueError, OverflowError):
        pass
    detail = f"{name!r} is neither a date such as 2024-11-22 nor an RFC 3339 time such as 2024-11-22T12:00:00+03:00"
    raise Problem(400, f"{detail}: {text[:40]!r}", parameter=name)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _moment(text: str) -> datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    zone = "+00:00" if found[3] else f"{'-' if found[4] == '-' else '+'}{found[5]}"
    whole, _, fraction = found[2].partition(".")
    return datetime.fromisoformat(f"{found[1]}T{whole}.{fraction[:6]:0<6}{zone}").astimezone(UTC)


# The form in which quotes are asked for: `shape`, `fields`, `precision`, `format`.

# As many digits as any source has ever had.
MOST = 12


def form_of(request: web.Request, fixed: str | None = None) -> Form:
    """The form asked for, in the `fixed` format where the address has one.

    Raises a Problem (400) for a value that there is not.
    """
    precision = whole(request, "precision", 0, 0, MOST) if "precision" in request.query else None
    shape = one_of(request, "shape", SHAPES, "records")
    fields = _listed(request, "fields", FIELDS, "{one!r} in 'fields' is no field of a quote")
    return Form(shape, fields, precision, fixed or format_of(request), dialect_of(request))


def dialect_of(request: web.Request) -> str:
    """How CSV is written. Raises a Problem (400) for a dialect that there is not."""
    return one_of(request, "dialect", DIALECTS, DIALECTS[0])
