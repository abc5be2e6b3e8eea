"""Ten years of daily tables for ten instruments and a year of five-minute oil, and what is asked of them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ticker.quotes import PriceType
from ticker.storage import of_url
from ticker.storage.base import Row

CURRENCIES = ("USD", "EUR", "CNY", "GBP", "JPY", "TRY", "KZT", "BYN", "CHF")
DAY = timedelta(days=1)
ASKED = 400


def daily(now: datetime) -> Iterator[Row]:
    """Ten years of tables, five a week."""
    for symbol in CURRENCIES:
        for back in range(3652, 0, -1):
            as_of = (now - back * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
            if as_of.weekday() < 5:
                price = Decimal(1_000_000 + random.randrange(99_999)) / 10_000  # noqa: S311 - not a secret
                yield Row(symbol, "cbr", "cbr", PriceType.FIXING, as_of, price, as_of, as_of, archived=True)


def oil(now: datetime) -> Iterator[Row]:
    """Ten years by the day from an archive, and a year by five minutes."""
    for back in range(3652, 0, -1):
        as_of = (now - back * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        price = Decimal(random.randrange(4000, 12000)) / 100  # noqa: S311 - the same
        yield Row("OIL", "fred", "eia", PriceType.FIXING, as_of, price, as_of, as_of, archived=True)
    for step in range(365 * 288, 0, -1):
        as_of = (now - step * timedelta(minutes=5)).replace(microsecond=0)
        price = Decimal(random.randrange(6000, 9000)) / 100  # noqa: S311 - the same
        before = Decimal("73.73")
        yield Row("OIL", "moex", "moex", PriceType.LAST, as_of, price, as_of, as_of, before, as_of - DAY, "BRZ4")


def configuration() -> str:
    """The trio's oil and nine currencies."""
    tables = [f'[instruments.{one}]\nbase = "{one}"\nquote = "RUB"\nsources = ["cbr"]\n' for one in CURRENCIES]
    tables.append('[instruments.OIL]\nbase = "BRENT"\nquote = "USD"\nsources = ["moex", "yahoo", "fred"]\n')
    return "".join(tables)


def questions(now: datetime) -> dict[str, list[str]]:
    """What is asked, each time of another year or day, so that no cache answers."""
    dice = random.Random(7)  # noqa: S311 - the same

    def day(most: int = 3200) -> str:
        return f"{now - dice.randrange(400, most) * DAY:%Y-%m-%d}"

    def year(symbol: str, interval: str, back: int) -> str:
        first, last = now - (back + 365) * DAY, now - back * DAY
        query = f"from={first:%Y-%m-%d}&to={last:%Y-%m-%d}&interval={interval}"
        return f"/v1/quotes/{symbol}/history?{query}"

    some = [dice.choice(CURRENCIES) for _ in range(ASKED)]
    return {
        "history of a year, 1d, currency": [year(one, "1d", dice.randrange(3200)) for one in some],
        "history of a year, raw, currency": [year(one, "raw", dice.randrange(3200)) for one in some],
        "history of a year, 1d, oil by 5 minutes": [year("OIL", "1d", dice.randrange(1, 9)) for _ in some],
        "history of a year, 1h, oil, page of 1000": [year("OIL", "1h", dice.randrange(1, 9)) for _ in some],
        "history of a year, raw, oil, page of 1000": [year("OIL", "raw", dice.randrange(1, 9)) for _ in some],
        "at=, a day, ten instruments": [f"/v1/quotes?at={day()}" for _ in some],
        "at=, a moment in the year of 5 minutes": [
            f"/v1/quotes?at={now - dice.random() * 300 * DAY - 5 * DAY:%Y-%m-%dT%H:%M:%SZ}" for _ in some
        ],
        "at=, widget": [f"/widget?at={day()}" for _ in some],
        "at=, widget, the same day again": ["/widget?at=" + day(401)] * ASKED,
        "history of a year, 1d, the same again": [year("OIL", "1d", 5)] * ASKED,
    }


def filled(folder: Path, now: datetime) -> Path:
    """The store; prints its size."""
    file = folder / "ticker.db"
    store = of_url(f"sqlite:///{file}")
    store.open()
    began, rows = time.perf_counter(), [*daily(now), *oil(now)]
    for start in range(0, len(rows), 20_000):
        store.write(rows[start : start + 20_000], {})
    store.close()
    size = file.stat().st_size
    took = time.perf_counter() - began
    print(f"{len(rows)} rows, {size / 1e6:.1f} MB, {size / len(rows):.0f} bytes a row, written in {took:.1f} s")
    return file
