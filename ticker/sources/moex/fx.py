"""Moscow Exchange ISS, currencies: the indicative rates of dollar and euro, and the yuan's trades (CNYRUB_TOM).

Dollar and euro are not traded since 13 June 2024: their old rows stand still or are empty, and are refused. Their
indicative rates, by which currency futures are cleared twice a day, are of the kind `settlement`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ticker.quotes import PriceType, Reason, SourceError, Tick
from ticker.sources.adapter import Request
from ticker.sources.base import as_json, nominal, number, number_before, schema
from ticker.sources.iss import naive, rows
from ticker.sources.series import midnight
from ticker.sources.table import MOSCOW

BOARD = "CETS"  # CNGD, in the same answer, are trades outside the order book
INDICATIVE = ("USD/RUB", "EUR/RUB", "CNY/RUB")  # of one unit; of the other pairs the answer does not say how many
# Pair -> the exchange's own word for what is quoted of it.
CODES = {"USD/RUB": "USD/RUB", "EUR/RUB": "EUR/RUB", "CNY/RUB": "CNYRUB_TOM"}
# The New Year has gone ten days without trades; a row whose day before is older is of a market closed for good.
_PAUSE = timedelta(days=15)
_SATURDAY = 5


def requests(codes: Sequence[str]) -> Sequence[Request]:
    """One request for the indicative rates and one for the trades, where any of theirs is among `codes`."""
    traded = [code for code in codes if "/" not in code]
    found = [] if len(traded) == len(codes) else [_request("statistics/engines/futures/markets/indicativerates")]
    if traded:
        found.append(_request(f"engines/currency/markets/selt/boards/{BOARD}", securities=",".join(traded)))
    return found


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of one answer, of either kind. Raises SourceError, `frozen` where nothing in it is traded."""
    answer = as_json(body)
    return _trades(answer) if isinstance(answer, dict) and "marketdata" in answer else _indicative(answer)


def _indicative(answer: object) -> list[Tick]:
    newest: dict[str, Tick] = {}
    for row in rows(answer, "securities", "rate"):
        pair, as_of = str(row.get("secid")), naive(f"{row.get('tradedate')} {row.get('tradetime')}", "tradetime")
        if pair in INDICATIVE and (pair not in newest or newest[pair].as_of < as_of.replace(tzinfo=MOSCOW)):
            price, stamp = number(row["rate"], pair), as_of.replace(tzinfo=MOSCOW)
            newest[pair] = Tick(pair, price, pair.partition("/")[2], stamp, PriceType.SETTLEMENT)
    if not newest:
        raise schema("no indicative rates of the rouble")
    return list(newest.values())


def _trades(answer: object) -> list[Tick]:
    about = {str(row["SECID"]): row for row in rows(answer, "securities") if row.get("BOARDID") == BOARD}
    market = [
        {**about.get(str(row["SECID"]), {}), **row} for row in rows(answer, "marketdata") if row.get("BOARDID") == BOARD
    ]
    if not market:
        raise schema(f"no rows of the board {BOARD}")
    if len({str(row["SECID"]) for row in market}) != len(market):
        raise schema("a pair stands there twice")
    ticks = [_tick(row) for row in market if _alive(row)]
    if not ticks:
        raise SourceError(Reason.FROZEN, f"not traded: {', '.join(str(row['SECID']) for row in market)[:80]}")
    return ticks


def _alive(row: Mapping[str, Any]) -> bool:
    before = naive(f"{row.get('PREVDATE')} 00:00:00", "PREVDATE")
    return bool(row.get("LAST")) and row.get("TRADINGSTATUS") != "N" and _moment(row) - before < _PAUSE


def _tick(row: Mapping[str, Any]) -> Tick:
    code, moment = str(row["SECID"]), _moment(row)
    as_of = naive(f"{moment.date()} {row.get('UPDATETIME') or row.get('TIME')}", "UPDATETIME")
    # The answer was made after midnight, the trade before it; and nobody trades currencies on a weekend.
    while as_of > moment or as_of.weekday() >= _SATURDAY:
        as_of -= timedelta(days=1)
    previous = number_before(row.get("PREVPRICE"), code)
    return Tick(
        symbol=code,
        price=number(row["LAST"], code),
        currency=str(row.get("CURRENCYID")),
        as_of=as_of.replace(tzinfo=MOSCOW),
        price_type=PriceType.LAST,
        nominal=nominal(row.get("FACEVALUE"), code),
        previous=previous,
        previous_as_of=midnight(row.get("PREVDATE"), "%Y-%m-%d", MOSCOW, code) if previous else None,
    )


def _moment(row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a naive datetime
    return naive(row.get("SYSTIME"), "SYSTIME")


def _request(path: str, **query: str) -> Request:
    return Request(f"/iss/{path}/securities.json", {"iss.meta": "off", "iss.only": "securities,marketdata", **query})
