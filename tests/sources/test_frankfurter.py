from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.support.answers import LIVE, NOON, changed
from tests.support.refusals import refused
from tests.support.upstreams import banks
from ticker.quotes import PriceType, Reason, Tick
from ticker.sources.base import MOSCOW, Extract
from ticker.sources.frankfurter import ADAPTER, parse, parse_archive

DAYS = ((20, "100.0348"), (21, "100.2192"), (22, "100.6798"))
DOLLAR = Tick(
    "USD", Decimal("100.6798"), "RUB", datetime(2024, 11, 22, tzinfo=MOSCOW), PriceType.FIXING, raw="100.6798"
)


def test_it_is_asked_for_the_banks_rates_alone() -> None:
    """Without `providers=CBR` the answer would be a blend of banks; one request a currency."""
    asked = ADAPTER.requests(["USD", "EUR"], NOON)
    assert [request.path for request in asked] == ["/v2/rates"] * 2
    assert [dict(request.query) for request in asked] == [
        {"base": base, "quotes": "RUB", "providers": "CBR"} for base in ("USD", "EUR")
    ]


def test_an_answer_of_either_shape_gives_the_fixing() -> None:
    """A list of rates and a single one say the same, dated by the day the Bank's table is in force."""
    assert parse(LIVE["frankfurter"]) == Extract((DOLLAR,))
    assert parse(LIVE["frankfurter"].strip(b"[]")) == Extract((DOLLAR,))


def test_the_base_in_terms_of_itself_is_no_rate() -> None:
    """v2 lists the base at 1; it is left out, and alone it is no answer."""
    own = b'{"date":"2024-11-22","base":"USD","quote":"USD","rate":1}'
    assert parse(b"[" + own + b"," + LIVE["frankfurter"].strip(b"[]") + b"]").ticks == (DOLLAR,)
    assert refused(parse, b"[" + own + b"]") is Reason.SCHEMA


def test_only_roubles_are_the_banks() -> None:
    """Of another pair the answer does not say whose number it is, so it is no fixing."""
    (tick,) = parse(changed("frankfurter", '"RUB"', '"GBP"')).ticks
    assert tick.price_type is PriceType.MID


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"status":404,"message":"not found"}', Reason.SCHEMA),
        (b'{"amount":100.0,"base":"EUR","date":"2025-03-18","rates":{"GBP":84.17}}', Reason.SCHEMA),
        (LIVE["frankfurter"].replace(b"]", b",") + changed("frankfurter", "100.67", "99.67")[1:], Reason.SCHEMA),
        (changed("frankfurter", "100.6798", "-1"), Reason.RANGE),
        (changed("frankfurter", "100.6798", '"N/A"'), Reason.PARSE),
        (changed("frankfurter", "2024-11-22", "22.11.2024"), Reason.SCHEMA),
    ],
)
def test_another_answer_is_refused(body: bytes, reason: Reason) -> None:
    """An error's envelope, an amount that is not one, a rate told twice, cells that are none."""
    assert refused(parse, body) is reason


def test_history_is_asked_for_by_the_span() -> None:
    """From and to, a request a currency; a span of holidays answers nothing, which is no error."""
    assert ADAPTER.archive is not None
    (request,) = ADAPTER.archive(["USD"], date(2024, 11, 1), date(2024, 11, 30))
    assert (request.query["from"], request.query["to"]) == ("2024-11-01", "2024-11-30")
    assert parse_archive(b"[]") == Extract(())


def test_of_several_days_the_newest_speaks() -> None:
    """Whichever order they come in: the first row may be the oldest."""
    rows = [banks.frankfurter(date(2024, 11, day), "USD", Decimal(price))[1:-1] for day, price in DAYS]
    for order in (rows, rows[::-1]):
        (tick,) = parse(b"[" + b",".join(order) + b"]").ticks
        assert (tick.price, tick.as_of.day) == (Decimal("100.6798"), 22)
