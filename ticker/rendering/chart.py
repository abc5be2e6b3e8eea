"""Lines of prices as SVG: a sparkline of a word's size, and the chart of a history.

No script, no style, and `currentColor` is the only colour: what differs differs in shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from babel import Locale

from ticker.calendars import Calendar
from ticker.quotes import EPOCH, Instrument, Quote
from ticker.rendering import locales
from ticker.rendering.representation import Representation
from ticker.rendering.schemas import name_of
from ticker.rendering.templates import fill
from ticker.rendering.words import fragment_phrases
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
    words, prices = fragment_phrases(locale), [price for _, price in line]

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
    text = fill("sparkline.svg", locale, title=title, line=line) + "\n"
    return Representation(text.encode(), SVG, came_in(points) or now)


def came_in(points: Sequence[Point]) -> datetime | None:
    """When the newest of the points came in."""
    return EPOCH + timedelta(microseconds=max(point.fetched_at for point in points)) if points else None


def moment_of(point: Point) -> datetime:
    """Of when a point is, in its source's own offset."""
    return (EPOCH + timedelta(microseconds=point.as_of)).astimezone(timezone(timedelta(minutes=point.offset)))


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


# The history chart: time runs along x, the price has an axis, and what was stale or a fallback looks like it.

# How far back each range goes, and at what interval its points are asked for; None is all there is.
RANGES: dict[str, tuple[timedelta | None, str]] = {
    "1w": (timedelta(days=7), "1h"),
    "1m": (timedelta(days=31), "1d"),
    "1y": (timedelta(days=366), "1d"),
    "5y": (timedelta(days=5 * 366), "1d"),
    "all": (None, "1w"),
}
# More points than this are thinned: no screen shows them.
MOST_POINTS = 1000
# The chart's size and the room for its labels, in the units of its viewBox.
CHART_WIDTH, CHART_HEIGHT = 640, 260
_TOP, _RIGHT, _BOTTOM, _LEFT = 12, 74, 26, 8
_FONT = 13
# Between two prices on the axis, in the larger letters that a narrow page gives them.
_ROOM = 24
# The step between two labels of time, each with the CLDR skeleton of the label; the first that gives few enough.
_TIME_STEPS = (
    (timedelta(hours=6), "Hm"),
    (timedelta(days=1), "MMMd"),
    (timedelta(days=2), "MMMd"),
    (timedelta(days=7), "MMMd"),
)
_MONTH_STEPS = ((1, "MMM"), (2, "MMM"), (3, "yMMM"), (6, "yMMM"), (12, "y"), (24, "y"), (60, "y"))
_MOST_TICKS = 7


class PointStatus(StrEnum):
    """How a stretch of the line stood."""

    OWN = "own"
    FALLBACK = "fallback"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One number of a line: from `at` on it stood, as the instrument's own or as a fallback.

    `stale_from` is when something newer should have been there, `gone_from` when it was shown no longer; None where
    the next point came in time.
    """

    at: datetime
    price: Decimal
    fallback: bool = False
    stale_from: datetime | None = None
    gone_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChartFrame:
    """What a chart is drawn in: its span of time in its zone, its words, and how a price is written.

    With `steps` a number holds until the next one, as a fixing does; without, the line goes from point to point.
    """

    title: str
    first: datetime
    last: datetime
    decimals: int
    locale: Locale
    steps: bool = False


def chart_points(
    points: Sequence[Point], instrument: Instrument, calendar: Calendar, now: datetime, interval: timedelta
) -> list[ChartPoint]:
    """What the store has of an instrument, oldest first, with how each number stood by the calendar of its source.

    `interval` is that of the points, nothing for every one there is: what lies between two of them is not known.
    """
    found: list[ChartPoint] = []
    for place, point in enumerate(points):
        at = moment_of(point)
        until = moment_of(points[place + 1]) if place + 1 < len(points) else now
        stale_from = gone_from = None
        # No calendar is asked where the next number came within a day.
        if until - at > max(interval, timedelta(days=1)):
            fresh_until = calendar.fresh_until(at)
            usable_until = calendar.usable_until(at, instrument.max_age)
            stale_from = fresh_until if fresh_until + interval < until else None
            gone_from = usable_until if usable_until + interval < until else None
        fallback = point.source not in instrument.sources
        found.append(ChartPoint(at, Decimal(point.price), fallback, stale_from, gone_from))
    return found


def thinned(points: Sequence[ChartPoint], most: int = MOST_POINTS) -> list[ChartPoint]:
    """About `most` points of equal stretches of time: of each its first, lowest, highest, last, and what was stale."""
    if len(points) <= most:
        return list(points)
    began, lasted = points[0].at, (points[-1].at - points[0].at) / (most // 4) or timedelta.resolution
    buckets: dict[int, list[ChartPoint]] = {}
    for point in points:
        buckets.setdefault(min(int((point.at - began) / lasted), most // 4 - 1), []).append(point)
    kept: list[ChartPoint] = []
    for bucket in buckets.values():
        ends = {id(each) for each in (bucket[0], min(bucket, key=_price), max(bucket, key=_price), bucket[-1])}
        kept += [point for point in bucket if id(point) in ends or point.stale_from is not None]
    return kept


def history_chart(points: Sequence[ChartPoint], frame: ChartFrame) -> str:
    """The chart as an SVG element for a page, right without script; without points an empty one that says so.

    A script reads `data-points`: of each point its second since 1970, its price and its status.
    """
    scale = _Scale(thinned(points), frame)
    return fill(
        "history.svg",
        frame.locale,
        frame=frame,
        scale=scale,
        text=_sparkline([(point.at, point.price) for point in points], frame.decimals, frame.locale).text,
        points=[f"{point.at.timestamp():.0f} {point.price:f} {_point_status(point)}" for point in scale.points],
        prices=_price_axis(scale),
        times=[(scale.x(moment), label) for moment, label in _ticks(frame)],
        lines=_lines(scale),
        newest=_newest(scale),
        width=CHART_WIDTH,
        height=CHART_HEIGHT,
        letter=_FONT,
        left=_LEFT,
        right=CHART_WIDTH - _RIGHT,
        top=_TOP,
        bottom=CHART_HEIGHT - _BOTTOM,
    )


class _Scale:
    """Where moments and prices stand in the picture."""

    def __init__(self, points: Sequence[ChartPoint], frame: ChartFrame) -> None:
        self.points = points
        self.frame = frame
        prices = [point.price for point in points] or [Decimal(0)]
        self.step = _nice_step(max(prices) - min(prices) or max(abs(prices[0]) / 50, Decimal("0.01")))
        self.low = (min(prices) / self.step).to_integral_value(ROUND_FLOOR) * self.step
        self.high = (max(prices) / self.step).to_integral_value(ROUND_CEILING) * self.step
        if self.high == self.low:
            self.low, self.high = self.low - self.step, self.high + self.step
        self._began = frame.first.timestamp()
        self._lasts = frame.last.timestamp() - self._began or 1
        self._lowest, self._spread = float(self.low), float(self.high - self.low)

    def x(self, moment: datetime) -> float:
        """Where a moment stands; what lies outside of the frame stands at its edge."""
        along = min(max((moment.timestamp() - self._began) / self._lasts, 0.0), 1.0)
        return _LEFT + along * (CHART_WIDTH - _LEFT - _RIGHT)

    def y(self, price: Decimal) -> float:
        """Where a price stands."""
        up = (float(price) - self._lowest) / self._spread
        return _TOP + (1 - up) * (CHART_HEIGHT - _TOP - _BOTTOM)


def _price(point: ChartPoint) -> Decimal:
    return point.price


def _point_status(point: ChartPoint) -> PointStatus:
    return PointStatus.FALLBACK if point.fallback else PointStatus.STALE if point.stale_from else PointStatus.OWN


def _nice_step(spread: Decimal) -> Decimal:
    """A step of 1, 2 or 5 times a power of ten that divides `spread` into three to seven parts."""
    rough = spread / 4
    power = Decimal(1).scaleb(rough.adjusted())
    return next(step for factor in (1, 2, 5, 10) if (step := factor * power) >= rough)


def _price_axis(scale: _Scale) -> Iterator[tuple[float, str | None]]:
    """Where lines go across, and the prices at their right; none is written where the newest number stands."""
    if not scale.points:
        return
    exponent = scale.step.normalize().as_tuple().exponent
    digits = max(0, -exponent) if isinstance(exponent, int) else 0
    price, newest = scale.low, scale.y(scale.points[-1].price)
    while price <= scale.high:
        y = scale.y(price)
        yield y, locales.number(price, digits, scale.frame.locale) if abs(y - newest) > _ROOM else None
        price += scale.step


def _ticks(frame: ChartFrame) -> list[tuple[datetime, str]]:
    """The moments that have a label, away from the edges, where a label would be cut."""
    span = frame.last - frame.first
    step = next((each for each in _TIME_STEPS if span / each[0] <= _MOST_TICKS + 1), None)
    if step is not None:
        moments, pattern = _even_moments(frame, step[0]), step[1]
    else:
        months = span / timedelta(days=30.44)
        count, pattern = next((each for each in _MONTH_STEPS if months / each[0] <= _MOST_TICKS), _MONTH_STEPS[-1])
        moments = _month_moments(frame, count)
    edge = span * 0.04
    inside = [moment for moment in moments if frame.first + edge <= moment <= frame.last - edge]
    return [(moment, locales.skeleton(pattern, moment, frame.locale)) for moment in inside]


def _even_moments(frame: ChartFrame, step: timedelta) -> list[datetime]:
    midnight = frame.first.replace(hour=0, minute=0, second=0, microsecond=0)
    if step == timedelta(days=7):
        midnight -= timedelta(days=midnight.weekday())
    return [midnight + number * step for number in range(int((frame.last - midnight) / step) + 1)]


def _month_moments(frame: ChartFrame, count: int) -> list[datetime]:
    """The first of every `count`th month, counted from a January."""
    year, month = frame.first.year, 1
    found: list[datetime] = []
    while (moment := frame.first.replace(year=year, month=month, day=1, hour=0, minute=0)) <= frame.last:
        found.append(moment)
        year, month = year + (month + count - 1) // 12, (month + count - 1) % 12 + 1
    return found


def _lines(scale: _Scale) -> list[tuple[str, str]]:
    """The `d` of a path for each status; what is not known is a gap in all of them."""
    paths = {status: _Path() for status in PointStatus}
    for place, point in enumerate(scale.points):
        following = scale.points[place + 1] if place + 1 < len(scale.points) else None
        until = following.at if following else scale.frame.last
        own = paths[PointStatus.FALLBACK if point.fallback else PointStatus.OWN]
        here, there = (scale.x(point.at), scale.y(point.price)), scale.x(until)
        if point.stale_from is None and point.gone_from is None:
            if following is not None:
                own.go(here, (there, scale.y(following.price)), steps=scale.frame.steps)
            elif scale.frame.steps:
                own.go(here, (there, here[1]))
            continue
        # A number that nothing followed in time stood as itself, then as a stale one, then not at all.
        turns = scale.x(min(point.stale_from or until, point.gone_from or until))
        own.go(here, (turns, here[1]))
        paths[PointStatus.STALE].go((turns, here[1]), (scale.x(min(point.gone_from or until, until)), here[1]))
    return [(str(status), path.drawn) for status, path in paths.items() if path.drawn]


class _Path:
    """The `d` of a path that is drawn piece by piece; one that begins where the last one ended goes on from there."""

    def __init__(self) -> None:
        self.drawn = ""
        self._end: tuple[float, float] | None = None

    def go(self, start: tuple[float, float], end: tuple[float, float], *, steps: bool = False) -> None:
        """A line from `start` to `end`: straight, or with `steps` first along and then up or down."""
        if start != self._end:
            self.drawn += f"M{start[0]:.1f} {start[1]:.1f}"
        self.drawn += f"H{end[0]:.1f}V{end[1]:.1f}" if steps else f"L{end[0]:.1f} {end[1]:.1f}"
        self._end = end


def _newest(scale: _Scale) -> dict[str, float | str] | None:
    """Where the last number stands, and how it is written; None where there is none."""
    if not scale.points:
        return None
    point, frame = scale.points[-1], scale.frame
    x = scale.x(frame.last if frame.steps and not point.gone_from else point.at)
    return {"x": x, "y": scale.y(point.price), "text": locales.number(point.price, frame.decimals, frame.locale)}
