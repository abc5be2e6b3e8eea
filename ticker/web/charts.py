"""The history charts of the page: each drawn off the loop, and remembered for half a minute."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aiohttp import web
from cachetools import TTLCache

from ticker.quotes import PriceType, Quote, Snapshot
from ticker.rendering.chart import RANGES, ChartFrame, ChartPoint, chart_points, history_chart
from ticker.rendering.locales import locale_of
from ticker.rendering.page_words import words_for
from ticker.rendering.schemas import name_of
from ticker.rendering.site import Drawing
from ticker.storage.base import StoreError
from ticker.storage.history import Series, TimeRange
from ticker.web.context import Context

_KEPT, _REMEMBERED_SECONDS = 256, 30
# Points asked for: more than any range has at its interval.
_MOST_POINTS = 5000
# How far before a chart's first day the number may be from that still holds on it: no market rests longer.
_BEFORE = timedelta(days=14)
_SHORTEST = timedelta(days=2)
_INTERVALS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "1w": timedelta(days=7)}


class Charts:
    """Draws the charts that a page shows."""

    def __init__(self) -> None:
        self._drawn: TTLCache[Hashable, Drawing] = TTLCache(_KEPT, _REMEMBERED_SECONDS)

    async def drawn(self, context: Context, snapshot: Snapshot, span: str, lang: str) -> tuple[Drawing, ...] | None:
        """One of each instrument over `span`, a key of RANGES, up to the number on the board; None without a store."""
        try:
            return tuple([await self._of(context, quote, span, lang) for quote in snapshot.quotes])
        except StoreError:
            return None

    async def _of(self, context: Context, quote: Quote, span: str, lang: str) -> Drawing:
        key = (quote.symbol, span, lang, quote.as_of, quote.price, quote.status)
        if key not in self._drawn:
            self._drawn[key] = await _drawn(context, quote, span, lang)
        return self._drawn[key]


CHARTS = web.AppKey("charts", Charts)


async def _drawn(context: Context, quote: Quote, span: str, lang: str) -> Drawing:
    length, interval = RANGES[span]
    calendar = context.settings.calendar_of(quote.symbol)
    now = context.clock().astimezone(calendar.zone)
    first = None if length is None else now - length
    steps = quote.price_type is PriceType.FIXING
    asked = None if first is None else first - _BEFORE if steps else first
    # What is published for tomorrow is in the store already, and no number of today's.
    ask = TimeRange(quote.symbol, asked, now, interval, _MOST_POINTS)
    locale = locale_of(lang)

    def make(line: Series) -> str:
        points = chart_points(line.points, quote.instrument, calendar, now, _INTERVALS[interval])
        points = _with_the_present(points, quote, now)
        if first is not None:
            before = [point for point in points if point.at <= first]
            points = [*before[-1:], *(point for point in points if point.at > first)]
        if not points:
            return ""
        title = f"{name_of(quote.instrument, locale)}, {words_for(locale)[span].lower()}"
        # A history that is shorter than the period fills the picture all the same; its dates are written below it.
        began = max(first or points[0].at, min(points[0].at, now - _SHORTEST)).astimezone(calendar.zone)
        return history_chart(points, ChartFrame(title, began, now, quote.instrument.decimals, locale, steps))

    _, svg = await context.history.line(ask, make)
    return Drawing(quote.symbol, svg, str(calendar.zone))


def _with_the_present(points: list[ChartPoint], quote: Quote, now: datetime) -> list[ChartPoint]:
    """The points and, where the store has it not yet, the number on the board; where that has none, nothing goes on."""
    if quote.price is None and points:
        return [*points[:-1], replace(points[-1], gone_from=points[-1].at)]
    if quote.price is None or quote.as_of is None or quote.as_of > now:
        return points
    earlier = [point for point in points if point.at < quote.as_of]
    if earlier:
        # The number that followed has come: what was missing until now is missing no more.
        last = earlier[-1]
        earlier[-1] = replace(
            last,
            stale_from=_until(last.stale_from, quote.as_of),
            gone_from=_until(last.gone_from, quote.as_of),
        )
    stale_from = now if quote.fresh_until is None else quote.fresh_until
    return [
        *earlier,
        ChartPoint(quote.as_of, quote.price, quote.fallback, stale_from if stale_from < now else None),
    ]


def _until(moment: datetime | None, end: datetime) -> datetime | None:
    return moment if moment is not None and moment < end.astimezone(UTC) else None
