"""The names of what goes wrong on the way: the client's errors and an upstream's statuses, each by its one slug."""

from __future__ import annotations

import ssl
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from ticker.quotes import Reason, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_RETRY_AFTER_MOST = timedelta(days=1)
# The first family that an error belongs to names it; whatever else can go wrong on a connection is `connect`.
_FAMILIES: tuple[tuple[type[Exception], Reason], ...] = (
    (aiohttp.ClientConnectorDNSError, Reason.DNS),
    (aiohttp.ClientSSLError, Reason.TLS),
    (ssl.SSLError, Reason.TLS),
    (aiohttp.ClientResponseError, Reason.PARSE),
    (aiohttp.ClientPayloadError, Reason.PARSE),
)


def check(status: int, headers: Mapping[str, str], now: datetime) -> None:
    """Raises SourceError for every status but 200, with the wait that the upstream asks for; `now` is the true time."""
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        raise SourceError(Reason.RATE_LIMITED, f"HTTP {status}", retry_after=retry_after(headers, now))
    if status >= 500:  # noqa: PLR2004 - the server error class
        raise SourceError(Reason.HTTP_5XX, f"HTTP {status}", retry_after=retry_after(headers, now))
    if status != 200:  # noqa: PLR2004 - anything else is not the whole answer
        raise SourceError(Reason.HTTP_4XX, f"HTTP {status}")


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


def named(error: Exception) -> SourceError:
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
