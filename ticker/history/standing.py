"""The quote that the rows of one moment give: what a board of the past is made of. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.quotes import Candidate, PriceType, Quote
from ticker.select.publish import publish
from ticker.select.question import Question
from ticker.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ticker.calendars.calendar import Calendar
    from ticker.quotes import Instrument
    from ticker.stores.base import Row


def quote_of(
    instrument: Instrument, calendars: Mapping[str, Calendar], found: Sequence[Sequence[Row]], now: datetime
) -> Quote:
    """What `instrument` stood at, of the rows `found` by source, each the newest first."""
    candidates = [_candidate(rows, calendars[rows[0].source]) for rows in found if rows]
    if not candidates:
        return Quote(instrument)
    ask = Question(instrument, candidates, calendars, now)
    fresh = [candidate for candidate in candidates if ask.fresh(candidate)]
    leader = min(fresh, key=ask.rank) if fresh else max(candidates, key=lambda c: (c.as_of, -ask.rank(c)))
    # Who else agreed is not kept; nor is it invented.
    return replace(publish(ask, leader, [leader]), agreement=None)


def _candidate(rows: Sequence[Row], calendar: Calendar) -> Candidate:
    """The newest of `rows`, with the publication before it where the archive holds just that one."""
    newest, before = rows[0], rows[1] if len(rows) > 1 else None
    candidate = Candidate(
        symbol=newest.symbol,
        source=newest.source,
        publisher=newest.publisher,
        price=newest.price,
        price_type=newest.price_type,
        as_of=newest.as_of,
        fetched_at=newest.fetched_at,
        previous=newest.previous,
        previous_as_of=newest.previous_as_of,
        contract=newest.contract,
    )
    if newest.previous is not None or before is None or newest.price_type is not PriceType.FIXING:
        return candidate
    if before.as_of != calendar.previous(newest.as_of):
        return candidate
    return replace(candidate, previous=before.price, previous_as_of=before.as_of)
