"""In the fetcher's place: recorded answers, given in their order, and the clock moved on to each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from ticker.fetch import Answer
from ticker.quotes import Reason, SourceError
from ticker.recording.recorder import located

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType

    from ticker.clock import Stepped
    from ticker.recording.entries import Entry, Recording

# The requests of one poll follow each other within this.
_ONE_POLL = timedelta(minutes=5)


class Playback:
    """A fetcher that answers from the recording; `bases` are the sources by their base address."""

    def __init__(self, recording: Recording, bases: Mapping[str, str], clock: Stepped) -> None:
        self._bases = bases
        self._clock = clock
        self._left: dict[str, list[Entry]] = {}
        self._poll: dict[str, datetime] = {}
        for entry in reversed(recording.entries):
            self._left.setdefault(entry.source, []).append(entry)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def begin(self, entry: Entry) -> bool:
        """Whether `entry` is still to be given; then a poll of its source may be made, which begins with it."""
        left = self._left[entry.source]
        if not left or left[-1] is not entry:
            return False
        self._poll[entry.source] = entry.at
        return True

    def end(self, entry: Entry) -> None:
        """The poll is over; an entry that it did not ask for is passed over."""
        left = self._left[entry.source]
        if left and left[-1] is entry:
            left.pop()

    def mark(self) -> Callable[[], None]:
        """What makes all that is still to be given now be given again."""
        left = {source: list(entries) for source, entries in self._left.items()}

        def back() -> None:
            self._left = {source: list(entries) for source, entries in left.items()}

        return back

    async def get(
        self,
        url: str,
        query: Mapping[str, str],
        _headers: Mapping[str, str],
        *,
        timeout: timedelta,  # noqa: ASYNC109, ARG002 - the fetcher's face
        max_bytes: int,  # noqa: ARG002 - the same
        secret: Mapping[str, str] | None = None,  # noqa: ARG002 - the same
    ) -> Answer:
        """The next recorded answer of the source, where it is one to this request. Raises SourceError as recorded."""
        source, path = located(self._bases, url, query)
        left = self._left.get(source)
        if not left or left[-1].at > self._poll[source] + _ONE_POLL or not _same(left[-1].path, path):
            raise SourceError(Reason.CONNECT, f"{path[:80]} is not in the recording")
        entry = left.pop()
        self._clock.to(entry.at)
        if entry.failure is not None:
            was = entry.failure
            raise SourceError(was.reason, was.detail, retry_after=was.retry_after)
        return Answer(url, entry.status, entry.headers, entry.body)


def _same(recorded: str, asked: str) -> bool:
    """The query may name the day, and a day may have begun between the question and its answer."""
    return recorded.partition("?")[0] == asked.partition("?")[0]
