"""Days and moments in a request, read strictly."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from ticker.web.context import CONTEXT
from ticker.web.problems import Problem

if TYPE_CHECKING:
    from aiohttp import web

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
