"""The only HTTP client: time-outs, size caps, conditional requests, and a named failure for all that goes wrong."""

from __future__ import annotations

import asyncio
import re
import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

from ticker.quotes import Reason, SourceError

_CHUNK = 64 * 1024
_REDIRECTS = 3
# Answers kept for conditional requests: one for each thing that is polled, with room; never one for each day asked for.
_REMEMBERED = 64
# What is decoded on the way; another encoding is a body that nobody can read.
_DECODED = frozenset({"", "identity", "gzip", "deflate", "br"})
# A name server that says nothing is a failure of names, told before the whole call is given up.
_LOOKUP_SECONDS, _LOOKUP_TRIES = 2.0, 2


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete successful answer; `body` is decompressed and below the cap."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One GET: `url` with its `query`, given up after `timeout` altogether, and where it is over `max_bytes`.

    `secret` goes into the query like `query`, and into nothing that is kept.
    """

    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: timedelta = timedelta(seconds=10)
    max_bytes: int = 4_000_000
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)


class Fetching:
    """What the poller asks: the fetcher, or something around it or in its place."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Nothing is open, where nothing is said to be."""

    async def get(self, call: Call, /) -> Answer:
        """The answer of `call`. Raises SourceError, and nothing else."""
        raise NotImplementedError


class Fetcher(Fetching):
    """Fetches upstream answers over one shared connection pool; an async context manager.

    `user_agent` names us honestly to the upstream. Names are looked up by c-ares on the loop itself: a lookup that
    hangs is given up like any other wait, and no thread in it holds the end of the process. `nameservers` ("127.0.0.1"
    or with a port) stand in for those of the system.
    """

    def __init__(self, user_agent: str, nameservers: Sequence[str] | None = None) -> None:
        self._user_agent = user_agent
        self._nameservers = nameservers
        self._session: aiohttp.ClientSession | None = None
        self._resolver: aiohttp.AsyncResolver | None = None
        self._known: dict[str, Answer] = {}

    async def __aenter__(self) -> Self:
        servers = None if self._nameservers is None else list(self._nameservers)
        self._resolver = aiohttp.AsyncResolver(timeout=_LOOKUP_SECONDS, tries=_LOOKUP_TRIES, nameservers=servers)
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate"},
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=32, limit_per_host=4, resolver=self._resolver),
            raise_for_status=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()

    async def get(self, call: Call, /) -> Answer:
        """The answer of `call`, asked for conditionally where an earlier one had a validator. Raises SourceError."""
        address = URL(call.url, encoded=True)
        plain = address.update_query(call.query) if call.query else address
        target = plain.update_query(call.secret) if call.secret else plain
        try:
            async with asyncio.timeout(call.timeout.total_seconds()):
                answer = await self._follow(target, call)
                return replace(answer, url=str(plain)) if call.secret else answer
        except SourceError:
            raise
        except TimeoutError as error:
            detail = f"no complete answer within {call.timeout.total_seconds():g} s"
            raise SourceError(Reason.TIMEOUT, detail) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _named(error) from error

    async def _follow(self, target: URL, call: Call) -> Answer:
        """Redirects are followed on the same host only: another host is a guard or consent page, or an attack."""
        start = target
        for _ in range(_REDIRECTS + 1):
            answer, location = await self._once(target, call)
            if answer is not None:
                return answer
            target = _next_hop(start, target, location)
        raise SourceError(Reason.BLOCKED, f"more than {_REDIRECTS} redirects")

    async def _once(self, target: URL, call: Call) -> tuple[Answer | None, str]:
        if self._session is None:
            raise RuntimeError("the fetcher is used outside its context")
        known = self._known.get(str(target))
        async with self._session.get(
            target, headers={**call.headers, **_conditions(known)}, allow_redirects=False
        ) as response:
            if response.status == 304 and known is not None:  # noqa: PLR2004 - Not Modified
                return known, ""
            if 300 <= response.status < 400 and response.status != 304:  # noqa: PLR2004 - the redirection class
                return None, response.headers.get("Location", "")
            check_status(response.status, response.headers, datetime.now(UTC))
            body = await _read(response, call.max_bytes)
            answer = Answer(str(target), response.status, response.headers, body)
        if _conditions(answer):
            self._known[str(target)] = answer
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]
        return answer, ""


def _conditions(known: Answer | None) -> dict[str, str]:
    names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
    return {ask: known.headers[name] for name, ask in names.items() if known and name in known.headers}


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The body, streamed so that neither a bomb nor an endless answer is ever held whole."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    # The client knows gzip by its one name; RFC 9110, 8.4.1.3 gives it a second.
    unpack = zlib.decompressobj(wbits=31) if encoding == "x-gzip" else None
    if unpack is None and encoding not in _DECODED:
        raise SourceError(Reason.ENCODING, f"encoded as {encoding[:40]!r}, which was not asked for")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        try:
            body += unpack.decompress(chunk, max_bytes + 1 - len(body)) if unpack else chunk
        except zlib.error as error:
            raise SourceError(Reason.ENCODING, f"no {encoding}: {error}") from error
        if len(body) > max_bytes:
            raise SourceError(Reason.SIZE, f"more than {max_bytes} bytes")
    if unpack is not None and (not unpack.eof or unpack.unused_data):
        raise SourceError(Reason.ENCODING, f"no whole {encoding}")
    return bytes(body)


# --- Where a redirect may lead: another host is a guard or consent page, or an attack. -------------------------------


def _next_hop(start: URL, target: URL, location: str) -> URL:
    """Where `target` sends on to with `location`. Raises SourceError where that is not `start`'s own place."""
    try:
        onward = target.join(URL(location))
    except ValueError as error:
        raise SourceError(Reason.BLOCKED, f"redirected to {location[:80]!r}") from error
    if not location or onward.scheme not in {"http", "https"} or not _same_place(start, onward):
        raise SourceError(Reason.BLOCKED, f"redirected to {location[:80]!r}")
    return onward


def _same_place(start: URL, onward: URL) -> bool:
    """The same scheme, host and port, or the same host moved up from http to https; nobody's password goes along."""
    if onward.raw_user is not None:
        return False
    upgrade = (
        (start.scheme, onward.scheme) == ("http", "https") and onward.is_default_port() and start.is_default_port()
    )
    return onward.origin() == start.origin() if not upgrade else onward.host == start.host


# --- The names of what goes wrong: the client's errors and an upstream's statuses, each by its one slug. --------------

_RETRY_AFTER_MOST = timedelta(days=1)
# The first family that an error belongs to names it; whatever else can go wrong on a connection is `connect`.
_FAMILIES: tuple[tuple[type[Exception], Reason], ...] = (
    (aiohttp.ClientConnectorDNSError, Reason.DNS),
    (aiohttp.ClientSSLError, Reason.TLS),
    (ssl.SSLError, Reason.TLS),
    (aiohttp.ClientResponseError, Reason.PARSE),
    (aiohttp.ClientPayloadError, Reason.PARSE),
)


def check_status(status: int, headers: Mapping[str, str], now: datetime) -> None:
    """Raises SourceError for every status but 200, with the wait that the upstream asks for; `now` is the true time."""
    if status == 200:  # noqa: PLR2004 - the whole answer; nothing else is
        return
    reason = Reason.HTTP_5XX if status >= 500 else Reason.HTTP_4XX  # noqa: PLR2004 - the server error class
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        reason = Reason.RATE_LIMITED
    raise SourceError(reason, f"HTTP {status}", retry_after=retry_after(headers, now))


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long `Retry-After` asks to wait (RFC 9110, 10.2.3: seconds or a date), a day at most; None where absent."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        wait = timedelta(seconds=min(int(value[:9]), 10**8))
    else:
        try:
            wait = parsedate_to_datetime(value) - now
        except (ValueError, TypeError):
            return None
    return min(max(wait, timedelta(0)), _RETRY_AFTER_MOST)


def _named(error: Exception) -> SourceError:
    """The SourceError that says what `error` of the client is."""
    if any(isinstance(each, ContentEncodingError) for each in _chain(error)):
        reason = Reason.ENCODING
    else:
        reason = next((reason for family, reason in _FAMILIES if isinstance(error, family)), Reason.CONNECT)
    return SourceError(reason, f"{type(error).__name__}: {error}")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


# --- A user's key in other people's words: redacted however it is written there, whole or cut off. -------------------

# So much of a key is taken for the key.
_BEGINNING = 6
REDACTED = "***"


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without `secrets`: neither as they are nor written for a URL or for JSON, character by character."""
    for secret in secrets:
        if secret:
            beginning = "".join(_either(one) for one in secret[:_BEGINNING])
            text = re.sub(rf"{beginning}[^\s'\"<>]*", REDACTED, text, flags=re.IGNORECASE)
    return text


def redact_bytes(body: bytes, secrets: Iterable[str]) -> bytes:
    """The same of bytes; what has no key in it stays as it is, to the byte."""
    return redact(body.decode("latin-1"), [each.encode().decode("latin-1") for each in secrets]).encode("latin-1")


def _either(one: str) -> str:
    plus = r"|\+" if one == " " else ""
    in_url = "".join(f"%{byte:02x}" for byte in one.encode())
    return rf"(?:\\?{re.escape(one)}|{in_url}{plus}|\\u{ord(one):04x})"
