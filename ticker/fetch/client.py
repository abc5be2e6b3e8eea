"""The only HTTP client: every call has time-outs, a size cap and a named failure; nothing else leaves this room."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import aiohttp
from yarl import URL

from ticker.fetch import failures
from ticker.fetch.answer import Answer
from ticker.quotes import Reason, SourceError
from ticker.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from types import TracebackType

_CHUNK = 64 * 1024
_REDIRECTS = 3
# Answers kept for conditional requests: one for each thing that is polled, with room; never one for each day asked for.
_REMEMBERED = 64


class Fetcher:
    """Fetches upstream answers over one shared connection pool; an async context manager.

    `user_agent` names us honestly to the upstream.
    """

    def __init__(self, user_agent: str) -> None:
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None
        self._known: dict[str, Answer] = {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate"},
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=32, limit_per_host=4),
            raise_for_status=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(
        self,
        url: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        timeout: timedelta,  # noqa: ASYNC109 - the caller's setting; the whole call is bounded by it
        max_bytes: int,
        secret: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer of `url`, asked for conditionally where an earlier one had a validator.

        `secret` goes into the query like `query`, and into nothing that is kept. Raises SourceError, and nothing else,
        within `timeout` altogether.
        """
        plain = URL(url, encoded=True).update_query(query) if query else URL(url, encoded=True)
        target = plain.update_query(secret) if secret else plain
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                answer = await self._follow(target, headers, max_bytes)
                return replace(answer, url=str(plain)) if secret else answer
        except SourceError:
            raise
        except TimeoutError as error:
            raise SourceError(Reason.TIMEOUT, f"no complete answer within {timeout.total_seconds():g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise failures.named(error) from error

    async def _follow(self, target: URL, headers: Mapping[str, str], max_bytes: int) -> Answer:
        """Redirects are followed on the same host only: another host is a guard or consent page, or an attack."""
        start = target
        for _ in range(_REDIRECTS + 1):
            answer, location = await self._once(target, headers, max_bytes)
            if answer is not None:
                return answer
            from ticker.fetch.redirects import onward_of  # noqa: PLC0415 - hardly any source sends us on

            target = onward_of(start, target, location)
        raise SourceError(Reason.BLOCKED, f"more than {_REDIRECTS} redirects")

    async def _once(self, target: URL, headers: Mapping[str, str], max_bytes: int) -> tuple[Answer | None, str]:
        if self._session is None:
            message = "the fetcher is used outside its context"
            raise RuntimeError(message)
        known = self._known.get(str(target))
        async with self._session.get(
            target, headers={**headers, **_conditions(known)}, allow_redirects=False
        ) as response:
            if response.status == 304 and known is not None:  # noqa: PLR2004 - Not Modified
                return known, ""
            if 300 <= response.status < 400 and response.status != 304:  # noqa: PLR2004 - the redirection class
                return None, response.headers.get("Location", "")
            failures.check(response.status, response.headers, datetime.now(UTC))
            body = await _read(response, max_bytes)
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
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise SourceError(Reason.SIZE, f"more than {max_bytes} bytes")
    return bytes(body)
