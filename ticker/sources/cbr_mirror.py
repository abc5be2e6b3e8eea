"""cbr-xml-daily.ru, an unofficial mirror of the Bank of Russia's table: daily_json.js.

UTF-8 JSON served as JavaScript. It carries the previous table beside the current one, so a day's change needs no
second request. The time of day in its dates is a constant without meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from ticker.quotes import PriceType, Tick
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import as_json, nominal, number, sane, schema
from ticker.sources.table import MOSCOW, whole_table

# No table is in force from a Sunday or a Monday on: Saturday's is (https://www.cbr.ru/currency_base/).
_TABLE_DAYS = range(1, 6)


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The one table with every currency."""
    return [Request("/daily_json.js")]


def archive(_codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The tables in force from `first` to `last`, a day a request; 404 where the day had none of its own."""
    days = (first + timedelta(days=step) for step in range((last - first).days + 1))
    return [Request(f"/archive/{day:%Y/%m/%d}/daily_json.js") for day in days if day.weekday() in _TABLE_DAYS]


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of one table, a currency each, in roubles, with the table before. Raises SourceError."""
    answer = as_json(body)
    if not isinstance(answer, dict) or not isinstance(answer.get("Valute"), dict):
        raise schema("no table of currencies (Valute)")
    as_of = _day(answer.get("Date"), "Date")
    before = _day(answer["PreviousDate"], "PreviousDate") if answer.get("PreviousDate") else None
    if before and before >= as_of:
        raise schema(f"PreviousDate {before:%Y-%m-%d} is not before Date {as_of:%Y-%m-%d}")
    return whole_table([_tick(code, row, as_of, before) for code, row in answer["Valute"].items()])


def _tick(code: str, row: Any, as_of: datetime, before: datetime | None) -> Tick:  # noqa: ANN401 - untrusted JSON
    if not isinstance(row, dict) or row.get("CharCode", code) != code:
        raise schema(f"{code[:20]!r}: not a row of that currency")
    units = nominal(row.get("Nominal"), code)
    price = number(row.get("Value"), code)
    previous = number(row["Previous"], code) if before and row.get("Previous") is not None else None
    # When the Bank went from 10 yuan to 1, `Previous` was still for ten: then the change of the day is not known.
    if previous is not None and not Decimal("0.2") < previous / price < 5:  # noqa: PLR2004 - no market, but a nominal
        previous = None
    stamp = before if previous is not None else None
    return Tick(code, price, "RUB", as_of, PriceType.FIXING, units, previous, stamp)


def _day(value: object, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
        # Without an offset it is the Bank's own day, wherever this machine stands.
        day = (moment.astimezone(MOSCOW) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError) as error:
        raise schema(f"{where}: no date but {str(value)[:40]!r}") from error
    return sane(datetime.combine(day, time(), MOSCOW), where)


ADAPTER = Adapter(
    publisher="cbr",
    base_url="https://www.cbr-xml-daily.ru",
    requests=requests,
    parse=parse,
    archive=archive,
    parse_archive=parse,
)
