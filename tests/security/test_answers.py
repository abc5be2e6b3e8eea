"""An upstream that means harm: bombs, bodies and headers without end, and documents made to cost."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import brotli
import pytest
import zstandard

from tests.support.answers import HISTORY, LIVE
from tests.support.patience import PATIENCE
from tests.support.upstream import Upstream
from ticker.fetch import Call, Fetcher
from ticker.quotes import Reason, SourceError
from ticker.sources import SOURCES
from ticker.sources.base import as_csv, as_json, as_xml, number

CAP = 64 * 1024
SIZE = 64 * 1024 * 1024
# Processor seconds for one answer of this size; what grows with the square takes many times as long.
SOON, LARGE = 2.0, 500_000


def raw_deflated(body: bytes) -> bytes:
    """Deflate without its wrapping, as some servers send it."""
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(body) + packer.flush()


BOMBS: dict[str, tuple[str, Callable[[bytes], bytes], Reason]] = {
    "gzip": ("gzip", gzip.compress, Reason.SIZE),
    "deflate": ("deflate", zlib.compress, Reason.SIZE),
    "deflate without its wrapping": ("deflate", raw_deflated, Reason.SIZE),
    "br, which was not asked for": ("br", lambda blanks: brotli.compress(blanks, quality=4), Reason.SIZE),
    "zstd, which was not asked for": ("zstd", zstandard.compress, Reason.ENCODING),
    "a hundred thousand gzips in a row": ("gzip", lambda _: gzip.compress(b" ") * 100_000, Reason.ENCODING),
}


async def failure(url: str, seconds: float = 10) -> SourceError:
    """The error that fetching `url` ends with."""
    async with Fetcher("market-ticker/test") as fetcher:
        with pytest.raises(SourceError) as caught:
            await fetcher.get(Call(url, timeout=timedelta(seconds=seconds), max_bytes=CAP))
    return caught.value


@asynccontextmanager
async def saying(first: bytes, again: bytes) -> AsyncIterator[str]:
    """A server that says `first`, and `again` as long as somebody listens."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        try:
            while True:
                writer.write(again)
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_is_put_out_before_it_has_grown(bomb: str) -> None:
    """It ends at the size that is allowed, and no more than some chunks of it are ever held."""
    coding, packed, reason = BOMBS[bomb]
    body = packed(b" " * SIZE)
    async with Upstream() as upstream:
        upstream.answer("/a", body=body, headers={"Content-Encoding": coding})
        tracemalloc.start()
        try:
            error = await failure(f"{upstream.url}/a")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert error.reason is reason
    assert peak < len(body) + 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("first", "again", "reasons"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100, {Reason.PARSE}),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000, {Reason.PARSE}),
        (b"HTTP/1.1 200 ", b"O" * 1000, {Reason.PARSE}),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 1000, {Reason.SIZE}),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b" " * 1024 + b"\r\n", {Reason.SIZE}),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a=b;" * 100, {Reason.PARSE, Reason.TIMEOUT}),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 9, {Reason.PARSE}),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", {Reason.TIMEOUT}),
        (b"", b"\r\n", {Reason.TIMEOUT}),
    ],
    ids=["headers", "header", "reason", "body", "chunks", "extension", "trailer", "hundreds", "blanks"],
)
async def test_what_does_not_end_is_ended(first: bytes, again: bytes, reasons: set[Reason]) -> None:
    """By its size or by the time of the whole call, and in a few megabytes."""
    async with saying(first, again) as url:
        tracemalloc.start()
        try:
            async with asyncio.timeout(PATIENCE):
                error = await failure(url, 1 if Reason.TIMEOUT in reasons else 10)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert error.reason in reasons
    assert peak < 16 * 1024 * 1024


LAUGHS = "".join(f'<!ENTITY {two} "{f"&{one};" * 10}">' for one, two in zip("abcdefgh", "bcdefghi", strict=True))
XML: dict[str, str] = {
    "billion laughs": f'<!DOCTYPE x [<!ENTITY a "ha">{LAUGHS}]><x>&i;</x>',
    "quadratic blow-up": f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]><x>{"&a;" * 50_000}</x>',
    "an external entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "an external entity by HTTP": '<!DOCTYPE x [<!ENTITY a SYSTEM "http://127.0.0.1:9/">]><x>&a;</x>',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/"> %a;]><x/>',
    "an external type": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>',
    "a type and nothing more": "<!DOCTYPE x><x/>",
    "a million tags": "<x>" + "<y/>" * 1_000_000 + "</x>",
    "a character that is none": "<x>&#xD800;</x>",
}


@pytest.mark.parametrize("attack", XML)
def test_xml_has_no_entities_and_no_types(attack: str) -> None:
    """Refused where it is declared: nothing is expanded, nothing fetched."""
    with pytest.raises(SourceError) as caught:
        as_xml(XML[attack].encode())
    assert caught.value.reason is Reason.PARSE


JSON: dict[str, tuple[bytes, Reason]] = {
    "deep arrays": (b"[" * LARGE, Reason.PARSE),
    "deep objects": (b'{"a":' * LARGE, Reason.PARSE),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), Reason.ENCODING),
    "bytes of no encoding": (b'["\xff\xfe"]', Reason.ENCODING),
    "a surrogate in bytes": (b'["\xed\xa0\x80"]', Reason.ENCODING),
}


@pytest.mark.parametrize("attack", JSON)
def test_json_is_numbers_of_this_world_each_name_once(attack: str) -> None:
    """What another reader would round, swallow or overwrite is refused."""
    body, reason = JSON[attack]
    with pytest.raises(SourceError) as caught:
        as_json(body)
    assert caught.value.reason is reason


NO_NUMBERS = [
    *(b"NaN", b"-Infinity", b"1e999", b"1e-999", b"1e" + b"9" * LARGE, b"1" * LARGE, b"0." + b"1" * LARGE),
]


@pytest.mark.parametrize("written", NO_NUMBERS, ids=lambda written: written[:9].decode())
def test_a_number_of_another_world_is_none(written: bytes) -> None:
    """What another reader would round or swallow is refused where it is asked for."""
    with pytest.raises(SourceError) as caught:
        number(as_json(b"[" + written + b"]")[0], "a")
    assert caught.value.reason is Reason.PARSE


@pytest.mark.parametrize("body", [b'{"a": 1, "a": 2}', b'{"a": 1, "\\u0061": 2}'])
def test_a_name_that_stands_twice_has_no_value(body: bytes) -> None:
    """However it is written: of two values nobody can say which is meant."""
    with pytest.raises(SourceError) as caught:
        number(as_json(body)["a"], "a")
    assert caught.value.reason is Reason.SCHEMA


def test_half_a_surrogate_pair_is_text_that_harms_nobody() -> None:
    """JSON may write one; it becomes no error of ours wherever it is told."""
    (text,) = as_json(b'["\\ud800"]')
    assert str(SourceError(Reason.SCHEMA, text)).encode()


NAMES = [b'"k%07d":0' % number for number in range(LARGE // 12)]
COSTLY: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "names": (as_json, b"{" + b",".join(NAMES) + b"}"),
    "the last name twice": (as_json, b"{" + b",".join([*NAMES, NAMES[-1]]) + b"}"),
    "every name twice": (as_json, b"{" + b",".join(NAMES * 2) + b"}"),
    "escapes": (as_json, b'"' + b"\\ud800" * (LARGE // 6) + b'"'),
    "a string without end": (as_json, b'"' + b"\\" * LARGE),
    "empty objects": (as_json, b"[" + b"{}," * (LARGE // 3) + b"{}]"),
    "blanks": (as_json, b" " * LARGE),
    "attributes": (as_xml, b"<a " + b" ".join(b'a%07d="1"' % number for number in range(LARGE // 13)) + b"/>"),
    "namespaces": (as_xml, b"<a " + b" ".join(b'xmlns:a%d="u"' % number for number in range(LARGE // 16)) + b"/>"),
    "deep tags": (as_xml, b"<a>" * 50_000),
    "a prolog": (as_xml, b"<?xml " + b" " * LARGE + b"?><a/>"),
    "a comment": (as_xml, b"<a><!--" + b"-" * LARGE + b"--></a>"),
    "references": (as_xml, b"<a>" + b"&#65;" * (LARGE // 5) + b"</a>"),
    "commas": (as_csv, b"," * LARGE),
    "quotes": (as_csv, b'"' * LARGE),
    "rows": (as_csv, b"a,b\n" * (LARGE // 4)),
    "ends of lines": (as_csv, b"\r" * LARGE),
}


@pytest.mark.parametrize("attack", COSTLY)
def test_no_document_costs_more_than_its_size(attack: str) -> None:
    """Read or refused, in time that grows as the bytes do: the service stands still meanwhile."""
    read, body = COSTLY[attack]
    assert cost(read, body) < SOON


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (as_json, b"[" + b"1," * 200_000 + b"1]"),
        (as_json, b"{" + b'"k":0,' * 200_000 + b"}"),
        (as_csv, b"a,b\n" * 60_000),
        (as_csv, b"," * 300_000),
        (as_xml, b"<a>" * 60_000),
        (as_xml, b"<a " + b'a="1" ' * 110_000 + b"/>"),
    ],
    ids=["values", "names", "rows", "cells", "tags", "attributes"],
)
def test_more_than_any_table_has_is_not_built(read: Callable[[bytes], object], body: bytes) -> None:
    """A million values, rows, tags or attributes are counted and refused before one of them costs anything."""
    with pytest.raises(SourceError, match="more than"):
        read(body)


@pytest.mark.parametrize("source", SOURCES)
def test_no_adapter_adds_a_cost_of_its_own(source: str) -> None:
    """Every source's reading of every such document, and of its own answer with a string in it grown large."""
    for parse in filter(None, (SOURCES[source].parse, SOURCES[source].parse_archive)):
        for _, body in COSTLY.values():
            assert cost(parse, body) < SOON
        for healthy in (LIVE.get(source), HISTORY.get(source)):
            if healthy is not None:
                long = healthy.replace(b"2024", b"2024" + b"0" * LARGE, 1)
                assert cost(parse, long) < SOON


def cost(read: Callable[[bytes], object], body: bytes) -> float:
    """Processor seconds until `body` is read or refused; any error but ours comes through."""
    began = time.thread_time()
    try:
        read(body)
    except SourceError as error:
        json.dumps(error.detail)
    return time.thread_time() - began
