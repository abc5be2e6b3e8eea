"""cbr-xml-daily.ru, an unofficial mirror of the Bank of Russia's table: daily_json.js.

UTF-8 JSON served as JavaScript. It carries the previous table beside the current one, so a day's change needs no
second request, and in the evening the table in force comes with tomorrow's. The time of day in its dates is a constant
without meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from ticker.quotes import PriceType, Reason, SourceError, Tick
from ticker.sources.base import (
    FEWEST_ROWS,
    MOSCOW,
    Adapter,
    Extract,
    Repeating,
    Request,
    Skipped,
    as_json,
    nominal,
    number,
    optional_number,
    raw_of,
    sane,
    schema,
    table,
)

# No table is in force from a Sunday or a Monday on: Saturday's is (https://www.cbr.ru/currency_base/).
_TABLE_DAYS = range(1, 6)


def requests(_codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The one table with every currency."""
    return [Request("/daily_json.js")]


def archive(_codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The tables in force from `first` to `last`, a day a request; 404 where the day had none of its own."""
    days = (first + timedelta(days=step) for step in range((last - first).days + 1))
    return [_page(day) for day in days if day.weekday() in _TABLE_DAYS]


def earlier(_codes: Sequence[str], day: date) -> Sequence[Request]:
    """The page of the day after, which tells beside its own table the one that holds on `day`."""
    return [_page(day + timedelta(days=1))]


def _page(day: date) -> Request:
    return Request(f"/archive/{day:%Y/%m/%d}/daily_json.js")


def parse(body: bytes) -> Extract:
    """The ticks of one table, a currency each, in roubles, and after them those of the table before it.

    Raises SourceError.
    """
    own = parse_archive(body)
    earlier = (
        Tick(
            each.symbol,
            each.previous,
            "RUB",
            each.previous_as_of,
            PriceType.FIXING,
            each.nominal,
            raw=f"{each.previous}",
        )
        for each in own.ticks
        if each.previous is not None and each.previous_as_of is not None
    )
    return Extract((*own.ticks, *earlier), own.skipped)


def parse_archive(body: bytes) -> Extract:
    """The ticks of one table alone, each with the rate before. Raises SourceError."""
    answer = as_json(body)
    valute = answer.get("Valute") if isinstance(answer, dict) else None
    if not isinstance(valute, dict):
        raise schema("no table of currencies (Valute)")
    as_of = _day(answer.get("Date"), "Date")
    before = _day_before(answer.get("PreviousDate"))
    if before and before >= as_of:
        raise schema(f"PreviousDate {before:%Y-%m-%d} is not before Date {as_of:%Y-%m-%d}")
    twice = valute.repeated if isinstance(valute, Repeating) else ()
    return table(
        valute.items(),
        lambda row: row[0],
        lambda row, code: _tick(code, row[1], as_of, before),
        fewest=FEWEST_ROWS,
        skipped=[Skipped(code, Reason.SCHEMA, f"{code} stands in the table twice") for code in twice],
    )


def _tick(code: str, row: Any, as_of: datetime, before: datetime | None) -> Tick:  # noqa: ANN401 - untrusted JSON
    if not isinstance(row, dict) or row.get("CharCode", code) != code:
        raise schema(f"{code[:20]!r}: not the one row of that currency")
    units = nominal(row.get("Nominal"), code)
    price = number(row.get("Value"), code)
    previous = optional_number(row.get("Previous")) if before else None
    # When the Bank went from 10 yuan to 1, `Previous` was still for ten: then the change of the day is not known.
    if previous is not None and not Decimal("0.2") < previous / price < 5:  # noqa: PLR2004 - no market, but a nominal
        previous = None
    stamp = before if previous is not None else None
    return Tick(code, price, "RUB", as_of, PriceType.FIXING, units, previous, stamp, raw=raw_of(row.get("Value")))


def _day(value: object, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
        # Without an offset it is the Bank's own day, wherever this machine stands.
        day = (moment.astimezone(MOSCOW) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError) as error:
        raise schema(f"{where}: no date but {str(value)[:40]!r}") from error
    return sane(datetime.combine(day, time(), MOSCOW), where)


def _day_before(value: object) -> datetime | None:
    """The date of the table before, or None: without it the change is not known, and the table stands all the same."""
    try:
        return _day(value, "PreviousDate")
    except SourceError:
        return None


ADAPTER = Adapter(
    publisher="cbr",
    base_url="https://www.cbr-xml-daily.ru",
    requests=requests,
    parse=parse,
    earlier=earlier,
    archive=archive,
    parse_archive=parse_archive,
)
