"""The three neighbours' central banks: `nbrb`, `nbk` and `cbu_uz` differ in how they write, not in what they say."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.support.answers import BEFORE, DAY, LIVE, changed
from tests.support.refusals import denied, ticks_by_symbol
from ticker.quotes import PriceType, Reason, Tick
from ticker.sources import SOURCES

# source: its currency and zone
BANKS = {"nbrb": ("BYN", "Europe/Minsk"), "nbk": ("KZT", "Asia/Almaty"), "cbu_uz": ("UZS", "Asia/Tashkent")}
# source: the path and query of today's table, at the bank, when it is still yesterday in London
TODAY = {
    "nbrb": "/exrates/rates periodicity=0",
    "nbk": "/rss/get_rates.cfm fdate=22.11.2024",
    "cbu_uz": "/en/arkhiv-kursov-valyut/json/ ",
}
ARCHIVED = {
    "nbrb": "/exrates/rates ondate=2024-11-21&periodicity=0",
    "nbk": "/rss/get_rates.cfm fdate=21.11.2024",
    "cbu_uz": "/en/arkhiv-kursov-valyut/json/all/2024-11-21/ ",
}
OTHERS = [
    ("nbrb", '"EUR"', '"USD"', Reason.SCHEMA),
    ("nbrb", '"Cur_Abbreviation":"RUB"', '"Cur_Abbreviation":"XXX"', Reason.SCHEMA),
    ("nbrb", '"Cur_Scale":1,', '"Cur_Scale":3,', Reason.UNIT),
    ("nbrb", '"Cur_OfficialRate"', '"Rate"', Reason.SCHEMA),
    ("nbrb", "2024-11-22T00:00:00", "tomorrow", Reason.SCHEMA),
    ("nbk", "<title>EUR", "<title>USD", Reason.SCHEMA),
    ("nbk", "<title>RUB", "<title>XXX", Reason.SCHEMA),
    ("nbk", "<quant>1<", "<quant>3<", Reason.UNIT),
    ("nbk", "<date>22.11.2024", "<date>", Reason.SCHEMA),
    ("nbk", "<rates>", "<rss>", Reason.PARSE),
    ("nbk", ">+0.01<", ">+9999<", Reason.RANGE),
    ("nbk", ">+0.01<", ">up<", Reason.PARSE),
    ("cbu_uz", '"EUR"', '"USD"', Reason.SCHEMA),
    ("cbu_uz", '"Ccy":"RUB"', '"Ccy":"XXX"', Reason.SCHEMA),
    ("cbu_uz", '"Nominal":"1"', '"Nominal":"3"', Reason.UNIT),
    ("cbu_uz", '"Rate"', '"Course"', Reason.SCHEMA),
    ("cbu_uz", "22.11.2024", "2024-11-22", Reason.SCHEMA),
    ("cbu_uz", '"Diff":"0.01"', '"Diff":"999999"', Reason.RANGE),
]


def of(source: str, body: bytes) -> dict[str, Tick]:
    """The ticks by currency."""
    return ticks_by_symbol(SOURCES[source].parse(body).ticks)


@pytest.mark.parametrize("source", BANKS)
def test_it_is_asked_for_the_table_of_today(source: str) -> None:
    """One request, whatever is wanted; today is the bank's own, not ours."""
    evening = datetime(2024, 11, 21, 22, 30, tzinfo=UTC)
    (request,) = SOURCES[source].requests(["USD", "EUR"], evening)
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    assert f"{request.path} {query}" == TODAY[source]


@pytest.mark.parametrize("source", BANKS)
def test_the_archive_is_asked_by_the_day(source: str) -> None:
    """Every table by its own day, read like today's."""
    adapter = SOURCES[source]
    assert adapter.archive is not None
    first, second = adapter.archive([], BEFORE, DAY)
    query = "&".join(f"{name}={value}" for name, value in first.query.items())
    assert f"{first.path} {query}" == ARCHIVED[source]
    assert first != second
    assert adapter.parse_archive is None


@pytest.mark.parametrize("source", BANKS)
def test_a_table_is_in_the_banks_own_currency(source: str) -> None:
    """Dollar and rouble both cost so much of it, each for so many units, in force from the table's day."""
    ticks = of(source, LIVE[source])
    currency, zone = BANKS[source]
    friday = datetime(2024, 11, 22, tzinfo=ZoneInfo(zone))
    assert {(t.currency, t.as_of, t.price_type) for t in ticks.values()} == {(currency, friday, PriceType.FIXING)}
    dollar, rouble = (ticks[code].price / ticks[code].nominal for code in ("USD", "RUB"))
    assert round(dollar / rouble) == 101
    assert currency not in ticks


@pytest.mark.parametrize(
    ("source", "rose", "fell"), [("nbk", ">+0.01<", ">-0.01<"), ("cbu_uz", '"Diff":"0.01"', '"Diff":"-0.01"')]
)
def test_what_was_follows_from_the_change(source: str, rose: str, fell: str) -> None:
    """The table tells by how much each rate moved, so the one before is known without asking again."""
    cent = Decimal("0.01")
    dollar = of(source, LIVE[source])["USD"]
    assert dollar.previous == dollar.price - cent
    assert of(source, changed(source, rose, fell))["USD"].previous == dollar.price + cent
    untold = changed(source, rose, rose.replace("+", "").replace("0.01", ""))
    assert of(source, untold)["USD"].previous is None


@pytest.mark.parametrize(("source", "old", "new", "reason"), OTHERS)
def test_another_table_is_refused(source: str, old: str, new: str, reason: Reason) -> None:
    """A currency twice or missing, units that are none, cells and days that are not there."""
    assert denied(SOURCES[source].parse, changed(source, old, new), "USD", "RUB") is reason


@pytest.mark.parametrize("source", BANKS)
@pytest.mark.parametrize("code", ["CNY", "EUR"])
def test_a_wound_of_another_currency_costs_that_currency_alone(source: str, code: str) -> None:
    """Whatever is wrong with the yuan, dollar and rouble are read as if nothing were."""
    whole = of(source, LIVE[source])
    for old, new in ((f'"{code}"', "null"), (f"<title>{code}", "<title>"), (f'"{code}"', '"XXX"')):
        if old.encode() in LIVE[source]:
            found = of(source, changed(source, old, new))
            assert {each: found[each] for each in ("USD", "RUB")} == {each: whole[each] for each in ("USD", "RUB")}
            assert code not in found
