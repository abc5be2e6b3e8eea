"""Upstreams that answer well-formed and wrong: ten times the number, another one's, yesterday's, tomorrow's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest

from tests.faults.faces import Faces
from tests.faults.test_upstreams import SELDOM, polled, seen
from tests.support.running_service import Served, serving
from tests.support.upstream import CBR, DAY, MOEX, NOON, YAHOO, Upstream
from tests.support.upstreams import formats, forts, listing, yahoo

HOUR = timedelta(hours=1)
# Without the bands, which would catch a slip of these instruments first.
ANY_PRICE = {f"instruments.{symbol}.band": [0, 1_000_000] for symbol in ("USD", "EUR", "OIL")}
SATURDAY = DAY + timedelta(days=1)


def bank(upstream: Upstream, day: date, usd: str, eur: str = "106.0762") -> None:
    """The Bank's own table, not its mirror's."""
    rates = {"USD": Decimal(usd), "EUR": Decimal(eur)}
    upstream.answer(CBR, body=formats.cbr_daily(day, rates), content_type="text/xml; charset=windows-1251")


def exchange(upstream: Upstream, price: str, at: datetime) -> None:
    """The Moscow Exchange's oil."""
    board = listing.contracts(at.astimezone(forts.MOSCOW).date(), Decimal(price), Decimal("72.81"))
    upstream.answer(MOEX, body=forts.moex_forts(at, board))


def abroad(upstream: Upstream, price: str, at: datetime) -> None:
    """The oil of the second source."""
    upstream.answer(YAHOO, body=yahoo.yahoo_chart("BZ=F", "USD", Decimal(price), at, Decimal("72.81"), "FUTURE"))


@asynccontextmanager
async def well(flags: Mapping[str, object] = MappingProxyType({})) -> AsyncIterator[tuple[Upstream, Served]]:
    """The trio of that noon, shown and fresh."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url, flags={**SELDOM, **flags}) as served:
            await served.ready()
            yield upstream, served


def shown(faces: Faces, symbol: str) -> tuple[str, str, str | None]:
    """Price, status and reason of a quote."""
    quote = faces.quotes[symbol]
    return str(quote["price"]), quote["status"], quote["reason"]


@pytest.mark.parametrize("factor", [10, 100, "0.1"])
async def test_ten_times_the_number_is_not_shown(factor: int | str) -> None:
    """A nominal that slipped at one source is refused as `unit`, and its copy speaks until it is mended."""
    async with well(ANY_PRICE) as (upstream, served):
        served.clock.now = NOON + 13 * HOUR
        upstream.trio(SATURDAY, usd="101.2345", eur="106.5000", now=served.clock.now)
        right = upstream.answer_of(CBR)
        bank(upstream, SATURDAY, str(Decimal("101.2345") * Decimal(factor)), "106.5000")
        faces = await polled(served)
        assert shown(faces, "USD") == ("101.2345", "fresh", "unit")
        assert (faces.quotes["USD"]["source"], faces.quotes["EUR"]["source"]) == ("cbr_mirror", "cbr")
        assert faces.rejected("cbr", "USD", "unit") == 1
        upstream.answer(CBR, body=right.body, headers=right.headers)
        assert shown(await polled(served), "USD") == ("101.2345", "fresh", None)


async def test_ten_times_the_number_of_the_only_source_left_is_not_shown() -> None:
    """The last good number stays, marked with the reason."""
    async with well(ANY_PRICE) as (upstream, served):
        served.clock.now = NOON + HOUR
        exchange(upstream, "737.30", served.clock.now)
        upstream.fail("/yahoo", "status:503")
        faces = await polled(served)
        assert shown(faces, "OIL") == ("73.73", "stale", "unit")
        assert faces.rejected("moex", "OIL", "unit") == 1


async def test_ten_times_the_number_at_a_cold_start_is_not_shown() -> None:
    """With nothing to compare it with, the instrument's band tells: `range`, and no number at all."""
    async with Upstream() as upstream:
        upstream.trio(brent="737.30")
        async with serving(upstream.url, flags=SELDOM) as served:
            await served.polled()
            faces = await seen(served)
            assert faces.quotes["OIL"]["price"] is None
            assert (faces.quotes["OIL"]["reason"], faces.ready) == ("range", 200)
            assert faces.rejected("moex", "OIL", "range") == faces.rejected("yahoo", "OIL", "range") == 1


async def test_sources_that_disagree_are_told_apart() -> None:
    """The preferred one's number is not moved by one dissenter; that they disagree is said, with how far."""
    async with well() as (upstream, served):
        served.clock.now = NOON + HOUR
        exchange(upstream, "73.80", served.clock.now)
        abroad(upstream, "79.90", served.clock.now)
        faces = await polled(served)
        assert shown(faces, "OIL") == ("73.80", "fresh", "disagree")
        assert faces.quotes["OIL"]["agreement"]["spread_percent"] > 5
        assert faces.rejected("yahoo", "OIL", "disagree") == 1


async def test_a_jump_that_nobody_confirms_is_held() -> None:
    """Up a fifth within the hour, the second source silent: the number before it stays, until another one says so."""
    async with well() as (upstream, served):
        served.clock.now = NOON + HOUR
        exchange(upstream, "88.50", served.clock.now)
        upstream.fail("/yahoo", "status:503")
        assert shown(await polled(served), "OIL") == ("73.73", "stale", "move")
        upstream.heal("/yahoo")
        abroad(upstream, "88.60", served.clock.now)
        assert shown(await polled(served), "OIL")[0] == "88.50"


async def test_a_market_that_stands_still_is_marked() -> None:
    """The same answer again and again, with status 200: old by its own stamp, and said to be `frozen`."""
    async with well() as (_, served):
        served.clock.now = NOON + 8 * HOUR
        faces = await polled(served)
        assert shown(faces, "OIL") == ("73.73", "stale", "frozen")
        assert faces.sources == dict.fromkeys(faces.sources)


async def test_a_cache_that_goes_back_in_time_is_not_followed() -> None:
    """Today's table, then yesterday's again from the same source: refused as `frozen`, the newest stays."""
    async with well() as (upstream, served):
        upstream.fail("/cbr_mirror", "status:503")
        bank(upstream, DAY - timedelta(days=1), "100.2192")
        faces = await polled(served)
        assert shown(faces, "USD")[:2] == ("100.6798", "fresh")
        assert faces.rejected("cbr", "USD", "frozen") == 1


async def test_a_number_of_the_future_is_not_shown() -> None:
    """Day and month swapped, or a clock gone wrong: refused as `future`."""
    async with well() as (upstream, served):
        upstream.fail("/cbr_mirror", "status:503")
        bank(upstream, date(2025, 11, 22), "111.1111")
        exchange(upstream, "99.99", NOON + 3 * HOUR)
        faces = await polled(served)
        assert [shown(faces, symbol)[0] for symbol in ("USD", "OIL")] == ["100.6798", "73.73"]
        assert faces.rejected("cbr", "USD", "future") == faces.rejected("moex", "OIL", "future") == 1


async def test_over_a_weekend_nothing_is_late_and_on_tuesday_it_is() -> None:
    """Friday's last numbers are as new as there can be until the next ones are in force, and marked from then on."""
    close = datetime(2024, 11, 22, 23, 50, tzinfo=forts.MOSCOW)
    async with well() as (upstream, served):
        upstream.trio(SATURDAY, usd="101.2345", eur="106.5000", now=close)
        # New York closes at 17:00, which is one in the morning in Moscow.
        abroad(upstream, "73.73", close + timedelta(minutes=65))
        served.clock.now = close + timedelta(minutes=90)
        await polled(served)
        for days in (1, 2):
            served.clock.now = NOON + timedelta(days=days)
            assert set((await polled(served)).each("status").values()) == {"fresh"}
        served.clock.now = datetime(2024, 11, 25, 20, 30, tzinfo=forts.MOSCOW)
        assert (await seen(served)).each("status") == {"USD": "fresh", "EUR": "fresh", "OIL": "stale"}
        served.clock.now = datetime(2024, 11, 26, tzinfo=forts.MOSCOW)
        assert set((await seen(served)).each("status").values()) == {"stale"}
