"""Moscow Exchange ISS, futures board RFUD: the front contract of Brent and its neighbours on the same board.

One answer holds every contract (about 240 KB); columns are mapped by name, since their order differs from market to
market. Free data is 15 minutes old. Times are Moscow's, without a zone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from ticker.quotes import Contract, PriceType, SourceError, Tick
from ticker.sources.adapter import Request
from ticker.sources.base import as_json, number, number_before, schema
from ticker.sources.iss import naive, rows
from ticker.sources.table import MOSCOW

BOARD = "RFUD"
# Asset code -> (currency of the price, units the price is for). The answer itself does not say either.
ASSETS = {
    "BR": ("USD", 1),
    "NG": ("USD", 1),
    "GOLD": ("USD", 1),
    "SILV": ("USD", 1),
    "Si": ("RUB", 1000),
    "Eu": ("RUB", 1000),
}
# The first column that has a price wins; a settlement is called one.
PRICES = (
    ("LAST", PriceType.LAST),
    ("SETTLEPRICE", PriceType.SETTLEMENT),
    ("PREVSETTLEPRICE", PriceType.SETTLEMENT),
)
_DAY = timedelta(days=1)
_SATURDAY = 5
_CLEARING = time(18, 50)
_EVENING = time(18, 45)
_WEEKEND_CLOSED = time(19, 5)
_SILENT = timedelta(minutes=30)


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The whole board; `?assetcode=` is ignored by the server, so there is nothing to narrow."""
    path = f"/iss/engines/futures/markets/forts/boards/{BOARD}/securities.json"
    return [Request(path, {"iss.meta": "off", "iss.only": "securities,marketdata"})]


def parse(body: bytes) -> Sequence[Tick]:
    """The front contract of each known asset. Raises SourceError, with what is well of the others in its `besides`."""
    ticks: list[Tick] = []
    failure: SourceError | None = None
    found, twice = _contracts(as_json(body))
    for contracts in found.values():
        try:
            tick = front(contracts, twice)
        except SourceError as error:
            failure = failure or error
        else:
            ticks += [tick] if tick is not None else []
    if failure is None and not ticks:
        raise schema("no contract with a price on the board: outside a session, or another table")
    if failure is not None:
        # A cell of natural gas says nothing of Brent: whoever asked for Brent has it all the same.
        failure.besides = tuple(ticks)
        raise failure
    return ticks


def front(contracts: Sequence[Mapping[str, Any]], twice: Container[str]) -> Tick | None:
    """The tick of the one among an asset's `contracts` that expires next, on this day or after, and has a price."""
    if any(str(row["SECID"]) in twice for row in contracts):
        raise schema(f"a contract of {_asset(contracts[0])} stands there twice")
    # A row's SYSTIME stands still when its trading does: that of an expired contract would keep it alive.
    today = max((_moment(row).date() for row in contracts if row.get("SYSTIME")), default=None)
    alive = sorted((row for row in contracts if today and any(_prices(row)) and _expiry(row) >= today), key=_expiry)
    ended = any(row.get("LAST") and _ended(alive[0], row) for row in alive[1:2])
    return _tick(alive[ended]) if alive else None


def _ended(row: Mapping[str, Any], later: Mapping[str, Any]) -> bool:
    """Whether it is the evening of the contract's last day, a session of the next day in which only others trade."""
    moment = _moment(later)
    evening = _expiry(row) == moment.date() and moment.time() >= _EVENING
    return evening and _as_of(later) - _as_of(row) > _SILENT


def _contracts(answer: object) -> tuple[Mapping[str, list[Mapping[str, Any]]], Container[str]]:
    """The contracts of each known asset, and the names that stand twice in either block."""
    securities, market = _board(answer, "securities"), _board(answer, "marketdata")
    names = (Counter(str(row["SECID"]) for row in block) for block in (securities, market))
    traded = {str(row["SECID"]): row for row in market}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in securities:
        if _asset(row) in ASSETS and str(row["SECID"]) in traded:
            found.setdefault(_asset(row), []).append({**row, **traded[str(row["SECID"])]})
    return found, {name for block in names for name, count in block.items() if count > 1}


def _board(answer: object, block: str) -> list[dict[str, Any]]:
    return [row for row in rows(answer, block) if row.get("BOARDID", BOARD) == BOARD]


def _tick(row: Mapping[str, Any]) -> Tick:
    column, kind = next(_prices(row))
    currency, units = ASSETS[_asset(row)]
    code, contract = str(row["SECID"]), Contract(str(row["SECID"]), _expiry(row))
    price, before = number(row[column], code), number_before(row.get("PREVSETTLEPRICE"), code)
    # Until something is settled today SETTLEPRICE repeats yesterday's, which is no price of today and no change.
    if column == "PREVSETTLEPRICE" or (kind is PriceType.SETTLEMENT and price == before):
        return Tick(_asset(row), price, currency, _settled(row), kind, units, contract=contract)
    # Yesterday's settlement is what the exchange itself measures a day's change from.
    return Tick(_asset(row), price, currency, _as_of(row), kind, units, before, contract=contract)


def _prices(row: Mapping[str, Any]) -> Iterator[tuple[str, PriceType]]:
    return ((name, kind) for name, kind in PRICES if row.get(name) and row.get("SYSTIME"))


def _asset(row: Mapping[str, Any]) -> str:
    return str(row.get("ASSETCODE") or row.get("SECTYPE") or str(row["SECID"])[:-2])


def _expiry(row: Mapping[str, Any]) -> date:
    return _date(row.get("LASTTRADEDATE"), "LASTTRADEDATE")


def _as_of(row: Mapping[str, Any]) -> datetime:
    """Trade date and time; the evening session bears the next day's trade date, so never later than the answer."""
    moment = _moment(row)
    clock = str(row.get("TIME") or row.get("UPDATETIME") or moment.time())
    traded = naive(f"{row.get('TRADEDATE') or moment.date()} {clock}", "TIME")
    if traded > moment and (traded.time() >= _EVENING or traded.date() > moment.date()):
        traded = datetime.combine(moment.date(), traded.time())
        traded -= _DAY if traded > moment else timedelta(0)
    while traded.weekday() >= _SATURDAY and traded.time() >= _WEEKEND_CLOSED:
        traded -= _DAY  # on a weekend nobody trades in the evening: Friday's last trade stands on Sunday and on Monday
    return traded.replace(tzinfo=MOSCOW)


def _settled(row: Mapping[str, Any]) -> datetime:
    """The evening clearing before the trade date: yesterday's settlement is not a price of today."""
    tomorrow = _moment(row).date() + _DAY
    settled = datetime.combine(min(_date(row.get("TRADEDATE") or tomorrow - _DAY, "TRADEDATE"), tomorrow), _CLEARING)
    settled -= _DAY
    while settled.weekday() >= _SATURDAY or settled > _moment(row):
        settled -= _DAY
    return settled.replace(tzinfo=MOSCOW)


def _moment(row: Mapping[str, Any]) -> datetime:
    return naive(row.get("SYSTIME"), "SYSTIME")


def _date(value: object, where: str) -> date:
    return naive(f"{value} 00:00:00", where).date()
