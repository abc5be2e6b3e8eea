from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.storage.rows import DAY, FRIDAY, archived, fixing, meant, trade
from tests.support.fragments import folded
from tests.support.stored_service import Kept, kept
from ticker.calendars import days
from ticker.overrides import EditorOverride, Overrides
from ticker.quotes import PriceType, Reason, Status
from ticker.storage.base import Row, StoreError
from ticker.storage.codec import entry_of_quote

LATER = FRIDAY + 400 * DAY
CLOSED = "http://127.0.0.1:9"
TABLES = ((-3, "100.0348"), (-2, "99.9430"), (-1, "100.2192"), (0, "100.6798"), (1, "102.5761"))


def week() -> list[Row]:
    """A week of the Bank's tables and of oil, out of archives that were asked long after."""
    usd = [fixing(FRIDAY + day * DAY, price) for day, price in TABLES]
    eur = [fixing(FRIDAY + day * DAY, price, symbol="EUR") for day, price in ((-1, "105.8067"), (0, "106.0762"))]
    oil = [trade(FRIDAY + day * DAY + timedelta(hours=23), price) for day, price in ((-1, "72.81"), (0, "73.73"))]
    return [archived(row, LATER - DAY) for row in (*usd, *eur, *oil)]


@asynccontextmanager
async def serving(rows: list[Row], *, store: str = "memory://") -> AsyncIterator[Kept]:
    """The service with `rows` in its history, long after them; its upstreams are all gone."""
    async with kept(store, CLOSED, LATER, **{"store.raw": "3650d"}) as service:
        service.service.store_writer.store.write(meant(rows), {})
        yield service


@pytest.fixture
async def service() -> AsyncIterator[Kept]:
    """The service with a week in its history."""
    async with serving(week()) as found:
        yield found


async def problem(service: Kept, path: str) -> dict[str, Any]:
    """The problem at `path`."""
    async with service.client.get(path) as answer:
        assert answer.content_type == "application/problem+json", await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        body: dict[str, Any] = await answer.json(content_type=None)
        assert body["status"] == answer.status
        return body


async def text(service: Kept, path: str) -> str:
    """The fragment at `path` as the contract reads it."""
    async with service.client.get(path) as answer:
        body = await answer.text()
        assert answer.status == 200, body
    return folded(body)


async def test_the_header_of_a_day_is_that_days(service: Kept) -> None:
    """Long after, the widget of 22 November 2024 shows the rates in force and the oil of that day, unmarked."""
    assert await text(service, "/widget?at=2024-11-22") == "USD100.68 EUR106.08 OIL73.73"
    assert await text(service, "/widget?at=2024-11-21") == "USD100.22 EUR105.81 OIL72.81"


async def test_a_picture_of_the_past_ends_with_the_number_beside_it(service: Kept) -> None:
    """The sparkline of another day is of the days before it, and tells nothing of later."""
    async with service.client.get("/widget?at=2024-11-22&style=sparkline&symbols=USD") as answer:
        drawn = re.search(r'aria-label="([^"]*)"', await answer.text())
    assert drawn is not None
    assert "\N{RIGHTWARDS ARROW} 100.68 (Nov 22, 2024)" in drawn[1]


async def test_a_quote_of_the_past_is_whole(service: Kept) -> None:
    """Change, previous table, next update and status are those of the day; who else agreed is not known any more."""
    quote = await service.get("/v1/quotes/USD?at=2024-11-22")
    assert (quote["price"], quote["previous"], quote["change"]) == (100.6798, 100.2192, 0.4606)
    assert quote["previous_as_of"] == "2024-11-21T00:00:00+03:00"
    assert (quote["as_of"], quote["status"]) == ("2024-11-22T00:00:00+03:00", "fresh")
    assert quote["next_update_at"] == "2024-11-22T13:00:00Z"
    assert quote["agreement"] is None


async def test_saturdays_table_is_in_force_on_sunday(service: Kept) -> None:
    """A day without a table of its own has the last one before, and on Sunday and Monday that is no old one."""
    for day in ("2024-11-23", "2024-11-24", "2024-11-25"):
        quote = await service.get(f"/v1/quotes/USD?at={day}")
        assert (quote["price"], quote["status"]) == (102.5761, "fresh")
    assert (await service.get("/v1/quotes/USD?at=2024-11-27"))["status"] == "stale"


async def test_a_number_past_its_age_is_not_shown_for_a_later_day(service: Kept) -> None:
    """Two months on nothing is known of that day: null, not the last number there was."""
    quote = await service.get("/v1/quotes/USD?at=2025-01-22")
    assert (quote["price"], quote["status"]) == (None, "unavailable")


async def test_a_moment_shows_what_had_come_in_by_then() -> None:
    """Tomorrow's table of an older version's evening is no price before its day; who had confirmed it is not said."""
    wrong = replace(fixing(FRIDAY + DAY, "102.0000"), fetched_at=FRIDAY + 16 * timedelta(hours=1))
    wrong = replace(wrong, seen_at=wrong.fetched_at)
    right = replace(fixing(FRIDAY + DAY, "102.5761"), fetched_at=FRIDAY + 18 * timedelta(hours=1))
    right = replace(right, seen_at=right.fetched_at)
    async with serving([fixing(), wrong, right]) as service:
        quotes = [
            await service.get(f"/v1/quotes/USD?at=2024-11-22T{time}%2B03:00")
            for time in ("12:00:00", "17:00:00", "19:00:00")
        ]
        assert {quote["price"] for quote in quotes} == {100.6798}
        assert [quote["upcoming"] for quote in quotes] == [None, None, None]
        assert (await service.get("/v1/quotes/USD?at=2024-11-23T00:00:00%2B03:00"))["price"] == 102.5761
        assert (await service.get("/v1/quotes/USD?at=2024-11-23"))["price"] == 102.5761
        line = await service.get("/v1/quotes/USD/history")
        assert [(point["price"], point["revision"]) for point in line["points"]] == [(100.6798, 0), (102.5761, 1)]


async def test_the_holidays_of_every_year_are_read_before_somebody_asks(service: Kept) -> None:
    """Nobody who asks for a day waits for the holidays of its year."""
    days._year.cache_clear()
    await service.service.context.history.warm()
    read = days._year.cache_info().misses
    assert read
    for year in ("2024", "2025"):
        await service.get(f"/v1/quotes?at={year}-11-22")
    assert days._year.cache_info().misses == read


async def test_a_time_with_an_unescaped_plus_is_understood(service: Kept) -> None:
    """A `+` in a query is a blank to a server; RFC 3339 leaves no other meaning for it there."""
    escaped = await service.get("/v1/quotes/USD?at=2024-11-22T12:00:00%2B03:00")
    assert escaped == await service.get("/v1/quotes/USD?at=2024-11-22T12:00:00 03:00")
    assert escaped == await service.get("/v1/quotes/USD?at=2024-11-22t09:00:00.000z")


async def test_a_day_before_history_is_404_and_says_from_when_there_is_data(service: Kept) -> None:
    """Nothing is invented for a day that nobody kept, however long ago."""
    for before in ("1812-09-07", "1000-01-01", "1000-01-01T12:00:00Z"):
        for path in (f"/v1/quotes?at={before}", f"/v1/quotes/USD/history?to={before}"):
            assert (await problem(service, path))["since"] == "2024-11-19T00:00:00+03:00"
    found = await problem(service, "/v1/quotes/EUR?at=2024-11-20")
    assert (found["status"], found["parameter"], found["since"]) == (404, "at", "2024-11-21T00:00:00+03:00")
    assert "2024-11-21" in found["detail"]
    assert (await problem(service, "/widget?at=1995-01-01"))["status"] == 404
    partly = await service.get("/v1/quotes?at=2024-11-20")
    assert [quote["price"] for quote in partly["quotes"]] == [99.943, None, None]


async def test_without_any_history_that_is_said() -> None:
    """An empty store is not an error of the reader's."""
    async with serving([]) as service:
        assert "no history" in (await problem(service, "/v1/quotes?at=2024-11-22"))["detail"]


@pytest.mark.parametrize("route", ["/v1/quotes", "/v1/quotes/USD", "/widget"])
@pytest.mark.parametrize(
    "at",
    [
        "2025-12-29",
        "9999-12-31",
        "2026-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "yesterday",
        "",
        "2024-11-31",
        "22.11.2024",
        "20241122",
        "2024-11-22T12:00:00",
        "2024-11-22T25:00:00Z",
        "2024-11-22T12:00",
        "0000-00-00",
        "0001-01-01",
        "0001-01-01T00:00:00%2B23:59",
        "٢٠٢٤-11-22",
        "2024-11-22%00",
        "1732233600",
    ],
)
async def test_a_moment_that_is_none_or_is_to_come_is_400_and_named(service: Kept, route: str, at: str) -> None:
    """What is not a date, not RFC 3339, or in the future."""
    found = await problem(service, f"{route}?at={at}")
    assert (found["status"], found["parameter"]) == (400, "at")


async def test_the_past_may_be_kept_and_is_revalidated(service: Kept) -> None:
    """A settled day has a long max-age, the same tag each time, and 304 for whoever has it."""
    async with service.client.get("/v1/quotes?at=2024-11-22") as first:
        tag = first.headers["ETag"]
        assert "max-age=3600" in first.headers["Cache-Control"]
    async with service.client.get("/v1/quotes?at=2024-11-22", headers={"If-None-Match": tag}) as second:
        assert (second.status, second.headers["ETag"]) == (304, tag)
    async with service.client.get("/v1/quotes?at=2024-11-21") as other:
        assert other.headers["ETag"] != tag


async def test_the_present_is_not_disturbed_by_the_past(service: Kept) -> None:
    """Asking for an old day changes nothing of what is shown now."""
    before = await service.get("/v1/quotes")
    await service.get("/v1/quotes?at=2024-11-22")
    assert await service.get("/v1/quotes") == before


async def test_a_store_that_fails_is_503_and_the_present_goes_on(
    service: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """History has trouble, the header has none."""

    def broken(*_: object) -> list[Row]:
        raise StoreError("gone")

    monkeypatch.setattr(service.service.store_writer.store, "standing", broken)
    assert (await problem(service, "/v1/quotes?at=2024-11-22"))["status"] == 503
    assert await service.metric('ticker_store_failures_total{operation="read"}') == 1
    async with service.client.get("/v1/quotes") as answer:
        assert answer.status == 200


async def test_history_outlives_the_process(tmp_path: Path) -> None:
    """What one run kept the next one tells."""
    store = f"sqlite:///{tmp_path}/ticker.db"
    async with serving(week(), store=store):
        pass
    async with serving([], store=store) as service:
        assert await text(service, "/widget?at=2024-11-22&lang=ru") == "USD100,68 EUR106,08 НЕФТЬ73,73"


async def test_what_an_editor_held_is_told_of_the_time_in_which_it_was_held() -> None:
    """From 12:00 to 14:00 the price was the editor's; before, after, and in the line it was the Bank's."""
    noon = FRIDAY + timedelta(hours=12)
    held = EditorOverride("USD", "price", "a typing error", noon, noon + timedelta(hours=2), "desk", Decimal("99.5"))
    async with serving([fixing()]) as service:
        service.service.board.override(Overrides((held,)), 0, LATER)
        told = [
            await service.get(f"/v1/quotes/USD?at=2024-11-22T{time}%2B03:00")
            for time in ("11:59:59", "12:00:00", "13:59:59", "14:00:00")
        ]
        assert [(quote["price"], bool(quote["override"])) for quote in told] == [
            (100.6798, False),
            (99.5, True),
            (99.5, True),
            (100.6798, False),
        ]
        line = await service.get("/v1/quotes/USD/history")
        assert [point["price"] for point in line["points"]] == [100.6798]


async def test_a_number_that_was_shown_later_than_the_last_state_that_is_kept_speaks() -> None:
    """How the board stood may be lost where a store was away for long; a row that came later is not."""
    noon = FRIDAY + timedelta(hours=12)
    async with serving([trade(noon, "73.73"), trade(noon + timedelta(hours=1), "74.20")]) as service:
        oil = service.service.board.latest.get("OIL")
        assert oil is not None
        shown = replace(oil, price=Decimal("73.73"), price_type=PriceType.LAST, source="moex", status=Status.STALE)
        shown = replace(shown, as_of=noon, fetched_at=noon, reason=Reason.DISAGREE)
        store = service.service.store_writer.store
        store.record([entry_of_quote(shown, 1, noon + timedelta(minutes=20))])
        before, after = [
            await service.get(f"/v1/quotes/OIL?at=2024-11-22T{time}%2B03:00") for time in ("13:14:59", "13:15:00")
        ]
        assert (before["price"], before["status"], before["reason"]) == (73.73, "stale", "disagree")
        assert (after["price"], after["status"], after["reason"]) == (74.2, "fresh", None)
