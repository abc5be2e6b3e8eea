"""What is asked of a client, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from ticker.values import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from types import TracebackType


class Answer(Struct, frozen=True):
    """A complete successful answer; `body` is decompressed and below the cap."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetching(Protocol):
    """What the poller asks: the fetcher, or something around it or in its place."""

    async def __aenter__(self) -> Self:
        """Make ready."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Let go."""

    async def get(
        self,
        url: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        /,
        *,
        timeout: timedelta,  # noqa: ASYNC109 - as the fetcher's
        max_bytes: int,
        secret: Mapping[str, str] | None = None,
    ) -> Answer:
        """As the fetcher's."""
