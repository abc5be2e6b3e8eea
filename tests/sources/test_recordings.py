"""Every recording that the shared index names, read by the source it is of, or refused with its reason."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.refusals import refused
from ticker.calendars.publication import Publication
from ticker.normalize import Origin, normalise
from ticker.quotes import Candidate, Instrument, Reason
from ticker.sources import SOURCES

# file, source, pair by the source's own word, price of one unit, when it is of, kind
GIVES = """
    cbr/XML_daily_2022-07-23_novunitrate.xml cbr USD/RUB 57.3917 2022-07-23T00:00+03:00 fixing
    cbr/XML_daily_2022-07-23_novunitrate.xml cbr CNY/RUB 8.58282 2022-07-23T00:00+03:00 fixing
    cbr/XML_daily_2022-03-15_novunitrate.xml cbr EUR/RUB 127.2343 2022-03-15T00:00+03:00 fixing
    cbr/XML_daily_2020-04-25.xml cbr JPY/RUB 0.694035 2020-04-25T00:00+03:00 fixing
    cbr/XML_daily_2016-12-09_pretty_indented.xml cbr USD/RUB 63.3901 2016-12-09T00:00+03:00 fixing
    cbr_xml_daily/daily_json_2025-06-26.js cbr_mirror USD/RUB 78.1959 2025-06-26T00:00+03:00 fixing
    cbr_xml_daily/daily_json_2022-08-27.js cbr_mirror EUR/RUB 59.8784 2022-08-27T00:00+03:00 fixing
    cbr_xml_daily/daily_json_2021-12-31_newyear.js cbr_mirror USD/RUB 74.2926 2021-12-31T00:00+03:00 fixing
    cbr_xml_daily/daily_json_2020-03-12_mojibake_pycharm.json cbr_mirror EUR/RUB 81.0207 2020-03-12T00:00+03:00 fixing
    moex/panychek_selt_market_security_market_data.json moex_fx USD000UTSTOM/RUB 58.11 2017-09-18T22:45:11+03:00 last
    moex/panychek_forts_market_security_market_data.json moex Si/RUB 58.358 2017-09-22T12:30:04+03:00 last
    ecb/eurofxref-daily_2025-05-09_noRUB.xml ecb EUR/USD 1.1252 2025-05-09T00:00+02:00 fixing
    ecb/eurofxref-daily_2015-01-07_exchanger_trimmed.xml ecb EUR/USD 1.1831 2015-01-07T00:00+01:00 fixing
    ecb/eurofxref-daily_2015-01-07_exchanger_trimmed.xml ecb EUR/RUB 75.0000 2015-01-07T00:00+01:00 fixing
    frankfurter/v1_2025-03-18_EUR_GBP.json frankfurter EUR/GBP 0.84173 2025-03-18T00:00+03:00 mid
    frankfurter/v2_rate_EUR_GBP_2025-03-18.json frankfurter EUR/GBP 0.84063 2025-03-18T00:00+03:00 mid
    open_er_api/v6_latest_USD_2024-08-19.json open_er_api USD/RUB 89.378323 2024-08-19T00:02:31+00:00 mid
    open_er_api/v6_latest_USD_2024-08-19.json open_er_api EUR/RUB 98.484278 2024-08-19T00:02:31+00:00 mid
    fawazahmed0/usd_2021-09-12.json fawazahmed0 USD/RUB 73.1865 2021-09-12T00:00+00:00 mid
    fawazahmed0/usd_2021-09-12.json fawazahmed0 EUR/RUB 86.467676 2021-09-12T00:00+00:00 mid
    yahoo/chart_GC=F_2025-02-20.json yahoo GC=F/USD 2952.5 2025-02-20T11:35:11+00:00 last
    yahoo/chart_AAPL_weekend_1m_empty_2025-02-01.json yahoo AAPL/USD 244.87 2025-02-19T21:00:01+00:00 last
    yahoo/chart_WSU.DE.json yahoo WSU.DE/EUR 38.9 2025-02-20T11:03:40+00:00 last
    yahoo/chart_BTC-USD_2025-02-20.json yahoo BTC-USD/USD 97208.17 2025-02-20T11:44:00+00:00 last
    fred/fredgraph_DCOILBRENTEU_new_2026-04.csv fred BRENT/USD 113.89 2026-04-27T00:00-04:00 fixing
    eia/v2_petroleum_pri_spt_RWTC_1986.json eia RWTC/USD 25.78 1986-01-03T00:00-05:00 fixing
    nbrb/rates_daily_2026-03-17.json nbrb USD/RUB 80.260971 2026-03-17T00:00+03:00 mid
    nbrb/rates_daily_2026-03-17.json nbrb EUR/RUB 91.914789 2026-03-17T00:00+03:00 mid
    nbk/get_rates_2026-04-01.xml nbk USD/RUB 81.562181 2026-04-01T00:00+05:00 mid
    nbk/get_rates_2026-04-01.xml nbk EUR/RUB 93.461670 2026-04-01T00:00+05:00 mid
    nbk/get_rates_2026-04-02.xml nbk USD/RUB 80.935264 2026-04-02T00:00+05:00 mid
    cbu_uz/arkhiv_json_2026-04-01.json cbu_uz USD/RUB 81.310996 2026-04-01T00:00+05:00 mid
    cbu_uz/arkhiv_json_2026-04-01.json cbu_uz EUR/RUB 93.247449 2026-04-01T00:00+05:00 mid
    cbu_uz/arkhiv_json_2026-04-02.json cbu_uz USD/RUB 80.662326 2026-04-02T00:00+05:00 mid
"""
# file, source, symbol, currency, how many rows of it, one of its days, the price of one unit on it
HISTORIES = """
    cbr/XML_dynamic_USD_2026-03-01_05.xml cbr USD RUB 3 2026-03-03 77.1734
    cbr/XML_dynamic_USD_2026-03-01_05.xml cbr USD RUB 3 2026-03-05 77.8009
    cbr/XML_dynamic_CNY_2026-03-01_05.xml cbr CNY RUB 3 2026-03-04 11.2210
    cbr/XML_dynamic_AUD_2026-03-01_05.xml cbr AUD RUB 3 2026-03-05 54.4295
    cbr/XML_dynamic_JPY_nominal100_2026-03-01_05.xml cbr JPY RUB 3 2026-03-03 0.493436
    ecb/sdmx_EXR_csvdata_2026-02-17.csv ecb EUR CNY 22 2026-02-17 8.1702
    fred/fredgraph_DCOILBRENTEU_new_2026-04.csv fred DCOILBRENTEU USD 1264 2024-11-21 75.09
    fred/fredgraph_DCOILBRENTEU_new_2026-04.csv fred DCOILBRENTEU USD 1264 2024-11-22 76.10
    fred/fredgraph_DCOILBRENTEU_new_2026-04.csv fred DCOILBRENTEU USD 1264 2021-04-27 66.25
    fred/api_observations_DEXBZUS.json fred - - 10 2026-03-13 5.2914
"""
# file, source, reason
REFUSED = """
    cbr/xml_metall_2026-03-01_05.xml cbr schema
    cbr/XML_daily_error_in_parameters.xml cbr schema
    cbr/ddos_guard_splash_TRUNCATED.html cbr blocked
    moex/empty_history.xml moex parse
    moex/panychek_forts_market_security.json moex schema
    moex/panychek_selt_market_security.json moex_fx schema
    moex/panychek_security_search.json moex_fx schema
    yahoo/quoteSummary_404_ADH.json yahoo schema
    yahoo/429_body_too_many_requests.txt yahoo rate_limited
    stooq/q_l_ND_unknown_symbol.csv fred schema
"""
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def lines(table: str) -> list[list[str]]:
    """The words of each line."""
    return [line.split() for line in table.strip().splitlines()]


def candidate(source: str, pair: str, body: bytes) -> Candidate:
    """What `source` says of `pair` in `body`, for one unit."""
    adapter, (base, quote) = SOURCES[source], pair.split("/")
    week = timedelta(days=7)
    instrument = Instrument(
        symbol=base, base=base, quote=quote, sources=(source,), max_age=week, max_move=Decimal(1), tolerance=Decimal(1)
    )
    calendar = Publication(zone=ZoneInfo("UTC"), at=time(), days="mon-sun")
    origin = Origin(source, adapter.publisher, calendar, adapter.codes)
    found = normalise(instrument, origin, adapter.parse(body).ticks, NOW)
    assert found is not None
    return found


@pytest.mark.parametrize(("file", "source", "pair", "price", "as_of", "kind"), lines(GIVES))
def test_a_recording_gives_its_number(
    payloads: Path, file: str, source: str, pair: str, price: str, as_of: str, kind: str
) -> None:
    """Price of one unit to the digit, the source's own time, and the kind it is of: a cross rate is indicative."""
    found = candidate(source, pair, (payloads / file).read_bytes())
    assert (str(found.price), str(found.price_type)) == (price, kind)
    assert found.as_of == datetime.fromisoformat(as_of)


@pytest.mark.parametrize(("file", "source", "symbol", "currency", "rows", "day", "price"), lines(HISTORIES))
def test_a_recorded_history_gives_its_days(
    payloads: Path, file: str, source: str, symbol: str, currency: str, rows: str, day: str, price: str
) -> None:
    """An archive's answer gives every day that has a price, and no other."""
    parse = SOURCES[source].parse_archive or SOURCES[source].parse
    words = (symbol.replace("-", ""), currency.replace("-", ""))
    ticks = [tick for tick in parse((payloads / file).read_bytes()).ticks if (tick.symbol, tick.currency) == words]
    prices = {f"{tick.as_of:%Y-%m-%d}": tick.price / tick.nominal for tick in ticks}
    assert len(prices) == len(ticks) == int(rows)
    assert prices[day] == Decimal(price)


@pytest.mark.parametrize(("file", "source", "reason"), lines(REFUSED))
def test_a_recorded_failure_is_refused(payloads: Path, file: str, source: str, reason: str) -> None:
    """What is no answer of the source, whatever its status was, gives no number but its reason."""
    assert refused(SOURCES[source].parse, (payloads / file).read_bytes()) is Reason(reason)


def test_no_recording_is_left_out(payloads: Path) -> None:
    """Every body that the index describes stands in a table here."""
    known = {line[0] for table in (GIVES, HISTORIES, REFUSED) for line in lines(table)}
    found = {path.relative_to(payloads).as_posix() for path in payloads.rglob("*") if path.is_file()}
    bodies = {name for name in found if not name.endswith((".meta.json", ".headers.json", ".md"))}
    assert bodies - known == set()


@pytest.mark.parametrize(("file", "source"), sorted({(line[0], line[1]) for line in lines(GIVES)}))
def test_no_row_of_a_recording_is_left_out(payloads: Path, file: str, source: str) -> None:
    """What the sources really send is read whole; but for the coins that nobody prices."""
    found = SOURCES[source].parse((payloads / file).read_bytes())
    assert [row.detail for row in found.skipped] == []
    assert all(tick.raw for tick in found.ticks)
