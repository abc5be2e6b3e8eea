from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tests.select.conftest import MOSCOW, Desk
from ticker.quotes import Reason


def test_two_markets_agree_after_the_difference_they_had(market: Desk) -> None:
    """Exchanges never print one number: what counts is that they move together."""
    quote = market.later(minutes=5).says("moex", "74.50").says("yahoo", "74.78").choose().quote
    assert quote.agreement
    assert (str(quote.price), quote.agreement.sources, quote.reason) == ("74.50", 2, None)


def test_a_market_that_moves_alone_is_held_while_the_other_denies_it(market: Desk) -> None:
    """Four per cent at one exchange and none at the other is a print, not news."""
    quote = market.later(minutes=5).says("moex", "76.80").says("yahoo", "74.01").choose().quote
    assert (str(quote.price), quote.reason) == ("73.73", Reason.DISAGREE)
    assert market.later(minutes=5).says("moex", "76.85").says("yahoo", "77.05").price == "76.85"


def test_a_market_alone_is_believed_when_its_next_print_stands(market: Desk) -> None:
    """With nobody to ask, a jump waits one print."""
    del market.candidates["yahoo"]
    quote = market.later(minutes=1).says("moex", "80.50").choose().quote
    assert (str(quote.price), quote.reason) == ("73.73", Reason.MOVE)
    assert market.later(minutes=1).says("moex", "80.40").price == "80.40"


def test_when_the_held_number_grows_old_a_calm_market_takes_over(market: Desk) -> None:
    """A first exchange that prints nonsense does not silence the second one for ever."""
    for _ in range(8):
        market.later(minutes=10).says("moex", "97.00").says("yahoo", "74.10").choose()
    quote = market.choose().quote
    assert (str(quote.price), quote.source, quote.fallback) == ("74.10", "yahoo", True)


def test_a_market_that_is_late_gives_way_and_keeps_its_offset(market: Desk) -> None:
    """A halt on one exchange is bridged by the other; when it is back it is measured by what it stood at."""
    market.later(minutes=61).says("yahoo", "74.10")
    assert market.choose().quote.source == "yahoo"
    quote = market.later(minutes=1).says("moex", "77.00").choose().quote
    assert (quote.source, quote.reason) == ("yahoo", Reason.DISAGREE)


def test_a_first_number_far_from_its_own_previous_is_held(market: Desk) -> None:
    """At a cold start the answer itself says what was before; half of that is a slip, and the calm market speaks."""
    before = datetime(2024, 11, 21, 23, 50, tzinfo=MOSCOW)
    cold = Desk(market.what, market.calendars, market.now, market.kind)
    cold.says("moex", "37.73", previous=Decimal("72.81"), previous_as_of=before)
    assert (cold.price, cold.choose().quote.reason) == (None, Reason.MOVE)
    cold.says("yahoo", "74.00", previous=Decimal("72.81"), previous_as_of=before)
    assert (cold.price, cold.choose().quote.source) == ("74.00", "yahoo")


def test_a_second_market_that_jumps_does_not_stop_the_first(market: Desk) -> None:
    """Ten per cent at the other exchange and a tick at this one: this one goes on, and the dissent is said."""
    choice = market.later(minutes=5).says("moex", "73.80").says("yahoo", "81.40").choose()
    assert (str(choice.quote.price), choice.quote.reason) == ("73.80", Reason.DISAGREE)
    assert ("yahoo", Reason.DISAGREE) in choice.overruled
    assert choice.quote.agreement
    assert choice.quote.agreement.sources == 1


def test_a_held_market_says_who_stands_by_the_number_kept(market: Desk) -> None:
    """The agreement beside a kept number is of now, not of when it was published."""
    quote = market.later(minutes=5).says("moex", "97.00").says("yahoo", "74.01").choose().quote
    assert (str(quote.price), quote.reason) == ("73.73", Reason.MOVE)
    assert quote.agreement
    assert (quote.agreement.sources, quote.agreement.spread_percent > 30) == (1, True)
