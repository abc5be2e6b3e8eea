"""The express lane: what is on the shelf is sent where the bytes come in, before aiohttp has heard of the request.

One pattern says what an ordinary request is, to the letter. Everything else, and everything that the ordinary path has
not answered before, goes to aiohttp untouched. So a mistake here can make a request slow, and none can make it
mean something else: what the pattern accepts is a part of what aiohttp's parser accepts, read the same way
(tests/bench/differential.py compares them by the million).
"""

from __future__ import annotations

import asyncio
import re
from time import perf_counter
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from ticker.web.connections import Connection
from ticker.web.responses import matches, modified

if TYPE_CHECKING:
    from ticker.web.connections import Bounds
    from ticker.web.context import Context
    from ticker.web.listener import Doors


# The lane reaches into aiohttp's protocol; with any other version it stays closed.
TESTED = ("3.14.5",)
# Bytes. A browser sends 1,500 at most, unless it has many cookies.
_LONGEST = 4096

_ANY = rb": ?[ -~]*+\r\n"
# Without blanks around it: what aiohttp would have to strip is none of ours.
_VALUE = rb": ?((?! )[ -~]*+)(?<! )\r\n"
# RFC 3986, 3.2; what else aiohttp takes, `framing` refuses.
_HOST = rb": ?([A-Za-z0-9._~!$&'()*+,;=%:\[\]-]{1,255}+)\r\n"


def _once(group: int, value: bytes = _VALUE) -> bytes:
    """A field whose value matters: one that comes twice is none of ours (aiohttp takes the first, or refuses)."""
    return b"(?(%d)(?!))%b" % (group, value)


# Names as browsers, proxies and curl write them, in any case, by their first letter. Not here, and so not ours:
# Content-*, Transfer-Encoding, Connection other than keep-alive, Upgrade, Expect, Sec-WebSocket-*, and whatever else
# nobody has thought of.
_FIELDS = (
    rb"[Ss](?:(?i:ec-)(?:[Ff](?i:etch)|[Cc](?i:h)|[Gg](?i:pc))[A-Za-z0-9-]*+|(?i:ave-data))" + _ANY,
    rb"[Aa](?i:ccept)(?:%b|-[Ee](?i:ncoding)%b|-[Ll](?i:anguage)%b)" % (_once(3), _once(4), _once(5)),
    rb"[Hh](?:(?i:ost)%b|[Xx]-[A-Za-z-]++%b)" % (_once(6, _HOST), _ANY),
    rb"[Cc](?:(?i:onnection): ?(?i:keep-alive)\r\n|(?:(?i:ache-control)|(?i:ookie)|(?i:f-)[A-Za-z-]++)%b)" % _ANY,
    rb"[Uu](?:(?i:ser-agent)%b|(?i:pgrade-insecure-requests)%b)" % (_once(7), _ANY),
    rb"[Oo](?i:rigin)" + _once(8),
    rb"[Rr](?i:eferer)" + _ANY,
    rb"[Ii](?i:f-)(?:[Nn](?i:one-match)%b|[Mm](?i:odified-since)%b)" % (_once(9), _once(10)),
    rb"[Xx]-[A-Za-z0-9-]++" + _ANY,
    rb"(?:[Pp](?:(?i:ragma)|(?i:riority))|[Dd](?i:nt)|[Vv](?i:ia)|[Ff](?i:orwarded)|[Tt](?i:race(?:parent|state)))"
    + _ANY,
)
# The request line, at most 64 fields with Host among them, an empty line, and nothing after it.
ORDINARY = re.compile(rb"(?:(GET)|HEAD) ([!-~]++) HTTP/1\.1\r\n(?:" + b"|".join(_FIELDS) + rb"){1,64}+(?(6)|(?!))\r\n")


def known(version: str = aiohttp.__version__) -> bool:
    """Whether this is an aiohttp that the lane was tested with."""
    return version in TESTED and HttpRequestParser is not HttpRequestParserPy


class Express(Connection):
    """A connection with the lane before aiohttp's parser."""

    __slots__ = ("_between",)

    def __init__(self, doors: Doors, loop: asyncio.AbstractEventLoop, context: Context, bounds: Bounds) -> None:
        super().__init__(doors, loop, context, bounds)
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
        asked = ORDINARY.fullmatch(data) if len(data) <= _LONGEST else None
        if asked is None or transport is None or not context.express or context.process_health.draining:
            return False
        shelf = context.shelf
        get, target, accept, coding, language, _, _, origin, tags, since = asked.groups()
        moment = shelf.present(context.clock)
        each = shelf.find(target, shelf.wishes(accept, coding, language))
        if each is None or (since is not None and tags is None):
            return False
        allowed = shelf.origins.get(origin)
        if tags is None or (tags != each.tag and not matches(tags.decode("ascii"), each.etag)):
            status, whole = 200, modified(shelf.opening(moment, allowed, 200), each, body=get is not None)
        else:
            status, whole = 304, shelf.unmodified(moment, allowed, each)
        transport.write(whole)
        context.traffic.note(each.route, "GET" if get else "HEAD", status, perf_counter() - began)
        self._stay()
        return True

    def _stay(self) -> None:
        """What aiohttp does after an answer: count it, and begin to wait for the next request anew."""
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
