"""Errors as RFC 9457 problems: what happened, which parameter, and the mend."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from html import escape
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from ticker.rendering.representation import to_json
from ticker.rendering.schemas import ProblemSchema


class Problem(Exception):  # noqa: N818 - the RFC's own word
    """An error answer: `status`, a sentence for a person, and members for a program (`parameter`, `allowed`)."""

    def __init__(self, status: int, detail: str, **members: object) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = _sendable(detail)
        self.members = {name: _sendable(value) if isinstance(value, str) else value for name, value in members.items()}


def _sendable(text: str) -> str:
    """`text` without halves of surrogate pairs: what stands in for bytes of a request that are no UTF-8."""
    return text.encode("utf-8", "replace").decode()


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None, *, demo: bool = False) -> web.Response:
    """The problem as an answer that no cache keeps; in a `demo` it says so as every JSON does."""
    body = ProblemSchema.model_validate(
        {
            "type": "about:blank",
            "title": HTTPStatus(problem.status).phrase,
            "status": problem.status,
            "detail": problem.detail,
            "demo": demo,
            **problem.members,
        }
    )
    return web.Response(
        status=problem.status,
        # Without a "<", so that it is no markup even where a server-side include puts it into a page.
        body=to_json(body.members()).replace(b"<", b"\\u003c"),
        headers={"Content-Type": "application/problem+json", "Cache-Control": "no-store", **(headers or {})},
    )


def fragment_safe(handler: Handler) -> Handler:
    """`handler`, refusing with a fragment where the client reads HTML: a page that includes it goes on looking right.

    Everyone else gets the problem as JSON.
    """

    @functools.wraps(handler)
    async def safe(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            if "text/html" not in request.headers.get("Accept", ""):
                raise
            text = f'<p class="market-ticker" data-status="error" title="{escape(problem.detail)}">\N{EM DASH}</p>\n'
            headers = {"Cache-Control": "no-store"}
            return web.Response(status=problem.status, text=text, content_type="text/html", headers=headers)

    return safe


def not_allowed(method: str, allow: str) -> str:
    """What a client is told who asks by another method than those that are allowed."""
    return f"{method[:20]} is not allowed here; use {allow}"


def nearest(name: str, allowed: Iterable[str]) -> str:
    """A hint that names the closest of `allowed`, or all of them where none is close."""
    known = list(allowed)
    close = difflib.get_close_matches(name.upper(), [one.upper() for one in known], n=1, cutoff=0.5)
    right = next((one for one in known if close and one.upper() == close[0]), None)
    return f"did you mean {right!r}?" if right else f"there are {', '.join(known)}"


def nearest_address(path: str, known: Iterable[str]) -> str | None:
    """A hint that names the address of `known` that is all but `path`; None where none is."""
    close = difflib.get_close_matches(path.lower(), known, n=1, cutoff=0.8)
    return f"did you mean {close[0]!r}?" if close else None
