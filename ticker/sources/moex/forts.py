"""Moscow Exchange ISS, futures board RFUD: the front contract of Brent and its neighbours on the same board.

One answer holds every contract (about 240 KB); columns are mapped by name, since their order differs from market to
market. Free data is 15 minutes old. Times are Moscow's, without a zone.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from ticker.quotes import PriceType, Tick
from ticker.sources.adapter import Request
from ticker.sources.base import as_json, number, schema
from ticker.sources.iss import naive, rows
from ticker.sources.table import MOSCOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

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


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The whole board; `?assetcode=` is ignored by the server, so there is nothing to narrow."""
    path = f"/iss/engines/futures/markets/forts/boards/{BOARD}/securities.json"
    return [Request(path, {"iss.meta": "off", "iss.only": "securities,marketdata"})]


def parse(body: bytes) -> Sequence[Tick]:
    """The front contract of each known asset. Raises SourceError."""
    answer = as_json(body)
    contracts, market = _board(answer, "securities"), _board(answer, "marketdata")
    for contract, row in market.items():
        contracts.get(contract, {}).update(row)
    # A row's SYSTIME stands still when its trading does: that of an expired contract would keep it alive.
    today = max((_moment(row).date() for row in market.values() if row.get("SYSTIME")), default=None)
    fronts = (front(contracts.values(), asset, today) for asset in ASSETS if today)
    ticks = [_tick(row) for row in fronts if row is not None]
    if not ticks:
        raise schema("no contract with a price on the board: outside a session, or another table")
    return ticks


def front(contracts: Iterable[Mapping[str, Any]], asset: str, today: date) -> Mapping[str, Any] | None:
    """The contract of `asset` that expires next, on `today` or after, among those with a price."""
    alive = [row for row in contracts if _asset(row) == asset and any(_prices(row)) and _expiry(row) >= today]
    return min(alive, key=_expiry, default=None)


def _board(answer: object, block: str) -> dict[str, dict[str, Any]]:
    found = [row for row in rows(answer, block) if row.get("BOARDID", BOARD) == BOARD]
    contracts = {str(row["SECID"]): row for row in found}
    if len(contracts) != len(found):
        raise schema(f"block {block!r}: a contract stands there twice")
    return contracts


def _tick(row: Mapping[str, Any]) -> Tick:
    column, kind = next(_prices(row))
    currency, units = ASSETS[_asset(row)]
    contract = str(row["SECID"])
    price = number(row[column], contract)
    # Yesterday's settlement is what the exchange itself measures a day's change from.
    before = row.get("PREVSETTLEPRICE") if column != "PREVSETTLEPRICE" else None
    previous = number(before, contract) if before is not None else None
    as_of = _settled(row) if column == "PREVSETTLEPRICE" else _as_of(row)
    return Tick(_asset(row), price, currency, as_of, kind, units, previous, contract=contract)


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
