"""The tables of other central banks, of proxies and of free services: one writer each, values in, bytes out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from tests.support.upstreams.exact import dumps
from tests.support.upstreams.valutes import VALUTES

_FOUR: Final = Decimal("0.0001")
_CENT: Final = Decimal("0.01")
_SIX: Final = Decimal("0.000001")
_OWN: Final = {"BYN", "KZT", "UZS"}  # a bank's table does not list its own currency


def roubles(usd: Decimal, eur: Decimal) -> dict[str, Decimal]:
    """Give the roubles for ONE unit of every currency, the dollar and the euro as told, and the rouble itself."""
    table = {valute.code: valute.value / valute.nominal for valute in VALUTES}
    return {**table, "USD": usd, "EUR": eur, "RUB": Decimal(1)}


def frankfurter(day: date, base: str, rate: Decimal) -> bytes:
    """Write /v2/rates for one base in roubles."""
    return dumps([{"date": f"{day}", "base": base, "quote": "RUB", "rate": rate}]).encode()


def ecb(day: date, rates: Mapping[str, Decimal]) -> bytes:
    """Write eurofxref-daily.xml; `rates` are roubles for one unit, the table is units for one euro, without roubles."""
    rows = "".join(
        f"\t\t\t<Cube currency='{code}' rate='{(rates['EUR'] / rate).quantize(_FOUR)}'/>\n"
        for code, rate in rates.items()
        if code not in {"EUR", "RUB"}
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
        'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">\n\t<gesmes:subject>Reference rates'
        f"</gesmes:subject>\n\t<Cube>\n\t\t<Cube time='{day}'>\n{rows}\t\t</Cube>\n\t</Cube>\n</gesmes:Envelope>"
    ).encode()


def ecb_history(days: Mapping[date, Mapping[str, Decimal]]) -> bytes:
    """Write the csvdata of EXR, a line a currency and day; `days` hold roubles for one unit."""
    lines = [
        f"EXR.D.{code}.EUR.SP00.A,D,{code},EUR,SP00,A,{day},{(rates['EUR'] / rate).quantize(_FOUR)}"
        for code in ("USD", "CNY", "GBP")
        for day, rates in days.items()
        for rate in (rates[code],)
    ]
    head = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE"
    return "\r\n".join([head, *lines, ""]).encode()


def nbrb(day: date, rates: Mapping[str, Decimal]) -> bytes:
    """Write /exrates/rates in Belarusian roubles; `rates` are Russian roubles for one unit."""
    rows = [
        {
            "Cur_ID": 400 + place,
            "Date": f"{day}T00:00:00",
            "Cur_Abbreviation": code,
            "Cur_Scale": scale,
            "Cur_Name": code,
            "Cur_OfficialRate": (rate * scale / rates["BYN"]).quantize(_FOUR),
        }
        for place, (code, rate) in enumerate(rates.items())
        for scale in (_scale(rate / rates["BYN"]),)
        if code not in _OWN
    ]
    return dumps(rows).encode()


def nbk(day: date, rates: Mapping[str, Decimal]) -> bytes:
    """Write get_rates.cfm in tenge with two decimals; `rates` are roubles for one unit."""
    rows = "".join(
        f"<item><fullname>{code}</fullname><title>{code}</title><description>"
        f"{(rate * scale / rates['KZT']).quantize(_CENT)}</description><quant>{scale}</quant>"
        "<index>UP</index><change>+0.01</change></item>"
        for code, rate in rates.items()
        for scale in (_scale(rate / rates["KZT"]),)
        if code not in _OWN
    )
    head = '<?xml version="1.0" encoding="utf-8"?><rates><generator>demo</generator>'
    return f"{head}<date>{day:%d.%m.%Y}</date>{rows}</rates>".encode()


def cbu_uz(day: date, rates: Mapping[str, Decimal]) -> bytes:
    """Write the JSON table in sum, every number a string; `rates` are roubles for one unit."""
    rows = [
        {
            "id": place,
            "Ccy": code,
            "CcyNm_EN": code,
            "Nominal": "1",
            "Rate": f"{(rate / rates['UZS']).quantize(_CENT)}",
            "Diff": "0.01",
            "Date": f"{day:%d.%m.%Y}",
        }
        for place, (code, rate) in enumerate(rates.items())
        if code not in _OWN
    ]
    return dumps(rows).encode()


def open_er_api(at: datetime, rates: Mapping[str, Decimal]) -> bytes:
    """Write /v6/latest/USD as of `at` (aware); `rates` are roubles for one unit."""
    stamp = int(at.timestamp())
    return dumps(
        {
            "result": "success",
            "provider": "https://www.exchangerate-api.com",
            "time_last_update_unix": stamp,
            "time_next_update_unix": stamp + 86_400,
            "time_eol_unix": 0,
            "base_code": "USD",
            "rates": {"USD": 1, **_for_a_dollar(rates)},
        }
    ).encode()


def fawazahmed0(day: date, rates: Mapping[str, Decimal]) -> bytes:
    """Write usd.min.json, codes in lower case; `rates` are roubles for one unit."""
    return dumps(
        {"date": f"{day}", "usd": {code.lower(): rate for code, rate in _for_a_dollar(rates).items()}}
    ).encode()


def _for_a_dollar(rates: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {code: (rates["USD"] / rate).quantize(_SIX) for code, rate in rates.items() if code != "USD"}


def _scale(rate: Decimal) -> int:
    return next((scale for scale in (1, 10, 100, 1000) if rate * scale >= 1), 10_000)
