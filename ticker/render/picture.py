"""The sparkline of an instrument's line, with its title and its words in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from ticker.quotes import EPOCH, Instrument
from ticker.render import locales
from ticker.render.representation import Representation
from ticker.render.svg import sparkline
from ticker.storage.history import Series

SVG = "image/svg+xml"


def picture_of(line: Series, instrument: Instrument, lang: str, now: datetime) -> Representation:
    """The picture of `line`, made at `now`; of an empty one, an empty picture that says so."""
    points = [(_moment(point.as_of, point.offset), Decimal(point.price)) for point in line.points]
    text = sparkline(points, title=_title(instrument, lang), text=_words(points, instrument, lang))
    return Representation(text.encode(), SVG, modified(line) or now)


def modified(line: Series) -> datetime | None:
    """When the newest of its points came in."""
    return _moment(max(point.fetched_at for point in line.points)) if line.points else None


def _moment(micros: int, minutes: int = 0) -> datetime:
    return (EPOCH + timedelta(microseconds=micros)).astimezone(timezone(timedelta(minutes=minutes)))


def _title(instrument: Instrument, lang: str) -> str:
    name = locales.chosen(instrument.name, locales.locale_of(lang), instrument.symbol)
    return f"{name}, {instrument.quote} / {instrument.unit}"


def _words(points: Sequence[tuple[datetime, Decimal]], instrument: Instrument, lang: str) -> str:
    if not points:
        return locales.DASH
    locale = locales.locale_of(lang)

    def said(point: tuple[datetime, Decimal]) -> str:
        return f"{locales.day(point[0], locale)}: {locales.number(point[1], instrument.decimals, locale)}"

    lowest, highest = min(points, key=lambda point: point[1]), max(points, key=lambda point: point[1])
    return f"{said(points[0])} \N{RIGHTWARDS ARROW} {said(points[-1])}; min {said(lowest)}; max {said(highest)}"
