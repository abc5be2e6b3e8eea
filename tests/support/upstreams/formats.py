"""One writer for each source's format: values in, the bytes the source would send out. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from tests.support.upstreams.exact import dumps
from tests.support.upstreams.forts import MOSCOW, Contract, moex_forts
from tests.support.upstreams.listing import contracts
from tests.support.upstreams.valutes import VALUTES, Valute
from tests.support.upstreams.yahoo import yahoo_chart, yahoo_not_found

__all__ = [
    "CBR_REFUSAL",
    "MOSCOW",
    "Contract",
    "cbr_daily",
    "cbr_dynamic",
    "cbr_mirror",
    "contracts",
    "moex_forts",
    "yahoo_chart",
    "yahoo_not_found",
]

_PROLOG = '<?xml version="1.0" encoding="windows-1251"?>'
_FOUR = Decimal("0.0001")
_KNOWN = frozenset(valute.code for valute in VALUTES)

CBR_REFUSAL = f"{_PROLOG}<ValCurs>Error in parameters</ValCurs>".encode("cp1251")
"""What the Bank of Russia answers, with status 200, to a date or an ID it cannot read."""


def cbr_daily(date: date, rates: Mapping[str, Decimal]) -> bytes:
    """Write XML_daily.asp: the table in force on `date`, in windows-1251.

    `rates` are roubles for ONE unit; currencies it leaves out keep the built-in table's value.
    Raises ValueError for a code the table does not have.
    """
    rows = "".join(_valute(valute, value) for valute, value in _table(rates))
    return f'{_PROLOG}<ValCurs Date="{date:%d.%m.%Y}" name="Foreign Currency Market">{rows}</ValCurs>'.encode("cp1251")


def cbr_dynamic(
    code_id: str,
    rows: Sequence[tuple[date, int, Decimal]],
    span: tuple[date, date] | None = None,
) -> bytes:
    """Write XML_dynamic.asp: the history of one currency, `code_id` being the bank's ID ("R01235").

    Each row is the date, the nominal and the roubles for that nominal. `span` is the range that was asked
    for; without it the rows' own. Raises ValueError for no rows and no span.
    """
    if not (rows or span):
        raise ValueError("an empty history needs its span")
    first, last = span or (rows[0][0], rows[-1][0])
    head = f'ID="{code_id}" DateRange1="{first:%d.%m.%Y}" DateRange2="{last:%d.%m.%Y}"'
    body = "".join(
        f'<Record Date="{date:%d.%m.%Y}" Id="{code_id}">{_amounts(nominal, value)}</Record>'
        for date, nominal, value in rows
    )
    return f'{_PROLOG}<ValCurs {head} name="Foreign Currency Market Dynamic">{body}</ValCurs>'.encode("cp1251")


def cbr_mirror(
    date: date,
    previous_date: date,
    timestamp: datetime,
    rates: Mapping[str, Decimal],
    previous: Mapping[str, Decimal],
) -> bytes:
    """Write daily_json.js of cbr-xml-daily.ru: the table of `date` and the one before, UTF-8.

    `rates` and `previous` are roubles for ONE unit, as for `cbr_daily`; `timestamp` (aware) is when the
    mirror last looked, shown as the whole hour in Moscow. Raises ValueError for an unknown code.
    """
    document = {
        "Date": f"{date}T11:30:00+03:00",
        "PreviousDate": f"{previous_date}T11:30:00+03:00",
        "PreviousURL": f"//www.cbr-xml-daily.ru/archive/{previous_date:%Y/%m/%d}/daily_json.js",
        "Timestamp": f"{timestamp.astimezone(MOSCOW):%Y-%m-%dT%H}:00:00+03:00",
        "Valute": {
            valute.code: _mirrored(valute, value, before)
            for (valute, value), (_, before) in zip(_table(rates), _table(previous), strict=True)
        },
    }
    return dumps(document, indent=4).replace("/", r"\/").encode()


def _table(rates: Mapping[str, Decimal]) -> list[tuple[Valute, Decimal]]:
    if unknown := rates.keys() - _KNOWN:
        raise ValueError(f"not in the table of the Bank of Russia: {', '.join(sorted(unknown))}")
    return [(valute, _for_nominal(valute, rates.get(valute.code))) for valute in VALUTES]


def _for_nominal(valute: Valute, rate: Decimal | None) -> Decimal:
    return valute.value if rate is None else (rate * valute.nominal).quantize(_FOUR)


def _valute(valute: Valute, value: Decimal) -> str:
    return (
        f'<Valute ID="{valute.id}"><NumCode>{valute.number}</NumCode><CharCode>{valute.code}</CharCode>'
        f"{_amounts(valute.nominal, value, f'<Name>{valute.name}</Name>')}</Valute>"
    )


def _amounts(nominal: int, value: Decimal, name: str = "") -> str:
    unit = _trimmed(value / nominal)
    return (
        f"<Nominal>{nominal}</Nominal>{name}<Value>{_comma(value.quantize(_FOUR))}</Value>"
        f"<VunitRate>{_comma(unit)}</VunitRate>"
    )


def _mirrored(valute: Valute, value: Decimal, previous: Decimal) -> dict[str, object]:
    return {
        "ID": valute.id,
        "NumCode": valute.number,
        "CharCode": valute.code,
        "Nominal": valute.nominal,
        "Name": valute.name,
        "Value": _trimmed(value),
        "Previous": _trimmed(previous),
    }


def _trimmed(value: Decimal) -> Decimal:
    return Decimal(f"{value.normalize():f}")


def _comma(value: Decimal) -> str:
    return f"{value:f}".replace(".", ",")
