from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.selection.conftest import ABROAD, MARKET, MOSCOW, Desk, instrument
from ticker.calendars.days import SessionException
from ticker.quotes import Candle, Contract, MarketData, PriceType, Reason, Status

MINUTE = timedelta(minutes=1)
NOON = datetime(2024, 11, 22, 12, tzinfo=MOSCOW)


def desk(now: datetime, sources: tuple[str, ...] = ("moex", "yahoo")) -> Desk:
    """Brent at a cold start."""
    what = instrument("OIL", sources, quote="USD", max_age=timedelta(days=7))
    return Desk(what, {"moex": MARKET, "yahoo": ABROAD}, now, PriceType.LAST)


def test_two_markets_agree_after_the_difference_they_had(market: Desk) -> None:
    """Exchanges never print one number: what counts is that they move together."""
    quote = market.later(minutes=5).says("moex", "74.50").says("yahoo", "74.78").choose().quote
    assert quote.agreement
    assert (str(quote.price), quote.agreement.sources, quote.reason) == ("74.50", 2, None)


def test_the_preferred_market_speaks_while_it_is_in_session_and_on_time(market: Desk) -> None:
    """Though the other has a newer print: two open markets never alternate."""
    for minute in range(20):
        market.later(minutes=1)
        if minute % 3 == 0:
            market.says("moex", "73.80", market.now - timedelta(minutes=16))
        market.says("yahoo", "74.10", market.now - timedelta(minutes=10))
        quote = market.choose().quote
        assert (quote.source, quote.status, quote.market) == ("moex", Status.FRESH, "open")


def test_the_second_market_speaks_when_the_first_rests_or_is_late(market: Desk) -> None:
    """At night the market abroad, in the morning the preferred one again."""
    market.at(22, 23, 58).says("moex", "73.90", market.now.replace(hour=23, minute=49))
    market.says("yahoo", "74.20", market.now - timedelta(minutes=10))
    quote = market.choose().quote
    assert (quote.source, quote.status, quote.fallback, quote.market) == ("yahoo", Status.FRESH, True, "open")
    market.at(25, 9, 6).says("moex", "74.00", market.now - timedelta(minutes=15))
    market.says("yahoo", "74.30", market.now - timedelta(minutes=10))
    assert market.choose().quote.source == "moex"
    market.later(minutes=30).says("yahoo", "74.35", market.now - timedelta(minutes=10))
    quote = market.choose().quote
    assert (quote.source, quote.status) == ("yahoo", Status.FRESH)


def test_while_all_markets_rest_the_newest_print_is_fresh(market: Desk) -> None:
    """On Saturday, and until the first of them opens on Sunday night and should have printed."""
    market.at(22, 23, 58).says("moex", "73.90", market.now.replace(hour=23, minute=49))
    market.says("yahoo", "74.20", datetime(2024, 11, 23, 1, 59, tzinfo=MOSCOW)).at(23, 12)
    quote = market.choose().quote
    assert (quote.source, quote.status, quote.market) == ("yahoo", Status.FRESH, "closed")
    assert quote.next_update_at == datetime(2024, 11, 25, 4, 10, tzinfo=MOSCOW)
    market.fails("yahoo").at(25, 4, 24)
    assert market.choose().quote.status is Status.FRESH
    market.at(25, 4, 26)
    assert market.choose().quote.status is Status.STALE


def test_a_market_at_rest_is_not_fresh_while_another_of_its_kind_is_in_session(market: Desk) -> None:
    """The last print before the night is old once the market abroad should have printed, heard or not."""
    market.fails("yahoo").at(25, 23, 58).says("moex", "73.90", market.now.replace(hour=23, minute=49))
    assert market.choose().quote.status is Status.FRESH
    market.at(26, 0, 30)
    assert market.choose().quote.status is Status.STALE


def test_an_old_print_gives_way_to_a_live_market_within_ten_minutes() -> None:
    """9 March 2020, a Russian holiday: 45.30 of Friday is stale at once, 33.90 is shown after ten minutes of it."""
    rests = MARKET.__class__(
        zone=MOSCOW,
        opens=MARKET.opens,
        closes=MARKET.closes,
        delay=MARKET.delay,
        grace=MARKET.grace,
        exceptions=(SessionException(dates=(datetime(2020, 3, 9, tzinfo=MOSCOW).date(),), closed=True),),
    )
    friday, monday = datetime(2020, 3, 6, 23, 49, tzinfo=MOSCOW), datetime(2020, 3, 9, 12, tzinfo=MOSCOW)
    for first in (friday + timedelta(minutes=20), monday):
        brent = desk(first)
        brent.calendars["moex"] = rests
        before: dict[str, Any] = {"previous": Decimal("50.05"), "previous_as_of": friday - timedelta(days=1)}
        brent.says("moex", "45.30", friday, **before).fails("yahoo").choose()
        brent.now = monday
        abroad: dict[str, Any] = {"previous": Decimal("45.27"), "previous_as_of": friday}
        brent.says("yahoo", "33.90", brent.now - timedelta(minutes=10), **abroad)
        assert brent.shown() == ("45.30", "stale", "move")
        for _ in range(3):
            brent.later(minutes=5).says("yahoo", "33.85", brent.now - timedelta(minutes=10), **abroad)
        assert brent.shown()[:2] == ("33.85", "fresh")
        assert brent.choose().quote.source == "yahoo"


def test_a_lie_is_never_believed_by_time_alone(market: Desk) -> None:
    """One market +4 % and the other denies it: never shown, for hours; right again, it speaks at once."""
    market.later(minutes=1).says("moex", "76.68").says("yahoo", "74.01")
    assert market.shown() == ("73.73", "fresh", "disagree")
    for _ in range(50):
        market.later(minutes=5).says("moex", "76.70").says("yahoo", "74.02")
        price, status, reason = market.shown()
        assert (price in {"73.73", "74.02"}, status, reason) == (True, "fresh", "disagree")
    assert market.choose().quote.source == "yahoo"
    quote = market.later(minutes=1).says("moex", "73.75").says("yahoo", "74.02").choose().quote
    assert (str(quote.price), quote.source, quote.reason) == ("73.75", "moex", None)


def test_a_lie_that_goes_on_when_the_other_has_closed_is_still_one(market: Desk) -> None:
    """Alone, and nearer to what was denied than to what was shown: held."""
    market.later(minutes=1).says("moex", "76.68").says("yahoo", "74.01").choose()
    market.later(minutes=5).says("moex", "76.70").says("yahoo", "74.02").choose()
    market.fails("yahoo")
    for _ in range(10):
        market.later(minutes=10).says("moex", "76.70")
        assert market.shown()[0] in {"73.73", "74.02"}
    assert market.shown()[1] == "stale"


def test_a_second_market_that_jumps_does_not_stop_the_first(market: Desk) -> None:
    """Ten per cent at the other exchange and a tick at this one: this one goes on, and the dissent is said."""
    choice = market.later(minutes=5).says("moex", "73.80").says("yahoo", "81.40").choose()
    assert (str(choice.quote.price), choice.quote.reason) == ("73.80", Reason.DISAGREE)
    assert choice.quote.agreement
    assert choice.quote.agreement.sources == 1


def test_a_market_alone_is_believed_after_ten_minutes_of_its_jump(market: Desk) -> None:
    """The old number is stale at once; a print that is taken back was none."""
    market.fails("yahoo").later(minutes=26).says("moex", "73.75").choose()
    market.later(minutes=1).says("moex", "80.90")
    assert market.shown() == ("73.75", "stale", "move")
    market.later(minutes=9).says("moex", "80.85")
    assert market.shown() == ("73.75", "stale", "move")
    market.later(minutes=2).says("moex", "80.80")
    assert market.shown() == ("80.80", "fresh", None)


def test_what_no_market_has_ever_done_takes_a_market_alone_hours(market: Desk) -> None:
    """45 % lower within a minute, alone: not after ten minutes, after four hours; with two markets at once."""
    market.fails("yahoo").later(minutes=26).says("moex", "73.75").choose()
    for _ in range(47):
        market.later(minutes=5).says("moex", "40.56")
        assert market.shown() == ("73.75", "stale", "move")
    market.later(minutes=11).says("moex", "40.56")
    assert market.shown() == ("40.56", "fresh", None)


def test_one_print_of_nonsense_is_no_jump(market: Desk) -> None:
    """Back at its level with the next print, the number is fresh again."""
    market.fails("yahoo").later(minutes=26).says("moex", "73.75").choose()
    assert market.later(minutes=1).says("moex", "97.00").shown() == ("73.75", "stale", "move")
    assert market.later(minutes=1).says("moex", "73.77").shown() == ("73.77", "fresh", None)


@pytest.mark.parametrize("price", ["737.30", "7.373", "0.01356"])
def test_a_slip_is_never_shown(market: Desk, price: str) -> None:
    """Ten times, a tenth, the inverse: however long a market alone prints it."""
    market.fails("yahoo")
    for _ in range(4):
        market.later(minutes=26).says("moex", price)
        assert market.shown() == ("73.73", "stale", "unit")


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("74.10", MarketData(low=Decimal("73.20"), high=Decimal("73.80"))),
        ("74.10", MarketData(previous_price=Decimal("73.00"), change_from_previous=Decimal("1.01"))),
        ("74.40", MarketData(bid=Decimal("73.70"), offer=Decimal("73.75"))),
    ],
)
def test_a_print_that_contradicts_its_own_answer_is_refused(market: Desk, price: str, said: MarketData) -> None:
    """Half a percent wrong, which no other market could tell."""
    market.later(minutes=1).says("moex", price, market=said).says("yahoo", "74.00")
    assert market.choose().quote.price == Decimal("73.73")
    assert market.last
    assert market.last.reason is Reason.RANGE


@pytest.mark.parametrize("base", ["73.00", "73.40"])
def test_a_change_may_be_counted_from_the_last_price_or_from_the_settlement(market: Desk, base: str) -> None:
    """The exchange's recorded board does not settle which of both: a print that fits either contradicts nothing."""
    change = (Decimal("74.10") / Decimal(base) - 1) * 100
    said = MarketData(
        previous_price=Decimal("73.00"), previous_settlement=Decimal("73.40"), change_from_previous=round(change, 2)
    )
    market.later(minutes=1).says("moex", "74.10", market=said).says("yahoo", "74.00")
    assert market.choose().quote.price == Decimal("74.10")


def test_a_cold_start_beside_a_wrong_market_shows_the_calm_one() -> None:
    """Each is measured by the settlement before: one is far from its own, the other is not."""
    brent, before = desk(NOON), NOON - timedelta(hours=17)
    brent.says("moex", "81.10", previous=Decimal("73.00"), previous_as_of=before)
    brent.says("yahoo", "74.00", previous=Decimal("73.30"), previous_as_of=before)
    assert brent.shown()[:2] == ("74.00", "fresh")


def test_a_cold_start_in_a_dispute_shows_the_calmer_one_and_doubts_it() -> None:
    """4 % here and 1 % abroad since the settlements, both within a day's move: the smaller, not called fresh."""
    brent, before = desk(NOON), NOON - timedelta(hours=17)
    brent.says("moex", "76.10", previous=Decimal("73.00"), previous_as_of=before)
    brent.says("yahoo", "74.00", previous=Decimal("73.30"), previous_as_of=before)
    assert brent.shown() == ("74.00", "stale", "disagree")


def test_a_cold_start_on_a_true_crash_shows_it_at_once() -> None:
    """Both markets have moved alike since their settlements."""
    brent, before = desk(NOON), NOON - timedelta(hours=17)
    brent.says("moex", "55.10", previous=Decimal("73.00"), previous_as_of=before)
    brent.says("yahoo", "55.40", previous=Decimal("73.30"), previous_as_of=before)
    assert brent.shown() == ("55.10", "fresh", None)


def test_a_change_is_never_taken_across_two_contracts(market: Desk) -> None:
    """At a roll the new contract is measured by its own settlement, and tells that."""
    before = NOON - timedelta(hours=17)
    market.later(minutes=1).says("moex", "73.80", code="BRZ4").says("yahoo", "74.05").choose()
    rolled: dict[str, Any] = {"previous": Decimal("71.40"), "previous_as_of": before, "code": "BRF5"}
    quote = market.later(minutes=1).says("moex", "71.60", **rolled).says("yahoo", "74.06").choose().quote
    assert quote.contract
    assert (str(quote.price), quote.contract.code, quote.change, quote.status) == (
        "71.60",
        "BRF5",
        Decimal("0.20"),
        Status.FRESH,
    )


def test_a_repeated_print_keeps_its_time_and_makes_no_news(market: Desk) -> None:
    """`fetched_at` is when it was first said, `checked_at` when it was last."""
    first = market.later(minutes=1).says("moex", "73.80", market.now - timedelta(minutes=15)).choose().quote
    market.later(minutes=1).says("moex", "73.80", market.now - timedelta(minutes=16))
    again = market.choose().quote
    assert (again.news, again.fetched_at) == (first.news, first.fetched_at)
    assert again.checked_at == market.now


def test_the_order_of_answers_decides_nothing_between_markets() -> None:
    """Whichever is heard first, the preferred one speaks when both are."""
    shown = set()
    for order in (("moex", "yahoo"), ("yahoo", "moex")):
        brent = desk(NOON)
        for source in order:
            brent.says(source, {"moex": "73.73", "yahoo": "74.00"}[source]).choose()
        shown.add((brent.price, brent.choose().quote.source))
    assert shown == {("73.73", "moex")}


# Two markets of one delivery month, in one minute.

BEFORE = timedelta(minutes=15)
EXPIRES = date(2024, 11, 29)
DATED = Contract("BZF25.NYM", EXPIRES)


def chart(
    desk: Desk,
    price: str,
    ended: datetime,
    closes: dict[int, str] | None = None,
    contract: Contract | None = DATED,
) -> Desk:
    """Abroad says `price` of `ended`, with a close of it for each of ninety minutes; `closes` by minutes back."""
    told = {back: Decimal((closes or {}).get(back, price)) for back in range(90)}
    candles = tuple(Candle(ended - back * MINUTE, told[back]) for back in sorted(told, reverse=True))
    what = MarketData(candles=candles)
    return desk.says("yahoo", price, ended, market=what, contract=contract)


def print_of(desk: Desk, price: str, said: MarketData | None = None) -> Desk:
    """Moscow's print of a quarter of an hour ago."""
    return desk.says("moex", price, desk.now - BEFORE, market=said, contract=Contract("BRZ4", EXPIRES))


@pytest.fixture
def pair() -> Desk:
    """Two markets that have gone together for half an hour, abroad a tenth of a percent dearer."""
    brent = desk(NOON)
    for _ in range(7):
        print_of(chart(brent.later(minutes=5), "73.80", brent.now - timedelta(minutes=10)), "73.73")
        brent.choose()
    return brent


def test_a_small_lie_is_told_by_the_other_market_in_its_own_minute(pair: Desk) -> None:
    """0.35 % off, which no comparison over five minutes can tell: the other market speaks, for as long as it lasts."""
    for step in range(20):
        print_of(chart(pair.later(minutes=5), "73.80", pair.now - timedelta(minutes=10)), "73.99")
        assert pair.shown() == ("73.80" if step else "73.73", "fresh", "disagree")
    print_of(chart(pair.later(minutes=5), "73.80", pair.now - timedelta(minutes=10)), "73.73")
    assert pair.shown() == ("73.73", "fresh", None)


def test_who_was_refuted_stays_so_while_the_truth_wanders(pair: Desk) -> None:
    """Abroad goes 0.9 % up within hours, so that the lie stands where the truth has been: it is one all the same."""
    lie, true = Decimal("73.40"), Decimal("73.80")
    for step in range(60):
        moved = true * (1 + Decimal(step) * Decimal("0.00015"))
        low = lie * (1 + Decimal(step) * Decimal("0.00015"))
        chart(pair.later(minutes=5), f"{moved:.2f}", pair.now - timedelta(minutes=10), {5: f"{moved:.2f}"})
        print_of(pair, f"{low:.2f}")
        quote = pair.choose().quote
        assert (quote.source, quote.status) == ("yahoo" if step else "moex", Status.FRESH)
        assert quote.price != Decimal(f"{low:.2f}")


def test_a_small_lie_waits_for_another_market(pair: Desk) -> None:
    """The market that refuted it falls silent: repeating it for an hour proves nothing."""
    print_of(chart(pair.later(minutes=5), "73.80", pair.now - timedelta(minutes=10)), "73.99").choose()
    pair.fails("yahoo")
    for _ in range(12):
        quote = print_of(pair.later(minutes=5), "73.97").choose().quote
        assert quote.price in {Decimal("73.73"), Decimal("73.80")}
    assert pair.choose().quote.status is Status.STALE


def test_a_chart_that_denies_what_it_told_before_is_refused(pair: Desk) -> None:
    """The whole chart abroad is 1 % higher than it was: its past has changed, and nothing here has moved."""
    print_of(chart(pair.later(minutes=5), "74.54", pair.now - timedelta(minutes=10)), "73.73")
    choice = pair.choose()
    assert (str(choice.quote.price), choice.quote.source, choice.quote.status) == ("73.73", "moex", Status.FRESH)
    assert next(each for each in choice.evidence.witnesses if each.source == "yahoo").reason is Reason.RANGE


def test_a_jump_within_the_minute_teaches_nothing(pair: Desk) -> None:
    """Both fall by 10 % at once; the print is of the very minute, in which nobody knows the price of a second."""
    ended = pair.later(minutes=5).now - timedelta(minutes=10)
    before = dict.fromkeys(range(6, 90), "73.80")
    print_of(chart(pair, "66.40", ended, before), "66.34")
    assert pair.shown()[:2] == ("66.34", "fresh")
    assert abs(pair.memory.offsets["moex/yahoo"].ratio - Decimal("0.99905")) < Decimal("0.0002")


def test_at_a_start_two_markets_that_differ_are_not_fresh() -> None:
    """0.8 % apart, and no difference has been learnt: neither is called fresh, for hours, and the reason is told."""
    brent = desk(NOON)
    for _ in range(30):
        print_of(chart(brent.later(minutes=5), "73.80", brent.now - timedelta(minutes=10)), "74.40")
        assert brent.shown()[1:] == ("stale", "disagree")
    assert brent.choose().evidence.rule == "markets differ"
    print_of(chart(brent.later(minutes=5), "73.80", brent.now - timedelta(minutes=10)), "73.73")
    assert brent.shown() == ("73.73", "fresh", None)


def test_the_market_that_shows_every_minute_of_its_way_has_not_jumped(pair: Desk) -> None:
    """Abroad climbs 0.2 % in small steps, here 0.15 % are lost at once: it is the print that has left the other."""
    ended = pair.later(minutes=7).now - timedelta(minutes=10)
    way = {back: str(Decimal("73.95") - Decimal("0.025") * max(back, 0)) for back in range(7)}
    print_of(chart(pair, "73.95", ended, {**dict.fromkeys(range(7, 90), "73.80"), **way}), "73.60")
    pair.choose()
    print_of(chart(pair.later(minutes=3), "73.95", pair.now - timedelta(minutes=10)), "73.62")
    assert pair.shown() == ("73.95", "fresh", "disagree")


def test_over_a_night_the_difference_may_be_another_one(pair: Desk) -> None:
    """A tenth of a percent dearer here in the morning where it was cheaper last night: learnt anew, and no dispute."""
    pair.at(25, 9, 30)
    for _ in range(6):
        print_of(chart(pair.later(minutes=5), "73.80", pair.now - timedelta(minutes=10)), "74.01")
        assert pair.shown() == ("74.01", "fresh", None)


def test_a_print_in_dispute_is_not_kept_as_the_last_good_one(pair: Desk) -> None:
    """Here alone for an hour; then abroad is heard again and denies it: nobody can tell, and it is said at once."""
    pair.fails("yahoo")
    for _ in range(30):
        print_of(pair.later(minutes=5), "73.76").choose()
    print_of(pair.later(minutes=5), "73.76")
    assert pair.shown() == ("73.76", "fresh", None)
    chart(pair.later(minutes=1), "74.40", pair.now - timedelta(minutes=10)).choose()
    assert pair.shown()[1:] == ("stale", "disagree")


def test_what_contradicted_itself_is_not_excused_where_the_truth_comes_to_meet_it(market: Desk) -> None:
    """A wrong LAST beside a right change: refused, and also when it stands where the last good print was."""
    market.fails("yahoo").later(minutes=26).says("moex", "73.75").choose()

    def told(true: str) -> MarketData:
        change = round((Decimal(true) / Decimal("73.00") - 1) * 100, 2)
        return MarketData(previous_price=Decimal("73.00"), change_from_previous=change)

    market.later(minutes=5).says("moex", "74.12", market=told("73.75"))
    assert market.shown()[0] == "73.75"
    market.later(minutes=5).says("moex", "73.76", market=told("73.40"))
    quote = market.choose().quote
    assert (str(quote.price), quote.reason) == ("73.75", Reason.RANGE)
    assert market.later(minutes=1).says("moex", "73.40", market=told("73.40")).shown() == ("73.40", "fresh", None)


def test_a_market_alone_may_go_on_while_it_waits(market: Desk) -> None:
    """It falls by 10 % and then by 1.5 % each five minutes: each print is near the one before, and that is enough."""
    market.fails("yahoo").later(minutes=26).says("moex", "73.75").choose()
    for price in ("66.40", "65.40", "64.42"):
        market.later(minutes=5).says("moex", price).choose()
    assert market.shown() == ("64.42", "fresh", None)


def test_a_market_that_repeats_itself_beside_one_that_walks_away_is_wrong(pair: Desk) -> None:
    """Its clock goes on and its price does not, while abroad climbs 0.4 % minute by minute."""
    for walked, later in ((10, 9), (13, 3)):
        pair.later(minutes=later)
        way = {back: str(Decimal("73.80") + Decimal("0.03") * (walked - back)) for back in range(walked)}
        chart(pair, way[0], pair.now - timedelta(minutes=10), dict.fromkeys(range(walked, 90), "73.80") | way)
        print_of(pair, "73.73").choose()
    assert pair.shown() == ("74.19", "fresh", "disagree")


def test_what_a_chart_tells_of_later_minutes_nobody_has_agreed_to(pair: Desk) -> None:
    """Abroad is 1 % higher from one minute on, in price and chart, before a print of here reaches that minute."""
    start = pair.now - BEFORE
    for step in range(1, 41):
        pair.later(minutes=1)
        ended = pair.now - timedelta(minutes=10)
        way = {}
        for back in range(90):
            since = int((ended - back * MINUTE - start) / MINUTE)
            true = Decimal("73.80") + Decimal("0.01") * max(since, 0)
            way[back] = str((true * Decimal("1.01")).quantize(Decimal("0.01")) if since > 4 else true)
        print_of(chart(pair, way[0], ended, way), str(Decimal("73.73") + Decimal("0.01") * step))
        quote = pair.choose().quote
        assert (quote.source, quote.status) == ("moex", Status.FRESH), (step, quote)


def test_a_wide_limit_met_ends_no_doubt(pair: Desk) -> None:
    """0.9 % off by the minute; then abroad sends no minutes, and of prints of two times nobody can tell as much."""
    print_of(chart(pair.later(minutes=5), "73.80", pair.now - timedelta(minutes=10)), "74.39").choose()
    for _ in range(10):
        pair.later(minutes=5).says("yahoo", "73.80", pair.now - timedelta(minutes=10))
        quote = print_of(pair, "74.39").choose().quote
        assert quote.price in {Decimal("73.73"), Decimal("73.80")}


def test_a_start_in_a_dispute_stays_one_when_the_denier_falls_silent() -> None:
    """3 % apart at a start: neither becomes fresh because the other is not heard; when both agree, at once."""
    brent = desk(NOON)
    print_of(chart(brent, "73.80", NOON - timedelta(minutes=10)), "75.94").choose()
    brent.fails("yahoo")
    for _ in range(24):
        print_of(brent.later(minutes=5), "75.95")
        assert brent.shown()[1:] == ("stale", "disagree")
    print_of(chart(brent.later(minutes=5), "73.80", brent.now - timedelta(minutes=10)), "73.73")
    assert brent.shown() == ("73.73", "fresh", None)


def test_in_a_dispute_that_lasts_the_other_market_is_not_asked_with_every_print(pair: Desk) -> None:
    """It is asked at once when the doubt is new; later as often as ever, or its hour's requests would be spent."""
    chart(pair, "73.80", pair.now - timedelta(minutes=10))
    asks = [print_of(pair.later(minutes=1), "74.40").choose().ask_now for _ in range(20)]
    assert asks[0] == ("yahoo",)
    assert not any(asks[3:])


def test_a_print_at_rest_bears_witness_of_its_own_minute(pair: Desk) -> None:
    """Abroad errs before the close here and is right again after it: its chart of the last minute here says so."""
    pair.now = start = pair.now.replace(hour=23, minute=30)
    closed = start.replace(minute=50)
    for step in range(40):
        pair.now = start + 2 * step * MINUTE
        ended = pair.now - timedelta(minutes=10)
        before = dict.fromkeys(range(max(int((ended - start) / MINUTE), 0), 90), "73.80")
        chart(pair, "73.80" if ended < start else "74.54", ended, before)
        pair.says("moex", "73.73", min(pair.now - BEFORE, closed), contract=Contract("BRZ4", EXPIRES)).choose()
    assert pair.shown()[1:] == ("stale", "disagree")
    chart(pair.later(minutes=2), "73.80", pair.now - timedelta(minutes=10))
    assert pair.shown()[:2] == ("73.80", "fresh")


def test_a_dispute_whose_minute_was_not_there_yet_is_decided_by_the_next_answer(pair: Desk) -> None:
    """3 % lower here at a minute that the chart does not reach: nobody can tell, until it is asked again and does."""
    print_of(pair.later(minutes=12), "71.52")
    choice = pair.choose()
    assert (choice.quote.price, choice.ask_now) == (Decimal("73.73"), ("yahoo",))
    chart(pair, "73.80", pair.now - timedelta(minutes=10)).choose()
    print_of(chart(pair.later(minutes=5), "73.80", pair.now - timedelta(minutes=10)), "71.52")
    assert pair.shown() == ("73.80", "fresh", "disagree")


def test_a_chart_whose_past_has_changed_denies_nobody(pair: Desk) -> None:
    """Abroad is 0.4 % higher, minutes and all, while the truth falls by as much: both seem to have moved alone."""
    ended = pair.later(minutes=5).now - timedelta(minutes=10)
    way = {back: str(Decimal("73.80") if back < 8 else Decimal("74.10")) for back in range(90)}
    print_of(chart(pair, "73.80", ended, way), "73.43")
    quote = pair.choose().quote
    assert (quote.price, quote.source, quote.status) == (Decimal("73.43"), "moex", Status.FRESH)


def test_a_market_that_contradicts_itself_denies_nobody(pair: Desk) -> None:
    """Abroad says 30 % more than its own minutes; here a true move of 0.4 % is shown as ever."""
    ended = pair.later(minutes=8).now - timedelta(minutes=10)
    told = tuple(
        Candle(ended - back * MINUTE, Decimal("73.50" if back < 10 else "73.80")) for back in range(90, -1, -1)
    )
    contract = Contract("BZF25.NYM", EXPIRES)
    pair.says("yahoo", "95.94", ended, market=MarketData(candles=told), contract=contract)
    print_of(pair, "73.43")
    quote = pair.choose().quote
    assert (quote.price, quote.source, quote.status) == (Decimal("73.43"), "moex", Status.FRESH)


def test_a_thin_market_does_not_alternate_with_another(market: Desk) -> None:
    """It prints every fourteen minutes and is late each time: the other one speaks until it is on time for a while."""
    spoke = []
    for minute in range(160):
        market.later(minutes=1)
        if minute % 14 == 0 or minute > 120:
            market.says("moex", "73.80", market.now - timedelta(minutes=15))
        if minute % 5 == 0:
            market.says("yahoo", "74.08", market.now - timedelta(minutes=10))
        quote = market.choose().quote
        assert quote.status is Status.FRESH
        spoke.append(quote.source)
    assert (spoke[60:121], spoke[-1]) == (["yahoo"] * 61, "moex")
    assert sum(one != then for one, then in pairwise(spoke)) == 2


def test_two_numbers_of_one_moment_do_not_disagree_over_closes_of_other_months() -> None:
    """0.07 % apart, of the same new month, while the close told abroad is of the old month, 8 % lower."""
    gas, before = desk(NOON), NOON - timedelta(hours=17)
    gas.says("moex", "73.73", previous=Decimal("73.60"), previous_as_of=before)
    gas.says("yahoo", "73.78", previous=Decimal("68.00"), previous_as_of=before)
    assert gas.shown() == ("73.73", "fresh", None)


def test_a_future_whose_month_nobody_names_bears_witness_after_the_difference_it_has() -> None:
    """Abroad is another month, 0.5 % dearer; after a quarter of an hour of it 0.6 % more here is one, and denied."""
    brent = desk(NOON)
    for step in range(30):
        chart(brent.later(minutes=5), "73.80", brent.now - timedelta(minutes=10), contract=None)
        lies = 6 <= step < 20
        quote = print_of(brent, "73.87" if lies else "73.43").choose().quote
        assert quote.price != Decimal("73.87"), step
        assert quote.status is Status.FRESH, step
        assert (quote.source == "moex") is not (lies and step > 6), step


def test_a_market_that_was_late_comes_back_though_asked_every_six_minutes_only(market: Desk) -> None:
    """Away for forty minutes, then on time: between two askings its print is up to 21 minutes old, and in time."""
    spoke = []
    for minute in range(130):
        market.later(minutes=1)
        if minute % 6 == 0 and not 12 <= minute < 52:
            market.says("moex", "73.80", market.now - timedelta(minutes=15))
        if minute % 5 == 0:
            market.says("yahoo", "74.08", market.now - timedelta(minutes=10))
        spoke.append(market.choose().quote.source)
    assert (spoke[5], spoke[40], spoke[60]) == ("moex", "yahoo", "yahoo")
    assert spoke[85:] == ["moex"] * 45


def test_a_market_that_rests_as_planned_is_not_frozen(market: Desk) -> None:
    """On Saturday the last print abroad is the newest, and nothing is wrong with the one here."""
    market.at(22, 23, 58).says("moex", "73.90", market.now.replace(hour=23, minute=49))
    market.says("yahoo", "74.20", datetime(2024, 11, 23, 1, 59, tzinfo=MOSCOW)).at(23, 12)
    assert market.shown() == ("74.20", "fresh", None)
