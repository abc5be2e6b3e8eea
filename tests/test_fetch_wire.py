"""What a fetch makes of servers that speak no proper TLS or HTTP."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.programs import needs
from ticker.fetch import Call, Fetcher
from ticker.quotes import Reason, SourceError

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs


async def failure(url: str) -> SourceError:
    """The error that fetching `url` ends with."""
    async with Fetcher("market-ticker/test") as fetcher:
        with pytest.raises(SourceError) as caught:
            await fetcher.get(Call(url, timeout=timedelta(seconds=5), max_bytes=65_536))
    return caught.value


@asynccontextmanager
async def speaking(words: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that says `words` to everybody who has asked something, and hangs up."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(words)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """Make a certificate for 127.0.0.1 that nobody but itself vouches for."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-days", "2", "-keyout", str(key), "-out", str(certificate)]
    made = [needs("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject]
    subprocess.run(made, check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    return tls


async def test_a_certificate_nobody_vouches_for_is_a_tls_failure(self_signed: ssl.SSLContext) -> None:
    """A self-signed certificate ends the call before a byte is asked for."""
    async with speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", self_signed) as url:
        assert (await failure(f"{url}/a")).reason is Reason.TLS


async def test_plain_words_where_tls_was_asked_for_are_a_tls_failure() -> None:
    """A proxy that answers in the clear is no safer."""
    async with speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        assert (await failure(f"{url.replace('http', 'https')}/a")).reason is Reason.TLS


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (b"", Reason.CONNECT),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Reason.PARSE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Reason.PARSE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Reason.PARSE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", Reason.PARSE),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n", Reason.PARSE),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", Reason.ENCODING),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 4\r\n\r\nabcd", Reason.ENCODING),
    ],
)
async def test_what_is_no_http_is_refused(words: bytes, reason: Reason) -> None:
    """Another protocol, broken framing and a body that is not encoded as it says are named failures."""
    async with speaking(words) as url:
        assert (await failure(f"{url}/a")).reason is reason
