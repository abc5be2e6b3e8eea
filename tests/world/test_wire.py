"""A day over real sockets: the world behind a server, the product's own fetcher, every number read from its HTTP."""

from __future__ import annotations

from tests.world.facts import fixings
from tests.world.play import Stage, away, fixed, winter, wrong_print


async def test_a_day_over_sockets_is_the_same_day(stage: Stage) -> None:
    """On 14.01.2026 all that is alive is asked over the wire: numbers, dates, tomorrow's table and the open market."""
    alive = ("cbr", "cbr_mirror", "nbrb", "nbk", "cbu_uz", "ecb", "frankfurter", "moex", "yahoo")
    world = winter("2026-01-14 10:00", *alive)
    world.fixings = fixed(fixings.NEW_YEAR_2026)
    world.spells += [away("moex", "2026-01-14 13:00", "2026-01-14 15:00")]
    async with stage(world, loopback=True) as play:
        await play.until("2026-01-14 11:00", 15)
        quotes = await play.product.quotes()
        assert (quotes["USD"]["price"], quotes["USD"]["previous"], quotes["USD"]["status"]) == (
            78.5301,
            78.7954,
            "fresh",
        )
        assert quotes["EUR"]["change"] == -0.2766
        assert (quotes["OIL"]["source"], quotes["OIL"]["market"]) == ("moex", "open")
        assert quotes["OIL"]["contract"] == {"code": "BRG6", "expires": "2026-02-02"}
        assert quotes["USD"]["agreement"]["sources"] >= 2
        await play.until("2026-01-14 14:30", 15)
        quotes = await play.product.quotes()
        assert (quotes["OIL"]["source"], quotes["OIL"]["status"], quotes["OIL"]["fallback"]) == ("yahoo", "fresh", True)
        await play.until("2026-01-14 16:00", 15)
        await play.until("2026-01-14 17:00", 4)
        quotes = await play.product.quotes()
        assert (quotes["USD"]["price"], quotes["USD"]["upcoming"]["price"]) == (78.5301, 78.721)
        assert quotes["OIL"]["source"] == "moex"
        await play.until("2026-01-15 00:15", 60)
        assert (await play.product.quotes())["USD"]["price"] == 78.721


async def test_what_is_shown_and_what_is_told_by_date_agree(stage: Stage) -> None:
    """At each of five moments the live board and `at=` of that moment say the same prices."""
    world = winter("2026-01-14 10:00", "cbr", "cbr_mirror", "moex", "yahoo")
    world.spells.append(wrong_print("moex", "2026-01-14 13:00", "2026-01-14 14:00", "x1.30"))
    async with stage(world, loopback=True) as play:
        live = {}
        for when in (
            "2026-01-14 11:00",
            "2026-01-14 13:30",
            "2026-01-14 16:50",
            "2026-01-14 23:40",
            "2026-01-15 00:10",
        ):
            await play.until(when, 20)
            live[when] = {symbol: quote["price"] for symbol, quote in (await play.product.quotes()).items()}
        for when, prices in live.items():
            stamp = when.replace(" ", "T") + ":00%2B03:00"
            status, board = await play.product.http(f"/v1/quotes?at={stamp}")
            assert status == 200
            told = {quote["symbol"]: quote["price"] for quote in board["quotes"]}
            assert told == prices, when
