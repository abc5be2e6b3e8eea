"""Moscow Exchange ISS, futures board RFUD: the front contract of Brent and its neighbours on the same board.

One answer holds every contract (about 240 KB); columns are mapped by name, since their order differs from market to
market. Free data is 15 minutes old. Times are Moscow's, without a zone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Tick
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import as_json, number, schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MOSCOW = ZoneInfo("Europe/Moscow")
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


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The whole board; `?assetcode=` is ignored by the server, so there is nothing to narrow."""
    path = f"/iss/engines/futures/markets/forts/boards/{BOARD}/securities.json"
    return [Request(path, {"iss.meta": "off", "iss.only": "securities,marketdata"})]


def parse(body: bytes) -> Sequence[Tick]:
    """The front contract of each known asset. Raises SourceError."""
    answer = as_json(body)
    contracts = {row["SECID"]: row for row in _board(answer, "securities")}
    for row in _board(answer, "marketdata"):
        contracts.get(row["SECID"], {}).update(row)
    fronts = (front(contracts.values(), asset) for asset in ASSETS)
    ticks = [_tick(row) for row in fronts if row is not None]
    if not ticks:
        raise schema("no contract with a price on the board: outside a session, or another table")
    return ticks


def front(contracts: Iterable[Mapping[str, Any]], asset: str) -> Mapping[str, Any] | None:
    """The contract of `asset` that expires next, on the day of the answer or after, among those with a price."""
    alive = [
        row for row in contracts if _asset(row) == asset and any(_prices(row)) and _expiry(row) >= _moment(row).date()
    ]
    return min(alive, key=_expiry, default=None)


def rows(answer: object, block: str) -> list[dict[str, Any]]:
    """The rows of an ISS block as mappings by column name. Raises SourceError (`schema`)."""
    table = answer.get(block) if isinstance(answer, dict) else None
    if not isinstance(table, dict):
        raise schema(f"no block {block!r}: {str(answer)[:60]}")
    columns, data = table.get("columns"), table.get("data")
    if not isinstance(columns, list) or not isinstance(data, list) or "SECID" not in columns:
        raise schema(f"block {block!r} without columns or data")
    if any(not isinstance(row, list) or len(row) != len(columns) for row in data):
        raise schema(f"block {block!r}: a row does not have its columns")
    return [dict(zip(columns, row, strict=True)) for row in data]


def _board(answer: object, block: str) -> list[dict[str, Any]]:
    return [row for row in rows(answer, block) if row.get("BOARDID", BOARD) == BOARD]


def _tick(row: Mapping[str, Any]) -> Tick:
    column, kind = next(_prices(row))
    currency, units = ASSETS[_asset(row)]
    contract = str(row["SECID"])
    price = number(row[column], contract)
    # Yesterday's settlement is what the exchange itself measures a day's change from.
    before = row.get("PREVSETTLEPRICE") if column != "PREVSETTLEPRICE" else None
    previous = number(before, contract) if before is not None else None
    return Tick(_asset(row), price, currency, _as_of(row), kind, units, previous, contract=contract)


def _prices(row: Mapping[str, Any]) -> Iterator[tuple[str, PriceType]]:
    return ((name, kind) for name, kind in PRICES if row.get(name) and row.get("SYSTIME"))


def _asset(row: Mapping[str, Any]) -> str:
    return str(row.get("ASSETCODE") or row.get("SECTYPE") or str(row["SECID"])[:-2])


def _expiry(row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a date, comparable with dates
    return _date(row.get("LASTTRADEDATE"), "LASTTRADEDATE")


def _as_of(row: Mapping[str, Any]) -> datetime:
    """Trade date and time; the evening session bears the next day's trade date, so never later than the answer."""
    moment = _moment(row)
    clock = str(row.get("TIME") or row.get("UPDATETIME") or moment.time())
    traded = _naive(f"{row.get('TRADEDATE') or moment.date()} {clock}", "TIME")
    if traded > moment:
        traded = datetime.combine(moment.date(), traded.time())
    if traded > moment:
        traded -= timedelta(days=1)
    return traded.replace(tzinfo=MOSCOW)


def _moment(row: Mapping[str, Any]) -> datetime:
    return _naive(row.get("SYSTIME"), "SYSTIME")


def _date(value: object, where: str) -> Any:  # noqa: ANN401 - a date
    return _naive(f"{value} 00:00:00", where).date()


def _naive(value: object, where: str) -> datetime:
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the exchange writes Moscow time
    except ValueError as error:
        raise schema(f"{where}: no time but {str(value)[:40]!r}") from error


ADAPTER = Adapter(
    publisher="moex",
    base_url="https://iss.moex.com",
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "BR"},
)
