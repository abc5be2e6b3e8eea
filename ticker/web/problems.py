"""Errors as RFC 9457 problems: what happened, which parameter, and the mend."""

from __future__ import annotations

import difflib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import simplejson
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Problem(Exception):  # noqa: N818 - the RFC's own word
    """An error answer: `status`, a sentence for a person, and members for a program (`parameter`, `allowed`)."""

    def __init__(self, status: int, detail: str, **members: object) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.members = members


def response(problem: Problem, headers: Mapping[str, str] | None = None, *, demo: bool = False) -> web.Response:
    """The problem as an answer that no cache keeps; in a `demo` it says so as every JSON does."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        **problem.members,
        **({"demo": True} if demo else {}),
    }
    return web.Response(
        status=problem.status,
        body=(simplejson.dumps(body, ensure_ascii=False) + "\n").encode(),
        headers={"Content-Type": "application/problem+json", "Cache-Control": "no-store", **(headers or {})},
    )


def nearest(name: str, allowed: Iterable[str]) -> str:
    """A hint that names the closest of `allowed`, or all of them where none is close."""
    known = list(allowed)
    close = difflib.get_close_matches(name.upper(), [one.upper() for one in known], n=1, cutoff=0.5)
    right = next((one for one in known if close and one.upper() == close[0]), None)
    return f"did you mean {right!r}?" if right else f"there are {', '.join(known)}"
