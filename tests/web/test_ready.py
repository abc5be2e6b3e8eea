"""Answers ready to be sent: every byte of them, and what becomes of them where the connection ends."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.running_service import Served
from ticker.rendering.representation import Representation
from ticker.web.responses import modified, ready_response, unmodified

BODY = b'{"price": 100.6798}' * 40
MADE = Representation(BODY, "application/json", datetime(2024, 11, 22, 9, tzinfo=UTC))
FIELDS = {"Vary": "Accept-Encoding"}
OPENING = b"HTTP/1.1 200 OK\r\nServer: ticker\r\n"


def test_an_answer_is_its_opening_its_own_fields_and_its_body() -> None:
    """To GET; HEAD has the same without the body, and 304 nothing that speaks of one."""
    each = ready_response("/v1/quotes", MADE, "gzip", FIELDS)
    own = b"ETag: %b\r\nVary: Accept-Encoding\r\n" % each.etag.encode()
    content = b"Content-Type: application/json\r\nContent-Length: %d\r\nContent-Encoding: gzip\r\n\r\n" % len(each.body)
    assert each.body == MADE.encoded("gzip")
    assert modified(OPENING, each, body=True) == OPENING + own + content + each.body
    assert modified(OPENING, each, body=False) == OPENING + own + content
    assert unmodified(OPENING, each) == OPENING + own + b"\r\n"


def test_what_is_not_worth_a_coding_is_sent_as_it_is() -> None:
    """A coding that the representation does not offer is not used, whoever asks for it."""
    small = Representation(b"{}", "application/json", MADE.modified)
    each = ready_response("/v1/quotes", small, "br", FIELDS)
    assert (each.body, each.etag) == (b"{}", small.etag("identity"))
    assert b"Content-Encoding" not in each.content


async def test_every_answer_says_the_same_however_its_connection_goes_on(served: Served) -> None:
    """`Connection: close` and HTTP/1.0 are told how the connection ends, and else the same as everybody."""
    for headers in ({}, {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "br", "Accept-Language": "ru"}):
        kept = await served.client.get("/widget", headers=headers)
        closed = await served.client.get("/widget", headers={**headers, "Connection": "close"})
        assert closed.headers["Connection"] == "close"
        alike = {name: value for name, value in closed.headers.items() if name not in {"Connection", "Date"}}
        assert alike == {name: value for name, value in kept.headers.items() if name != "Date"}
        assert await closed.read() == await kept.read()
