"""The chart of a history: a picture that tells no more than is known."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from time import process_time
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from tests.rendering.quotes import DOLLAR
from ticker.calendars import Publication
from ticker.rendering.chart import (
    MOST_POINTS,
    ChartFrame,
    ChartPoint,
    chart_points,
    history_chart,
    thinned,
)
from ticker.rendering.locales import locale_of
from ticker.storage.base import Point

MOSCOW = ZoneInfo("Europe/Moscow")
FIRST = datetime(2024, 11, 18, tzinfo=MOSCOW)
SVG = "{http://www.w3.org/2000/svg}"


def at(day: int, hour: int = 0) -> datetime:
    """A moment of November 2024 in Moscow."""
    return datetime(2024, 11, day, hour, tzinfo=MOSCOW)


def drawn(*points: ChartPoint, steps: bool = True, last: datetime | None = None, lang: str = "en") -> ET.Element:
    """The chart of `points` over the days from 18 to 22 November."""
    frame = ChartFrame("US dollar", FIRST, last or at(22), 2, locale_of(lang), steps)
    return ET.fromstring(history_chart(points, frame))  # noqa: S314 - our own output


def path(chart: ET.Element, standing: str) -> str | None:
    """The line of one standing."""
    found = chart.find(f"path[@class='chart-{standing}']")
    return None if found is None else found.get("d")


def words(chart: ET.Element, kind: str) -> list[str | None]:
    """The texts of one kind."""
    return [each.text for each in chart.iter("text") if each.get("class") == f"chart-{kind}"]


def test_time_runs_along_x_and_not_the_number_of_the_row() -> None:
    """The box is 558 wide from 8 to 566: a day after the first of four stands at a quarter of it."""
    chart = drawn(ChartPoint(at(18), Decimal(100)), ChartPoint(at(19), Decimal(102)), ChartPoint(at(22), Decimal(101)),
                  steps=False)  # fmt: skip
    assert [float(x) for x in re.findall(r"[ML](\S+) ", path(chart, "own") or "")] == [8.0, 147.5, 566.0]


def test_a_fixing_holds_until_the_next_one_and_until_now() -> None:
    """Its line is of steps; the marked number is the newest."""
    chart = drawn(ChartPoint(at(18), Decimal(100)), ChartPoint(at(20), Decimal(102)))
    assert re.fullmatch(r"M8.0 (\S+)H287.0V(\S+)L566.0 \2", path(chart, "own") or "")
    assert words(chart, "value") == ["102.00"]


def test_the_axes_are_labelled_in_the_readers_language() -> None:
    """Round prices at the right, days below."""
    chart = drawn(ChartPoint(at(18), Decimal("99.2")), ChartPoint(at(20), Decimal("100.9")), lang="ru")
    assert words(chart, "price") == ["99,0", "99,5", "100,0", "100,5"]
    assert words(chart, "time") == ["19 нояб.", "20 нояб.", "21 нояб."]
    assert words(chart, "value") == ["100,90"]


@pytest.mark.parametrize(
    ("days", "count", "label"),
    [(1, 3, "12:00"), (7, 6, "Nov 20"), (31, 4, "Nov 18"), (366, 6, "Nov"), (3653, 5, "2024")],
)
def test_every_span_has_a_handful_of_labels(days: int, count: int, label: str) -> None:
    """From a day to ten years."""
    now = datetime(2024, 11, 22, 18, tzinfo=MOSCOW)
    frame = ChartFrame("US dollar", now - timedelta(days=days), now, 2, locale_of("en"))
    chart = ET.fromstring(history_chart([ChartPoint(frame.first, Decimal(100))], frame))  # noqa: S314 - our own
    found = words(chart, "time")
    assert label in found
    assert abs(len(found) - count) <= 1


def test_what_was_stale_is_drawn_as_such_and_what_was_gone_is_a_gap() -> None:
    """The number of the 18th held for a day, was shown as a stale one for another, and then not at all."""
    first = ChartPoint(at(18), Decimal(100), stale_from=at(19), gone_from=at(20))
    chart = drawn(first, ChartPoint(at(21), Decimal(102)))
    assert re.fullmatch(r"M8.0 (\S+)L147.5 \1M426.5 (\S+)L566.0 \2", path(chart, "own") or "")
    assert re.fullmatch(r"M147.5 (\S+)L287.0 \1", path(chart, "stale") or "")


def test_a_fallback_has_a_line_of_its_own() -> None:
    """Other dashes; it is no rate of the instrument's own kind."""
    chart = drawn(ChartPoint(at(18), Decimal(100)), ChartPoint(at(20), Decimal(101), fallback=True))
    assert (path(chart, "own") or "").startswith("M8.0 ")
    assert (path(chart, "fallback") or "").startswith("M287.0 ")
    dashes = {each.get("class"): each.get("stroke-dasharray") for each in chart.iter("path")}
    assert dashes["chart-own"] is None
    assert dashes["chart-fallback"]


def test_nothing_is_invented_where_there_is_no_point() -> None:
    """A dash, no axis of prices, and no number anywhere."""
    chart = drawn()
    assert [each.text for each in chart.iter("text") if each.get("class") is None] == ["\N{EM DASH}"]
    assert words(chart, "price") == []
    assert chart.get("aria-label") == "US dollar: \N{EM DASH}"


def test_a_script_can_read_every_point() -> None:
    """Its second, its price with the source's digits, its standing."""
    chart = drawn(ChartPoint(at(18), Decimal("100.6798")), ChartPoint(at(20), Decimal("73.70"), fallback=True))
    assert chart.get("data-points") == "1731877200 100.6798 own;1732050000 73.70 fallback"
    assert (chart.get("data-from"), chart.get("data-to")) == ("1731877200", "1732222800")


def test_the_picture_is_told_in_words() -> None:
    """Its ends, its lowest and its highest."""
    label = drawn(ChartPoint(at(18), Decimal(100)), ChartPoint(at(20), Decimal(102))).get("aria-label")
    assert label == (
        "US dollar: 100.00 (Nov 18, 2024) → 102.00 (Nov 20, 2024); "
        "lowest 100.00 (Nov 18, 2024); highest 102.00 (Nov 20, 2024)"
    )


def test_a_hostile_title_stays_text() -> None:
    """In the attribute too."""
    frame = ChartFrame('"><script>alert(1)</script>', FIRST, at(22), 2, locale_of("en"))
    chart = history_chart([ChartPoint(at(18), Decimal(100))], frame)
    assert "<script" not in chart
    assert (ET.fromstring(chart).get("aria-label") or "").startswith(frame.title)  # noqa: S314 - our own output


def ten_years() -> list[ChartPoint]:
    """A point a day, the last one today, with one peak of a single day."""
    last = at(22)
    points = [
        ChartPoint(last - timedelta(days=3652 - day), Decimal(10_000 + day * 7 % 997).scaleb(-2)) for day in range(3653)
    ]
    points[1234] = replace(points[1234], price=Decimal(500))
    return points


def test_ten_years_keep_their_ends_and_their_extremes() -> None:
    """No screen shows every day; none may lose the day that mattered, or today."""
    points = ten_years()
    kept = thinned(points)
    assert MOST_POINTS / 2 < len(kept) <= MOST_POINTS
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert points[1234] in kept
    assert [point.at for point in kept] == sorted(point.at for point in kept)


def test_a_thousand_points_are_drawn_in_a_tenth_of_a_second() -> None:
    """Of processor time, with the languages loaded; on an idle machine it is a fifth of that."""
    points = ten_years()[-1000:]
    frame = ChartFrame("US dollar", points[0].at, points[-1].at, 2, locale_of("en"), steps=True)
    history_chart(points[:2], frame)
    began = process_time()
    history_chart(points, frame)
    assert process_time() - began < 0.1


TABLES = Publication(zone=MOSCOW, days="mon-fri", holidays="RU", at=datetime(2024, 1, 1, 16).time(),  # noqa: DTZ001 - an hour
                     grace=timedelta(hours=4), lead=1)  # fmt: skip


def row(day: int, price: str, source: str = "cbr") -> Point:
    """What history has of a table of November 2024."""
    micros = int(at(day).timestamp()) * 1_000_000
    return Point(micros, 180, price, "fixing", source, micros, 0)


def test_a_weekend_is_no_staleness_and_a_missing_table_is() -> None:
    """The table of Saturday the 16th holds until Tuesday the 19th; that of the 20th never came."""
    rows = [row(16, "99.9"), row(19, "100.0"), row(21, "100.2"), row(22, "100.7", "open_er_api")]
    found = chart_points(rows, DOLLAR, TABLES, at(22, 12), timedelta(0))
    assert [point.stale_from for point in found] == [None, at(20), None, None]
    assert [point.fallback for point in found] == [False, False, False, True]


def test_a_number_that_nobody_renews_ends() -> None:
    """Stale when the next one should have been there, gone fourteen days after."""
    found = chart_points([row(1, "97.0")], DOLLAR, TABLES, at(30), timedelta(0))[0]
    assert (found.stale_from, found.gone_from) == (at(2), at(16))
