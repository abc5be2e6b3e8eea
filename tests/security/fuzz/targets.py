"""Request targets and headers through the application: an answer that is meant, and never a fault of ours."""

from __future__ import annotations

import asyncio
import logging

import atheris
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParserPy
from yarl import URL

from tests.security.fuzz.running import fuzz
from tests.support.served_board import live
from ticker.web.routes import ROUTES

with atheris.instrument_imports(include=["ticker"]):
    from ticker.web.routes import build


SERVED = live()
APP = build(SERVED.context)
APP.freeze()
LOOP = asyncio.new_event_loop()


class Nobody(BaseProtocol):
    """Whom nothing is sent to."""

    ssl_context = peername = sockname = None

    async def drain(self) -> None:
        """All is well."""


NOBODY = Nobody(LOOP)
KNOWN = {200, 204, 304, 400, 404, 405, 412, 505}
# They tell how the service fares, and nothing runs in this one.
MAY_BE_503 = ("/healthz", "/readyz")


def one(data: bytes) -> None:
    """A request's head, without the method: the target, and header lines below it."""
    parser = HttpRequestParserPy(NOBODY, LOOP, 2**16)
    try:
        messages, _, _ = parser.feed_data(b"GET /" + data + b"\r\n\r\n")
    except (HttpProcessingError, ValueError):
        return
    for message, payload in messages:
        if message.path.split("?")[0] == "/v1/stream":
            continue
        request = web.Request(message, payload, NOBODY, NOBODY, None, LOOP)  # type: ignore[arg-type] # no connection
        answered = LOOP.run_until_complete(APP._handle(request))
        if answered.status not in KNOWN and not (answered.status == 503 and request.path in MAY_BE_503):
            raise AssertionError(f"{answered.status} for {URL(message.path, encoded=True)}")


def seeds() -> list[bytes]:
    """Every route with its parameters, and the headers that choose."""
    version = b" HTTP/1.1\r\nHost: localhost\r\n"
    paths = [path.replace("{symbol}", "USD")[1:].encode() for path, _ in ROUTES]
    queries = (
        b"v1/quotes?symbols=USD,EUR&lang=ru&shape=map&fields=symbol,price&precision=2&format=csv",
        b"v1/quotes?at=2024-11-22T12:00:00%2B03:00",
        b"v1/quotes/USD/history?from=2024-11-01&to=2024-11-22&interval=1d&limit=10&cursor=1f&format=ndjson",
        b"v1/convert?amount=100.50&from=USD&to=EUR&precision=2",
        b"widget?symbols=USD&lang=zh-Hant-TW&style=sparkline&at=2024-11-22",
        b"?symbols=USD&symbols=EUR&lang=ar-EG&style=change&theme=dark",
        b"sparkline/USD.svg?days=30&lang=de",
        b"widget.js?v=0123456789ab",
    )
    headers = (
        b"Accept: text/csv;q=0.5, */*\r\nAccept-Encoding: br;q=1.0, gzip;q=0, *\r\nAccept-Language: ru-RU,ru;q=0.9\r\n",
        b'If-None-Match: W/"a", "b"\r\nIf-Modified-Since: Fri, 22 Nov 2024 09:00:00 GMT\r\n',
        b"Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\nX-Forwarded-For: 10.0.0.1, ::1\r\n",
    )
    targets = [*paths, *queries]
    return [each + version + line for each in targets for line in (b"", *headers)]


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    fuzz(one, seeds())
