"""The two queries of a line against their plain meaning: what would be said of the same rows one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.storage.rows import FRIDAY, trade
from ticker.quotes import EPOCH
from ticker.storage.base import Point, Query, Row
from ticker.storage.sqlite import POINT, MemoryStore

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MICRO = timedelta(microseconds=1)
SOURCES = ("moex", "yahoo", "fred")
OFFSET = timedelta(hours=3)

# Few enough that corrections, copies and full hours are common.
moments = st.builds(
    lambda day, hour, quarter: FRIDAY + day * DAY + hour * HOUR + quarter * HOUR / 4,
    st.integers(0, 2),
    st.sampled_from([0, 9, 23]),
    st.integers(0, 1),
)
written = st.builds(
    lambda at, source, price, archived: replace(trade(at, f"{price}", source), archived=archived),
    moments,
    st.sampled_from(SOURCES),
    st.integers(60, 69),
    st.booleans(),
)
spans = st.builds(
    lambda first, last, sources, limit, every: Query("OIL", tuple(sources), first, last, limit, every, OFFSET),
    moments,
    moments,
    st.permutations(SOURCES).flatmap(lambda all_: st.integers(1, 3).map(lambda n: all_[:n])),
    st.integers(1, 8),
    st.sampled_from([None, HOUR, DAY]),
)


# The exchange's first trade of the next day, at midnight, says nothing of the day before.
MIDNIGHT = [replace(trade(FRIDAY + 9 * HOUR, "60", "fred"), archived=True), trade(FRIDAY + DAY, "61")]
WHOLE = Query("OIL", SOURCES, FRIDAY, FRIDAY + 3 * DAY, 10, None, OFFSET)


@settings(max_examples=150)
@example(rows=MIDNIGHT, asked=[WHOLE])
@given(rows=st.lists(written, max_size=14), asked=st.lists(spans, min_size=1, max_size=6))
def test_a_line_is_what_its_rows_say(rows: list[Row], asked: list[Query]) -> None:
    """Revisions, preferences, archives, stretches, ends and limits, in any mixture."""
    store = MemoryStore()
    store.open()
    store.write(rows, {})
    found = store._history.read(f"SELECT archived, {POINT} FROM quotes")  # noqa: S608 - a literal
    kept = [(bool(archived), Point(*columns)) for archived, *columns in found]
    for span in asked:
        assert store.series(span) == said(kept, span)
    store.close()


def said(kept: list[tuple[bool, Point]], span: Query) -> list[Point]:
    """The points of `span`, by its own words."""
    newest = {(p.source, p.as_of): (old, p) for old, p in sorted(kept, key=lambda pair: pair[1].revision)}
    within = [(old, p) for old, p in newest.values() if p.source in span.sources and in_micros(span, p)]
    if span.every is None:
        lines = [p for old, p in within if not told(kept, span, p, archived=old)]
    else:
        best: dict[int, Point] = {}
        for _, p in sorted(within, key=lambda pair: (-span.sources.index(pair[1].source), pair[1].as_of)):
            best[stretch(p.as_of, span.every)] = p
        lines = list(best.values())
    return sorted(lines, key=lambda p: p.as_of)[: span.limit]


def in_micros(span: Query, point: Point) -> bool:
    """Whether the point lies in the stretch asked for."""
    return span.first <= EPOCH + point.as_of * MICRO < span.end


def told(kept: list[tuple[bool, Point]], span: Query, point: Point, *, archived: bool) -> bool:
    """Whether a preferred source tells of the same moment, or where `archived` of the same day."""
    before = span.sources[: span.sources.index(point.source)]
    return any(
        other.source in before
        and (stretch(other.as_of, DAY) == stretch(point.as_of, DAY) if archived else other.as_of == point.as_of)
        for _, other in kept
    )


def stretch(as_of: int, every: timedelta) -> int:
    """Which of the stretches of local time it is in."""
    return (as_of * MICRO + OFFSET) // every
