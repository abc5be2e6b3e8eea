"""The one thing that mutates: the snapshot everyone reads, and the bell that rings when there is a newer one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime

from ticker.overrides import NO_OVERRIDES, Overrides
from ticker.quotes import Reason, Snapshot, Status


class Board:
    """Holds the current snapshot. Readers never wait and never cause anything upstream."""

    def __init__(
        self, first: Snapshot, overrides: Overrides = NO_OVERRIDES, cut_off: Callable[[], bool] = lambda: False
    ) -> None:
        """`overrides` are what editors have set; they lie over the snapshot that selection has decided.

        While it is `cut_off` from whoever polls, nothing that it shows is fresh: nobody would tell it of a new number.
        """
        self._selected = first
        self._overrides = overrides
        self._cut_off = cut_off
        self._doubted = False
        self._snapshot = overrides.applied(first, first.generated_at)
        self._turns_at = self._turns(first.generated_at)
        self._next_change: datetime | None = None
        self._bell = asyncio.Event()
        self._closed = False
        self._revision = 0
        self._loaded = _has_number(first)

    @property
    def revision(self) -> int:
        """Grows with everything an answer depends on but time: the snapshot, and how long it may be kept."""
        return self._revision

    @property
    def latest(self) -> Snapshot:
        """The snapshot last shown, whatever the time."""
        return self._snapshot

    @property
    def latest_selected(self) -> Snapshot:
        """The snapshot last put: what selection has decided, without any editor's hand."""
        return self._selected

    def selected(self, now: datetime) -> Snapshot:
        """What selection has decided as it stands at `now`, without any editor's hand."""
        self.current(now)
        return self._selected

    @property
    def overrides(self) -> Overrides:
        """What editors have set."""
        return self._overrides

    @property
    def loaded(self) -> bool:
        """Whether it has ever shown a number, in this process or at its start."""
        return self._loaded

    @property
    def turns_at(self) -> datetime | None:
        """When time alone changes the snapshot next; None where it never does."""
        return self._turns_at

    def current(self, now: datetime) -> Snapshot:
        """The snapshot as it stands at `now`.

        Asked on every request, so that a number past its time is withdrawn even while every timer stands still.
        """
        if self._cut_off() is not self._doubted:
            self._doubted = not self._doubted
            selected = self._selected.at(now)
            self.put(replace(selected, version=selected.version + 1, generated_at=now), now)
        elif self._turns_at is not None and now >= self._turns_at:
            aged = self._selected.at(now)
            if self._shown(aged, now).quotes != self._snapshot.quotes and aged is self._selected:
                # An editor's hand has come or gone: a version of its own, dated when it was due.
                aged = aged.follow(aged.quotes, self._turns_at)
            self.put(aged, now)
        return self._snapshot

    def override(self, overrides: Overrides, version: int, now: datetime) -> None:
        """Lay `overrides` over what is shown, instead of those before, as `version` at the least."""
        if overrides == self._overrides:
            return
        self._overrides = overrides
        selected = self._selected
        self.put(replace(selected, version=max(selected.version + 1, version), generated_at=now), now)

    def put(self, snapshot: Snapshot, now: datetime) -> None:
        """Publish `snapshot` if it is newer than the one shown, and wake everyone who waits for updates."""
        newer = snapshot.version > self._selected.version
        if newer:
            self._selected = snapshot
            self._loaded = self._loaded or _has_number(snapshot)
        self._snapshot = self._shown(self._selected, now)
        self._turns_at = self._turns(now)
        self._revision += 1
        if newer:
            self._ring()

    def check(self, checked: Mapping[str, datetime]) -> None:
        """Note when a source last said the shown number again, by symbol: no news, but answers tell it."""
        quotes = tuple(
            replace(each, checked_at=checked.get(each.symbol, each.checked_at)) for each in self._selected.quotes
        )
        if quotes != self._selected.quotes:
            self._selected = replace(self._selected, quotes=quotes)
            held = {each.symbol: each for each in self._snapshot.quotes if each.override is not None}
            trusted = self._trusted(self._selected).quotes
            self._snapshot = replace(
                self._snapshot,
                quotes=tuple(held.get(each.symbol, each) for each in trusted),
            )
            self._revision += 1

    def expect(self, when: datetime | None) -> None:
        """Note when the next poll may bring a change: until then an answer may be cached."""
        self._next_change = when
        self._revision += 1

    def next_change(self, now: datetime) -> datetime:
        """The earliest moment from `now` on at which the current answer may no longer be the latest one."""
        moments = [moment for moment in (self._next_change, self._turns_at) if moment is not None]
        return max(now, min(moments, default=now))

    async def updates(self, since: int) -> AsyncIterator[Snapshot]:
        """Every snapshot newer than version `since` that a reader has time for: a slow one gets the newest only."""
        while not self._closed:
            if self._snapshot.version > since:
                since = self._snapshot.version
                yield self._snapshot
            else:
                await self._bell.wait()

    def _shown(self, selected: Snapshot, now: datetime) -> Snapshot:
        """`selected` as readers see it at `now`."""
        return self._overrides.applied(self._trusted(selected), now)

    def _trusted(self, selected: Snapshot) -> Snapshot:
        """`selected`, with nothing fresh in it while nobody would tell us of a newer number."""
        if not self._doubted:
            return selected
        quotes = tuple(
            replace(each, status=Status.STALE, reason=Reason.FROZEN) if each.status is Status.FRESH else each
            for each in selected.quotes
        )
        return replace(selected, quotes=quotes)

    def _turns(self, now: datetime) -> datetime | None:
        moments = (self._selected.turns_at(now), self._snapshot.turns_at(now), self._overrides.turns_at(now))
        return min((moment for moment in moments if moment is not None), default=None)

    def close(self) -> None:
        """End every iteration over updates."""
        self._closed = True
        self._ring()

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()


def _has_number(snapshot: Snapshot) -> bool:
    return any(quote.price is not None for quote in snapshot.quotes)
