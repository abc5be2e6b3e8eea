"""Lines of prices as SVG: a sparkline of a word's size. No script, no style; `currentColor` is the only colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from xml.sax.saxutils import escape

from babel import Locale

from ticker.quotes import EPOCH, Instrument, Quote
from ticker.rendering import locales, phrases
from ticker.rendering.representation import Representation
from ticker.rendering.schemas import name_of
from ticker.storage.base import Point

SVG = "image/svg+xml"
WIDTH, HEIGHT, MARGIN = 120, 30, 2


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A line to be drawn in a box of WIDTH by HEIGHT: the `d` of its path, and what it shows in words."""

    path: str
    text: str


def sparkline(points: Sequence[Point], quote: Quote, locale: Locale) -> Sparkline:
    """The line of `points`, oldest first, up to the number that `quote` shows."""
    line = [(moment_of(point), Decimal(point.price)) for point in points]
    if quote.price is not None and quote.as_of is not None:
        line = [(at, price) for at, price in line if at < quote.as_of]
        line.append((quote.as_of, quote.price))
    return _sparkline(line, quote.instrument.decimals, locale)


def _sparkline(line: Sequence[tuple[datetime, Decimal]], decimals: int, locale: Locale) -> Sparkline:
    if not line:
        return Sparkline("", locales.DASH)
    words, prices = phrases.fragment_phrases(locale), [price for _, price in line]

    def said(place: int) -> str:
        return f"{locales.number(prices[place], decimals, locale)} ({locales.day(line[place][0], locale)})"

    low, high = prices.index(min(prices)), prices.index(max(prices))
    text = f"{said(0)} \N{RIGHTWARDS ARROW} {said(-1)}; {words['lowest']} {said(low)}; {words['highest']} {said(high)}"
    return Sparkline(_path([moment.timestamp() for moment, _ in line], [float(price) for price in prices]), text)


def sparkline_file(points: Sequence[Point], instrument: Instrument, lang: str, now: datetime) -> Representation:
    """The sparkline as a file of its own, made at `now`; of no points an empty picture that says so."""
    locale = locales.locale_of(lang)
    line = _sparkline([(moment_of(point), Decimal(point.price)) for point in points], instrument.decimals, locale)
    title = f"{name_of(instrument, locale)}, {instrument.quote} / {instrument.unit}"
    drawn = f'<path d="{line.path}" {_STROKE}/>' if line.path else ""
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" preserveAspectRatio="none"><title>{escape(title)}</title><desc>{escape(line.text)}</desc>'
        f"{drawn}</svg>\n"
    )
    return Representation(text.encode(), SVG, came_in(points) or now)


def came_in(points: Sequence[Point]) -> datetime | None:
    """When the newest of the points came in."""
    return EPOCH + timedelta(microseconds=max(point.fetched_at for point in points)) if points else None


def moment_of(point: Point) -> datetime:
    """Of when a point is, in its source's own offset."""
    return (EPOCH + timedelta(microseconds=point.as_of)).astimezone(timezone(timedelta(minutes=point.offset)))


_STROKE = (
    'fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" vector-effect="non-scaling-stroke"'
)


def _path(times: Sequence[float], prices: Sequence[float]) -> str:
    began, lasted = times[0], times[-1] - times[0]
    lowest, spread = min(prices), max(prices) - min(prices)
    width, height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    places = [
        f"{MARGIN + ((time - began) / lasted if lasted else 0.5) * width:.1f} "
        f"{MARGIN + (1 - ((price - lowest) / spread if spread else 0.5)) * height:.1f}"
        for time, price in zip(times, prices, strict=True)
    ]
    # A single point is a dash in the middle: a line needs two.
    return f"M{MARGIN} {places[0].split()[1]}h{width}" if len(places) == 1 else "M" + "L".join(places)
