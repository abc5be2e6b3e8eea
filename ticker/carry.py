"""What survives a change of the configuration: a number goes on only where it still means what it meant.

Pure: what was known comes in as arguments, what is still known goes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ticker.calendars import Calendar
from ticker.quotes import Candidate, Instrument, Quote, Snapshot
from ticker.validate import Case, refusal

Key = tuple[str, str]


def meaning(instrument: Instrument) -> tuple[object, ...]:
    """What a number of `instrument` is a number of; the rest is how it is judged and shown."""
    return (instrument.symbol, instrument.base, instrument.quote, instrument.unit, tuple(instrument.codes.items()))


def same(before: Iterable[Instrument], after: Iterable[Instrument]) -> set[str]:
    """The symbols whose numbers mean the same before and after."""
    meant = {each.symbol: meaning(each) for each in before}
    return {each.symbol for each in after if meant.get(each.symbol) == meaning(each)}


def quotes(last: Snapshot, instruments: Iterable[Instrument], now: datetime) -> tuple[Quote, ...]:
    """The shown quotes for `instruments`: with their numbers where these still mean the same and are believed."""
    return tuple(_quote(last.get(each.symbol), each).at(now) for each in instruments)


def _quote(shown: Quote | None, instrument: Instrument) -> Quote:
    if shown is None or meaning(shown.instrument) != meaning(instrument):
        return Quote(instrument)
    low, high = instrument.band
    if shown.price is not None and not low <= shown.price <= high:
        return Quote(instrument)
    until = shown.as_of + instrument.max_age if shown.as_of else None
    return replace(shown, instrument=instrument, usable_until=until)


def candidates(
    known: Mapping[Key, Candidate],
    before: Iterable[Instrument],
    instruments: Sequence[Instrument],
    calendars: Mapping[str, Mapping[str, Calendar]],
    now: datetime,
) -> dict[Key, Candidate]:
    """What the sources last said, without what no rule of the new configuration would let in."""
    kept: dict[Key, Candidate] = {}
    unchanged = same(before, instruments)
    for each in (one for one in instruments if one.symbol in unchanged):
        for source in each.sources:
            candidate = known.get((source, each.symbol))
            if candidate and refusal(Case(candidate, each, calendars[each.symbol][source], None, now)) is None:
                kept[source, each.symbol] = candidate
    return kept
