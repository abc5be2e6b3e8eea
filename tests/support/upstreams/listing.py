"""Which futures contracts are listed on a day: their codes, months and last trading days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from tests.support.upstreams.forts import Contract

_LETTERS = "FGHJKMNQUVXZ"
_THURSDAY = 3
_SATURDAY = 5
_DISCOUNT = Decimal("0.41")  # each later month of Brent is that much cheaper
_OTHERS = (
    ("Si", "Si", Decimal(101_250)),
    ("RI", "RTS", Decimal(80_340)),
    ("GD", "GOLD", Decimal("2688.1")),
)


def contracts(day: date, brent: Decimal, previous: Decimal) -> list[Contract]:
    """List the board of `day`: four months of Brent from the front one on, and a few other assets.

    `brent` and `previous` are the front month's last price and its settlement before, US dollars a barrel.
    """
    months = (month for month in _months(day) if _first_weekday(month) >= day)
    front = [_brent(month, place, brent, previous) for place, month in zip(range(4), months, strict=False)]
    return front + [_quarterly(day, *other) for other in _OTHERS]


def _brent(month: date, place: int, brent: Decimal, previous: Decimal) -> Contract:
    off, interest = _DISCOUNT * place, 600_000 // 10**place
    expires = _first_weekday(month)
    return Contract(f"BR{_suffix(month)}", _name("BR", month), "BR", brent - off, previous - off, expires, interest)


def _quarterly(day: date, prefix: str, asset: str, price: Decimal) -> Contract:
    month = next(month for month in _months(day) if month.month % 3 == 0 and _third_thursday(month) >= day)
    expires = _third_thursday(month)
    return Contract(f"{prefix}{_suffix(month)}", _name(asset, month), asset, price, price, expires, 900_000)


def _name(asset: str, month: date) -> str:
    return f"{asset}-{month.month}.{month:%y}"


def _months(day: date) -> Iterator[date]:
    month = day.replace(day=1)
    while True:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)


def _suffix(month: date) -> str:
    return f"{_LETTERS[month.month - 1]}{month.year % 10}"


def _first_weekday(month: date) -> date:
    return month + timedelta(days=7 - month.weekday() if month.weekday() >= _SATURDAY else 0)


def _third_thursday(month: date) -> date:
    return month + timedelta(days=(_THURSDAY - month.weekday()) % 7 + 14)
