"""The board RFUD of the Moscow Exchange's futures market, as its information server writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

from tests.support.upstreams.exact import dumps

MOSCOW = timezone(timedelta(hours=3), "MSK")
DELAY = timedelta(minutes=15)
_CLEARING = time(18, 50)
_ONE_SESSION = date(2026, 3, 23)
_WEEKENDS = date(2025, 8, 16)
_SATURDAY = 5
_CENT = Decimal("0.01")

SECURITIES = """
    SECID BOARDID SHORTNAME SECNAME PREVSETTLEPRICE DECIMALS MINSTEP LASTTRADEDATE LASTDELDATE SECTYPE LATNAME
    ASSETCODE PREVOPENPOSITION LOTVOLUME INITIALMARGIN HIGHLIMIT LOWLIMIT STEPPRICE LASTSETTLEPRICE PREVPRICE
    IMTIME BUYSELLFEE SCALPERFEE NEGOTIATEDFEE EXERCISEFEE SETTLEPRICE_CLR
"""
MARKETDATA = """
    SECID BOARDID BID OFFER SPREAD OPEN HIGH LOW LAST QUANTITY LASTCHANGE SETTLEPRICE SETTLETOPREVSETTLE
    OPENPOSITION NUMTRADES VOLTODAY VALTODAY VALTODAY_USD UPDATETIME LASTCHANGEPRCNT BIDDEPTH BIDDEPTHT
    NUMBIDS OFFERDEPTH OFFERDEPTHT NUMOFFERS TIME SETTLETOPREVSETTLEPRC SEQNUM SYSTIME TRADEDATE
    LASTTOPREVPRICE OICHANGE
"""


@dataclass(frozen=True, slots=True)
class Contract:
    """One futures contract; prices in its own unit (Brent: US dollars a barrel), open interest in contracts.

    `last` is None for a contract nobody traded today.
    """

    secid: str
    short_name: str
    asset: str
    last: Decimal | None
    previous: Decimal
    expires: date
    open_interest: int = 10_000


def moex_forts(now: datetime, contracts: Sequence[Contract]) -> bytes:
    """Write the blocks `securities` and `marketdata` as sent at `now` (aware): trades shown 15 minutes late.

    Every time in it is Moscow's, without a zone, as on the exchange.
    """
    here = now.astimezone(MOSCOW)
    blocks = {
        "securities": _block(SECURITIES, [_security(contract) for contract in contracts]),
        "marketdata": _block(MARKETDATA, [_market(contract, here) for contract in contracts]),
    }
    return dumps(blocks).encode()


def last_print(moment: datetime) -> datetime:
    """When the last trade up to `moment` was, both in Moscow; holidays apart.

    From 8:50 to 23:50 on working days (9:00 before 2025), since 16.08.2025 from 9:50 to 19:00 on Saturday and Sunday.
    """
    day = moment
    while True:
        weekend = day.weekday() >= _SATURDAY
        opens, closes = (time(9, 50), time(19)) if weekend else (time(8, 50), time(23, 50))
        rests = weekend and day.date() < _WEEKENDS
        if not rests and day.time() >= opens:
            close = datetime.combine(day.date(), closes, day.tzinfo) - timedelta(seconds=1)
            return min(day, close)
        day = datetime.combine(day.date(), time(), day.tzinfo) - timedelta(seconds=1)


def trade_date(moment: datetime) -> date:
    """The day to which a trade of `moment`, a time in Moscow, is counted; holidays apart.

    A weekend's to the next working day; until 22.03.2026 an evening's, from the clearing at 18:50 on, as well.
    """
    day = moment.date()
    if day < _ONE_SESSION and moment.time() >= _CLEARING:
        day += timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day


def _block(columns: str, rows: list[Mapping[str, object]]) -> dict[str, object]:
    names = columns.split()
    return {"columns": names, "data": [[row.get(name) for name in names] for row in rows]}


def _security(contract: Contract) -> Mapping[str, object]:
    decimals = max(0, -int(contract.previous.as_tuple().exponent))
    return {
        "SECID": contract.secid,
        "BOARDID": "RFUD",
        "SHORTNAME": contract.short_name,
        "SECNAME": f"Фьючерс {contract.short_name}",
        "PREVSETTLEPRICE": contract.previous,
        "DECIMALS": decimals,
        "MINSTEP": Decimal(1).scaleb(-decimals),
        "LASTTRADEDATE": f"{contract.expires}",
        "LASTDELDATE": f"{contract.expires}",
        "SECTYPE": contract.secid[:2],
        "LATNAME": contract.short_name,
        "ASSETCODE": contract.asset,
        "PREVOPENPOSITION": contract.open_interest,
        "LOTVOLUME": 10,
        "LASTSETTLEPRICE": contract.previous,
        "PREVPRICE": contract.previous,
    }


def _market(contract: Contract, here: datetime) -> Mapping[str, object]:
    shown = last_print(here - DELAY)
    step = Decimal(1).scaleb(int(contract.previous.as_tuple().exponent))
    moved = (contract.last / contract.previous - 1) * 100 if contract.last else None
    return {
        "SECID": contract.secid,
        "BOARDID": "RFUD",
        "BID": contract.last - step if contract.last else None,
        "OFFER": contract.last + step if contract.last else None,
        "SPREAD": 2 * step if contract.last else None,
        "LASTTOPREVPRICE": moved.quantize(_CENT) if moved is not None else None,
        "OPEN": contract.previous,
        "HIGH": max(contract.previous, contract.last or contract.previous),
        "LOW": min(contract.previous, contract.last or contract.previous),
        "LAST": contract.last,
        "SETTLEPRICE": contract.last or contract.previous,
        "OPENPOSITION": contract.open_interest,
        "VOLTODAY": contract.open_interest // 3 if contract.last else 0,
        "UPDATETIME": f"{shown:%H:%M:%S}",
        "TIME": f"{shown:%H:%M:%S}",
        "SYSTIME": f"{here:%Y-%m-%d %H:%M:%S}",
        "TRADEDATE": f"{trade_date(shown)}",
    }
