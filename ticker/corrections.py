"""The public record: what stood on the board and should not have, or stood late, computed and never written by hand.

A *wrong* entry is a number that was shown as fresh and is now told otherwise for the same moment, by its own
publisher's re-issue or by what was confirmed. *late* is the time in which something older than what was in force stood,
marked; *missing* the time without a number; *edited* what an editor changed. Pure: snapshots in, entries out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

import msgspec

from ticker.overrides import EditorOverride, Overrides
from ticker.quotes import PriceType, Quote, Snapshot, Status
from ticker.storage.base import RecordEntry

# The kind of these entries in the store.
CORRECTION = "correction"
KINDS = ("wrong", "late", "missing", "edited")
# A number that was off by this fraction or more is marked as material; all are recorded. As the European Central Bank
# does for €STR, where errors above two basis points are corrected on the same day and all are published each quarter.
MATERIAL = Decimal("0.0002")
# Of a fixing, so many of the numbers that were shown are remembered.
_REMEMBERED = 6


@dataclass(frozen=True, slots=True)
class Correction:
    """One entry of the record. `until` is None while it lasts; `seconds` is how long it stood."""

    symbol: str
    kind: str
    since: datetime
    until: datetime | None = None
    shown: Decimal | None = None
    right: Decimal | None = None
    as_of: datetime | None = None
    source: str | None = None
    found_by: str = ""
    note: str | None = None

    @property
    def id(self) -> str:
        """Its own name in the record."""
        return f"{self.kind}-{int(self.since.timestamp() * 1000)}"

    @property
    def seconds(self) -> int | None:
        """How long it stood, in whole seconds; None while it lasts."""
        return None if self.until is None else round((self.until - self.since).total_seconds())

    @property
    def material(self) -> bool:
        """Whether the number was off by as much as matters."""
        return bool(self.shown and self.right and abs(self.shown / self.right - 1) >= MATERIAL)


@dataclass(frozen=True, slots=True)
class Shown:
    """A number that was shown as fresh: of when, from when until when."""

    price: Decimal
    as_of: datetime
    source: str
    publisher: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SymbolState:
    """What the tracker remembers of one instrument: what was shown as fresh, and what lasts."""

    shown: tuple[Shown, ...] = ()
    lasting: Mapping[str, Correction] = field(default_factory=dict)


class CorrectionTracker:
    """Follows the board. `observe` gives what is to be written; `text` is what must survive a restart."""

    def __init__(self, text: str = "{}") -> None:
        self._states: dict[str, SymbolState] = {}
        # What was told of editors' hands; told once more after a restart, in the same place.
        self._edits: dict[tuple[str, str], datetime | None] = {}
        self.take_over(text)

    def take_over(self, text: str) -> None:
        """Remember what another tracker's `text` says; nothing where it cannot be read."""
        try:
            self._states = msgspec.json.decode(text, type=dict[str, SymbolState])
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
            self._states = {}

    @property
    def text(self) -> str:
        """What it remembers."""
        return msgspec.json.encode(self._states).decode()

    def observe(self, snapshot: Snapshot) -> list[Correction]:
        """The entries that `snapshot`, what selection has decided, adds or changes."""
        found: list[Correction] = []
        for quote in snapshot.quotes:
            state = self._states.get(quote.symbol, SymbolState())
            moment = snapshot.generated_at
            state, wrong = _told_otherwise(state, quote, moment)
            state, lasting = _lasting(state, quote, moment)
            self._states[quote.symbol] = _noted(state, quote, moment)
            found += [*wrong, *lasting]
        return found

    def edited(self, overrides: Overrides, snapshot: Snapshot, now: datetime) -> list[Correction]:
        """The entries of what editors have set or ended since this was asked last."""
        symbols = {quote.symbol: quote for quote in snapshot.quotes}
        found = [_edited(each, symbols.get(each.symbol), now) for each in overrides.entries if each.symbol in symbols]
        new = [each for each in found if self._edits.get((each.symbol, each.id)) != each.until]
        self._edits |= {(each.symbol, each.id): each.until for each in new}
        return new


def _told_otherwise(state: SymbolState, quote: Quote, now: datetime) -> tuple[SymbolState, list[Correction]]:
    """A number that was shown as fresh for a moment of which another is believed now."""
    if quote.price is None or quote.as_of is None or quote.status is not Status.FRESH:
        return state, []
    found, kept = [], []
    for each in state.shown:
        same = each.as_of == quote.as_of and each.publisher == (quote.publisher or "")
        if same and each.price != quote.price and quote.price_type is PriceType.FIXING:
            found.append(
                Correction(
                    symbol=quote.symbol,
                    kind="wrong",
                    since=each.since,
                    until=each.until or now,
                    shown=each.price,
                    right=quote.price,
                    as_of=each.as_of,
                    source=each.source,
                    found_by="re-issue" if quote.source == each.source else "confirmed number",
                )
            )
        else:
            kept.append(each)
    return replace(state, shown=tuple(kept)), found


def _lasting(state: SymbolState, quote: Quote, now: datetime) -> tuple[SymbolState, list[Correction]]:
    """What begins or ends with this quote: lateness, or that there is no number."""
    kind = {Status.STALE: "late", Status.UNAVAILABLE: "missing"}.get(quote.status)
    lasting, found = dict(state.lasting), []
    for name, each in state.lasting.items():
        if name != kind:
            found.append(replace(each, until=now, right=quote.price, found_by=each.found_by))
            del lasting[name]
    if kind is not None and kind not in lasting and state.shown:
        # What was never known since the service first ran is no fault of what stood.
        lasting[kind] = Correction(
            symbol=quote.symbol,
            kind=kind,
            since=now,
            shown=quote.price,
            as_of=quote.as_of,
            source=quote.source,
            found_by="calendar",
            note=str(quote.reason) if quote.reason else None,
        )
        found.append(lasting[kind])
    return replace(state, lasting=lasting), found


def _noted(state: SymbolState, quote: Quote, now: datetime) -> SymbolState:
    """With this number among those that were shown, and the one before as no longer shown."""
    fresh = quote.status is Status.FRESH and quote.price is not None and quote.as_of is not None
    last = state.shown[-1] if state.shown else None
    if last is not None and last.until is None:
        if fresh and (last.price, last.as_of, last.source) == (quote.price, quote.as_of, quote.source):
            return state
        state = replace(state, shown=(*state.shown[:-1], replace(last, until=now)))
    if not fresh or quote.price is None or quote.as_of is None:
        return state
    new = Shown(quote.price, quote.as_of, quote.source or "", quote.publisher or "", now)
    return replace(state, shown=(*state.shown, new)[-_REMEMBERED:])


def _edited(override: EditorOverride, quote: Quote | None, now: datetime) -> Correction:
    return Correction(
        symbol=override.symbol,
        kind="edited",
        since=override.since,
        until=override.ends if override.ends <= now else None,
        shown=override.price,
        right=quote.price if quote else None,
        source="override",
        found_by="editor",
        note=f"{override.mode}: {override.note}",
    )


def entry(correction: Correction) -> RecordEntry:
    """As the store keeps it."""
    text = msgspec.json.encode(correction).decode()
    return RecordEntry(CORRECTION, correction.symbol, correction.id, correction.since, text)


def correction_of(text: str) -> Correction:
    """The entry that `text` says. Raises ValueError for one that cannot be read."""
    try:
        return msgspec.json.decode(text, type=Correction)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None


def summary(
    corrections: Iterable[Correction], symbols: Sequence[str], first: datetime, end: datetime
) -> dict[str, dict[str, int]]:
    """Of each instrument the seconds from `first` to `end` that were right, wrong, late, missing and edited."""
    whole = max(0, round((end - first).total_seconds()))
    found = {symbol: {"right": whole, **dict.fromkeys(KINDS, 0)} for symbol in symbols}
    for each in corrections:
        begun, over = max(first, each.since), min(end, each.until or end)
        seconds = max(0, round((over - begun).total_seconds()))
        if each.symbol in found and seconds:
            found[each.symbol][each.kind] += seconds
            found[each.symbol]["right"] = max(0, found[each.symbol]["right"] - seconds)
    return found
