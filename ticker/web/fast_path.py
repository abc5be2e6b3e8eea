"""The fast path: what is in the response cache is sent where the bytes come in, before aiohttp hears of the request.

One pattern says what an ordinary request is, to the letter. Everything else, and everything that the ordinary path has
not answered before, goes to aiohttp untouched. So a mistake here can make a request slow, and none can make it mean
something else: what the pattern accepts is a part of what aiohttp's parser accepts, read the same way
(tests/differential.py compares them by the million). Both ask `ResponseCache.answer` and count by `Traffic.count`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from time import perf_counter

import aiohttp
from aiohttp import web
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from ticker.log import Log
from ticker.web.connections import Bounds, Connection
from ticker.web.context import Context

log = Log(__name__)

# The fast path uses parts of aiohttp's protocol that are not public; with any other version it stays closed.
TESTED = ("3.14.5",)
# Bytes. A browser sends 1,500 at most, unless it has many cookies.
_LONGEST = 4096

# Header fields of ordinary clients, in capitals or not; `*` stands for any further letters, digits and hyphens.
# Not here, and so left to aiohttp: Content-*, Transfer-Encoding, Expect, Upgrade, Sec-WebSocket-*, Connection other
# than keep-alive, If-Match, If-Unmodified-Since, and whatever else nobody has thought of.
#
# These decide the answer. One that comes twice is left to aiohttp, which takes the first or refuses.
DECIDING = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Host", "If-Modified-Since", "If-None-Match", "Origin"),
    "User-Agent",
)
# These change nothing, whatever they say.
IGNORED = (
    *("Cache-Control", "CF-*", "Cookie", "DNT", "Forwarded", "HX-*", "Pragma", "Priority", "Referer", "Save-Data"),
    *("Sec-CH-*", "Sec-Fetch-*", "Sec-GPC", "traceparent", "tracestate", "Upgrade-Insecure-Requests", "Via", "X-*"),
)

# Values are visible ASCII and blanks. Of a field that decides, aiohttp would strip blanks around the value.
_ANY_VALUE = rb"[\ -~]*+"
_BARE_VALUE = rb"(?!\ )[\ -~]*+(?<!\ )"
# RFC 3986, 3.2: what else aiohttp takes for a host, `check_framing` refuses.
_HOST_VALUE = rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]{1,255}+"
# `method` and `target` are groups 1 and 2 of the pattern; the fields that decide follow in the order of the table.
_FIRST_GROUP = 3


def _rows() -> Iterator[tuple[str, bytes]]:
    """Each field's first letter, and the pattern of the rest of its line."""
    for number, name in enumerate(DECIDING, start=_FIRST_GROUP):
        value = _HOST_VALUE if name == "Host" else _BARE_VALUE
        group = name.lower().replace("-", "_").encode()
        # `(?(3)(?!))`: fail where group 3 has matched before.
        yield name[0].lower(), _rest(name) + rb"(?(%d)(?!)) :\ ?(?P<%b>%b)\r\n" % (number, group, value)
    yield "c", _rest("Connection") + rb":\ ?(?i:keep-alive)\r\n"
    for name in IGNORED:
        yield name[0].lower(), _rest(name) + rb":\ ?%b\r\n" % _ANY_VALUE


def _rest(name: str) -> bytes:
    """A field's name without its first letter, in any case of letters."""
    rest = re.escape(name[1:].removesuffix("*")).encode()
    return b"(?i:%b)" % rest + (b"[A-Za-z0-9-]*+" if name.endswith("*") else b"")


def _fields() -> bytes:
    """One header line of the tables. The engine looks at the first letter once, so lines stand together by it."""
    by_letter: dict[str, list[bytes]] = {}
    for letter, rest in _rows():
        by_letter.setdefault(letter, []).append(rest)
    lines = (
        b"[%b%b] (?: %b )" % (letter.upper().encode(), letter.encode(), b" | ".join(rests))
        for letter, rests in by_letter.items()
    )
    return b"\n | ".join(lines)


ORDINARY_REQUEST = re.compile(
    rb"""
    (?P<method> GET | HEAD ) \ (?P<target> [!-~]++ ) \ HTTP/1\.1 \r\n
    (?: """
    + _fields()
    + rb""" ){1,64}+
    (?(host) | (?!) )  # Host is among the fields
    \r\n               # an empty line, and nothing after it
    """,
    re.VERBOSE,
)


def closed_because(
    *, wanted: bool, access_log: bool, rate_limit: int, version: str = aiohttp.__version__
) -> str | None:
    """Why the fast path answers nothing, in a sentence for the operator; None where it is open."""
    if not wanted:
        return "server.fast_path is false"
    if access_log:
        return "server.access_log is true, and only the ordinary path writes the log"
    if rate_limit:
        return "server.rate_limit is set, and only the ordinary path limits clients"
    if version not in TESTED:
        return f"aiohttp is {version}; the fast path was tested with {', '.join(TESTED)}"
    if HttpRequestParser is HttpRequestParserPy:
        return "aiohttp has no compiled parser here"
    return None


def announce(closed: str | None) -> None:
    """Say at the start whether the fast path is open, and why not."""
    if closed is None:
        log.info("fast path is open")
    else:
        log.info("fast path is closed", because=closed)


class FastPath(Connection):
    """A connection that looks into the response cache before aiohttp's parser."""

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop, context: Context, bounds: Bounds) -> None:
        super().__init__(server, loop, context, bounds)
        # Whether aiohttp's parser stands between two requests for certain, so that bytes may pass it by.
        self._between = True

    def data_received(self, data: bytes) -> None:
        """Answer `data` here if it is one ordinary request and nothing else is going on; else hand it on."""
        # While aiohttp's task waits for a request, none is queued and none is being answered.
        waiter = self._waiter
        if waiter is None or waiter.done() or self._paused or not self._between or not self._answer(data):
            self._hand_on(data)

    def _answer(self, data: bytes) -> bool:
        began, context, transport = perf_counter(), self._context, self.transport
        asked = ORDINARY_REQUEST.fullmatch(data) if len(data) <= _LONGEST else None
        if (
            asked is None
            or transport is None
            or context.fast_path_closed is not None
            or context.process_health.draining
        ):
            return False
        method, target, accept, coding, language, _host, since, tags, origin, _agent = asked.groups()
        cache, is_get = context.cache, method == b"GET"
        found = cache.answer(target, cache.variant(accept, coding, language), origin, tags, since)
        if found is None:
            return False
        each, status, opening = found
        transport.write(each.message(opening, status, with_body=is_get))
        context.traffic.count(each.route, "GET" if is_get else "HEAD", status, perf_counter() - began)
        self._wait_for_next()
        return True

    def _wait_for_next(self) -> None:
        """Do what aiohttp does after an answer: count it, and begin to wait for the next request anew."""
        manager = self._manager
        if manager is not None:
            manager.requests_count += 1
        self._request_count += 1
        self._next_keepalive_close_time = closes = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(closes, self._process_keepalive)

    def _hand_on(self, data: bytes) -> None:
        """Give `data` to aiohttp, and note whether its parser stands between two requests after it.

        That is certain only where it was before, and these bytes were one request without a body, whole: one message
        came of them, and their only empty line is their end.
        """
        before = self._request_count
        super().data_received(data)
        self._between = (
            self._between
            and self._request_count == before + 1
            and not self._upgraded
            and data.find(b"\r\n\r\n") == len(data) - 4
            and bool(self._messages)
            and self._messages[-1][1] is aiohttp.EMPTY_PAYLOAD
            and not getattr(self._messages[-1][0], "upgrade", True)
        )
