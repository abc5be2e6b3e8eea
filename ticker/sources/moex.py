"""Moscow Exchange ISS: futures (Brent), currencies, and its copy of the Bank of Russia's rates.

Answers are blocks of columns and rows, columns mapped by name, since their order differs from market to market. Free
data is 15 minutes old. Times are Moscow's, without a zone, and mostly without a date.

`moex` is the futures board and the currency market as one source, `moex_fx` the currency market by itself, for those
who want its cadence apart from Brent's, `moex_cbr` the Bank's rates by a way without the Bank's guard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from ticker.quotes import Contract, MarketData, Neighbour, PriceType, Reason, SourceError, Tick
from ticker.sources.base import (
    MOSCOW,
    Adapter,
    Extract,
    Request,
    Skipped,
    as_json,
    brief,
    midnight,
    newest,
    nominal,
    number,
    optional_number,
    optional_signed,
    raw_of,
    sane,
    schema,
)

HOST = "https://iss.moex.com"
Cells = Mapping[str, Any]
_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_DAY = timedelta(days=1)
_SATURDAY = 5

# --- Futures: the board RFUD. ----------------------------------------------------------------------------------------

FUTURES = "RFUD"
# Asset code -> (how its contracts' codes begin, currency, units the price is for, days in which one surely expires).
ASSETS = {
    "BR": ("BR", "USD", 1, 35),
    "NG": ("NG", "USD", 1, 35),
    "GOLD": ("GD", "USD", 1, 110),
    "SILV": ("SV", "USD", 1, 110),
    "Si": ("Si", "RUB", 1000, 110),
    "Eu": ("Eu", "RUB", 1000, 110),
}
# The first column that has a price wins; a settlement is called one.
PRICES = (
    ("LAST", PriceType.LAST),
    ("SETTLEPRICE", PriceType.SETTLEMENT),
    ("PREVSETTLEPRICE", PriceType.SETTLEMENT),
)
_MONTHS = "FGHJKMNQUVXZ"
_WHOLE = 4  # months and more are listed; of a board with fewer any may be the front one
_CLEARING = time(18, 50)
_ONE_SESSION = date(2026, 3, 23)  # since then a day is settled when it ends
_END = time(23, 50)
_EVENING = time(18, 45)
_SILENT = timedelta(minutes=30)
_ASTRAY = timedelta(days=60)


def futures_requests(_codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The whole board; `?assetcode=` is ignored by the server, so there is nothing to narrow."""
    return [_request(f"engines/futures/markets/forts/boards/{FUTURES}")]


def parse_futures(answer: object) -> Extract:
    """The front contract of each known asset. Raises SourceError where there is none."""
    listed, skipped = _listed(answer)
    clocks = [moment.date() for each in listed for moment in _clock(each.row)]
    ticks: list[Tick] = []
    for asset in ASSETS:
        contracts = [each for each in listed if each.asset == asset]
        try:
            tick, left_out = _front(asset, contracts, clocks)
        except SourceError as error:
            skipped.append(Skipped(asset, error.reason, error.detail))
        else:
            ticks += [tick] if tick else []
            skipped += left_out
    if not ticks:
        own = (each for each in skipped if each.symbol in ASSETS)
        why = next(own, None)
        raise (
            why.error() if why else schema("no contract with a price on the board: outside a session, or another table")
        )
    return Extract(tuple(ticks), tuple(skipped))


@dataclass(frozen=True, slots=True)
class _Listed:
    """A contract of the board: `row` is all that both blocks say of it, `fault` why it cannot be read.

    `missing` is one that the block of prices does not have, `unlisted` one that only that block has.
    """

    code: str
    asset: str
    row: Cells
    fault: SourceError | None = None
    missing: bool = False
    unlisted: bool = False

    @property
    def expires(self) -> date | None:
        """The last trading day, None where the cell is none."""
        try:
            return _date(self.row.get("LASTTRADEDATE"), "LASTTRADEDATE")
        except SourceError:
            return None


def _listed(answer: object) -> tuple[list[_Listed], list[Skipped]]:
    """The contracts of the known assets, and the rows that are none."""
    securities, torn = _by_code(answer, "securities")
    market, more = _by_code(answer, "marketdata")
    torn += more
    skipped = list(torn)
    listed: list[_Listed] = []
    for code in dict.fromkeys((*securities, *market, *(each.symbol for each in torn if each.symbol))):
        about, traded = securities.get(code, []), market.get(code, [])
        asset = _asset(code, about[0] if about else {})
        if asset not in ASSETS:
            continue
        skipped += [_twice(code) for rows in (about, traded) for _ in rows[1:]]
        fault = _torn_or_twice(code, torn, about, traded)
        missing = fault is None and not traded
        if fault is None and not (about and traded):
            fault = schema(f"{code} is in one block of the board alone")
        row = {**(about[0] if about else {}), **(traded[0] if traded else {})}
        listed.append(_Listed(code, asset, row, fault, missing, not about))
    return listed, skipped


def _by_code(answer: object, block: str) -> tuple[dict[str, list[Cells]], list[Skipped]]:
    whole, torn = _rows(answer, block)
    found: dict[str, list[Cells]] = {}
    for row in whole:
        if row.get("BOARDID", FUTURES) == FUTURES:
            found.setdefault(str(row["SECID"]), []).append(row)
    return found, torn


def _torn_or_twice(
    code: str, torn: Sequence[Skipped], about: Sequence[Cells], traded: Sequence[Cells]
) -> SourceError | None:
    for each in torn:
        if each.symbol == code:
            return each.error()
    differ = any(row != rows[0] for rows in (about, traded) for row in rows)
    return _twice(code).error() if differ else None


def _twice(code: str) -> Skipped:
    return Skipped(code, Reason.SCHEMA, f"{code} stands there twice")


def _front(asset: str, contracts: Sequence[_Listed], clocks: Sequence[date]) -> tuple[Tick | None, list[Skipped]]:
    """The tick of the contract that expires next, on this day or after, and what is wrong with the later ones.

    Nothing where the asset has no contract. Raises SourceError where the front one cannot be told or read: its price
    is then not known, and the next month's is another price.
    """
    today, now = _today(contracts, clocks)
    if today is None or now is None:
        faults = [each.fault for each in contracts if each.fault]
        if contracts:
            raise faults[0] if faults else schema(f"no contract of {asset} has a time")
        return None, []
    alive = [each for each in contracts if (day := each.expires) and day >= today]
    alive.sort(key=lambda each: each.expires or today)
    if not alive:
        unknown = (each.fault for each in contracts if each.fault and not each.expires)
        raise next(unknown, None) or schema(f"every contract of {asset} has expired")
    front, *later = alive
    if len(alive) >= _WHOLE and front.expires and front.expires - today > timedelta(days=ASSETS[asset][3]):
        raise schema(f"the front contract of {asset} is not on the board: the first one, {front.code}, is a later one")
    for each in contracts:
        old = each.unlisted and today not in {moment.date() for moment in _clock(each.row)}
        if each.expires is None and not old and _delivery(each.code, today) <= _delivery(front.code, today):
            raise schema(
                f"{each.code} may be the front contract: its LASTTRADEDATE is {brief(each.row.get('LASTTRADEDATE'))}"
            )
    if later and front.expires == today and now.time() >= _EVENING and _ended(front, later[0]):
        front, *later = later
    if front.fault is not None:
        raise front.fault
    left_out = [
        Skipped(each.code, fault.reason, fault.detail)
        for each in contracts
        if each is not front and each.fault is None and (fault := _fault_of(each)) is not None
    ]
    return _future(front, later), left_out


def _today(contracts: Sequence[_Listed], clocks: Sequence[date]) -> tuple[date | None, datetime | None]:
    """The day and the moment at which the board was sent; `clocks` are the days of all its rows.

    A row's SYSTIME stands still when its trading does, so the newest of the asset's counts, unless it is far ahead of
    several others, which agree: that is a clock gone wrong.
    """
    for moment in sorted((moment for each in contracts for moment in _clock(each.row)), reverse=True):
        others = sorted(clocks)
        others.remove(moment.date())
        wrong = len(others) > 1 and moment.date() - others[-1] > _ASTRAY and others[-1] - others[-2] <= _DAY
        if not wrong:
            return moment.date(), moment
    return None, None


def _clock(row: Cells) -> Iterator[datetime]:
    try:
        yield _moment(row)
    except SourceError:
        return


def _delivery(code: str, today: date) -> tuple[int, int]:
    """The year and month that a contract's code names, which has one digit for the year."""
    letter, digit = code[-2:-1], code[-1:]
    if letter not in _MONTHS or not digit.isdigit():
        return (0, 0)  # a code that names no month may be any
    return (today.year + (int(digit) - today.year + 1) % 10 - 1, _MONTHS.index(letter))


def _ended(front: _Listed, later: _Listed) -> bool:
    """Whether, on the evening of its last day, the contract trades no longer and the next one does."""
    if front.fault is not None:
        return front.missing
    try:
        return bool(later.row.get("LAST")) and _as_of(later.row) - _as_of(front.row) > _SILENT
    except SourceError:
        return False


def _fault_of(each: _Listed) -> SourceError | None:
    """What is wrong with a contract that nobody asked for; one without any price has no fault."""
    if each.expires is None:
        return schema(f"{each.code}: no last trading day")
    try:
        for column, _ in _prices(each.row):
            number(each.row[column], each.code)
            _as_of(each.row)
    except SourceError as error:
        return error
    return None


def _future(front: _Listed, later: Sequence[_Listed]) -> Tick:
    row = front.row
    _, currency, units, _ = ASSETS[front.asset]
    column, kind = next(_prices(row), (None, PriceType.LAST))
    if column is None:
        raise schema(f"the front contract {front.code} has no price")
    price, before = number(row[column], front.code), optional_number(row.get("PREVSETTLEPRICE"))
    # Until something is settled today SETTLEPRICE repeats yesterday's, which is no price of today and no change.
    old = column == "PREVSETTLEPRICE" or (kind is PriceType.SETTLEMENT and price == before)
    # Yesterday's settlement is what the exchange itself measures a day's change from.
    return Tick(
        symbol=front.asset,
        price=price,
        currency=currency,
        as_of=_as_of(row) if kind is PriceType.LAST else _settled(row, _DAY if old else timedelta(0)),
        price_type=kind,
        nominal=units,
        previous=None if old else before,
        contract=Contract(front.code, front.expires),
        market=_market(row, later),
        raw=raw_of(row[column]),
        date_inferred=True,
    )


def _market(row: Cells, later: Sequence[_Listed] = ()) -> MarketData:
    return MarketData(
        low=optional_number(row.get("LOW")),
        high=optional_number(row.get("HIGH")),
        bid=optional_number(row.get("BID")),
        offer=optional_number(row.get("OFFER")),
        previous_price=optional_number(row.get("PREVPRICE")),
        change_from_previous=optional_signed(row.get("LASTTOPREVPRICE")),
        previous_settlement=optional_number(row.get("PREVSETTLEPRICE")),
        neighbour=next((found for each in later if (found := _neighbour(each))), None),
    )


def _neighbour(each: _Listed) -> Neighbour | None:
    if each.fault is not None or each.expires is None:
        return None
    last = optional_number(each.row.get("LAST"))
    try:
        as_of = _as_of(each.row)
    except SourceError:
        return None
    settled = optional_number(each.row.get("PREVSETTLEPRICE"))
    return Neighbour(Contract(each.code, each.expires), last, as_of, settled) if last else None


def _prices(row: Cells) -> Iterator[tuple[str, PriceType]]:
    return ((name, kind) for name, kind in PRICES if row.get(name) and row.get("SYSTIME"))


def _asset(code: str, about: Cells) -> str:
    named = about.get("ASSETCODE") or about.get("SECTYPE")
    if isinstance(named, str) and named:
        return named
    return next((asset for asset, (prefix, *_) in ASSETS.items() if code[:-2] == prefix), code[:-2])


def _as_of(row: Cells) -> datetime:
    """When the last trade was: its time of day, on the last day on which that can have been.

    TRADEDATE is the day to which a trade is counted: for an evening before 23.03.2026 and for a weekend the next
    working day, so that it may lie ahead. An earlier one is the day itself: a contract that stands still stays old.
    """
    moment = _moment(row)
    clock = str(row.get("TIME") or row.get("UPDATETIME") or moment.time())
    counted = _date(row.get("TRADEDATE") or moment.date(), "TRADEDATE")
    traded = _naive(f"{moment.date()} {clock}", "TIME")
    if traded > moment:
        traded -= _DAY
    if counted < traded.date():
        traded = datetime.combine(counted, traded.time())
    return traded.replace(tzinfo=MOSCOW)


def _settled(row: Cells, before: timedelta) -> datetime:
    """When SETTLEPRICE was settled, or PREVSETTLEPRICE, a day `before`: at the last end of a working day until then.

    TIME is of whatever the row was written for. Of holidays the answer says nothing: a calendar knows better.
    """
    moment = _moment(row)
    day = _date(row.get("TRADEDATE") or moment.date(), "TRADEDATE") - before
    while day.weekday() >= _SATURDAY or _settlement(day) > moment:
        day -= _DAY
    return _settlement(day).replace(tzinfo=MOSCOW)


def _settlement(day: date) -> datetime:
    return datetime.combine(day, _CLEARING if day < _ONE_SESSION else _END)


# --- Currencies: the board CETS and the indicative rates. ------------------------------------------------------------

CURRENCIES = "CETS"  # CNGD, in the same answer, are trades outside the order book
INDICATIVE = ("USD/RUB", "EUR/RUB", "CNY/RUB")  # of one unit; of the other pairs the answer does not say how many
# Pair -> the exchange's own word for what is quoted of it.
CODES = {"USD/RUB": "USD/RUB", "EUR/RUB": "EUR/RUB", "CNY/RUB": "CNYRUB_TOM"}
GRACES = dict.fromkeys(INDICATIVE, timedelta(hours=8))  # they come at the two clearings only
_PAUSE = timedelta(days=15)  # a row whose day before is older is of a market closed for good


def currency_requests(codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """One request for the indicative rates and one for the trades, where any of theirs is among `codes`."""
    traded = [code for code in codes if "/" not in code]
    found = [] if len(traded) == len(codes) else [_request("statistics/engines/futures/markets/indicativerates")]
    if traded:
        found.append(_request(f"engines/currency/markets/selt/boards/{CURRENCIES}", securities=",".join(traded)))
    return found


def parse_currencies(answer: object) -> Extract:
    """The ticks of one answer, of either kind. Raises SourceError, `frozen` where nothing in it is traded.

    Dollar and euro are not traded since 13 June 2024: their old rows stand still or are empty. Their indicative rates,
    by which currency futures are cleared twice a day, are of the kind `settlement`.
    """
    return _trades(answer) if isinstance(answer, dict) and "marketdata" in answer else _indicative(answer)


def _indicative(answer: object) -> Extract:
    whole, skipped = _rows(answer, "securities", "rate")
    ticks = []
    for row in whole:
        pair, as_of = str(row.get("secid")), None
        if pair not in INDICATIVE:
            continue
        try:
            as_of = _naive(f"{row.get('tradedate')} {row.get('tradetime')}", "tradetime").replace(tzinfo=MOSCOW)
            price = number(row["rate"], pair)
        except SourceError as error:
            skipped.append(Skipped(pair, error.reason, error.detail, as_of))
        else:
            currency = pair.partition("/")[2]
            ticks.append(Tick(pair, price, currency, as_of, PriceType.SETTLEMENT, raw=raw_of(row["rate"])))
    if not ticks and not skipped:
        raise schema("no indicative rates of the rouble")
    return newest(Extract(tuple(ticks), tuple(skipped)))


def _trades(answer: object) -> Extract:
    securities, skipped = _rows(answer, "securities")
    market, torn = _rows(answer, "marketdata")
    skipped += torn
    about = {str(row["SECID"]): row for row in securities if row.get("BOARDID") == CURRENCIES}
    traded: dict[str, list[Cells]] = {}
    for row in market:
        if row.get("BOARDID") == CURRENCIES:
            traded.setdefault(str(row["SECID"]), []).append(row)
    ticks = []
    for code, rows in traded.items():
        skipped += [_twice(code) for _ in rows[1:]]
        if any(row != rows[0] for row in rows):
            continue
        try:
            ticks.append(_trade(code, {**about.get(code, {}), **rows[0]}))
        except SourceError as error:
            skipped.append(Skipped(code, error.reason, error.detail))
    if not ticks:
        raise skipped[0].error() if skipped else schema(f"no rows of the board {CURRENCIES}")
    return Extract(tuple(ticks), tuple(skipped))


def _trade(code: str, row: Cells) -> Tick:
    moment, before = _moment(row), midnight(row.get("PREVDATE"), "%Y-%m-%d", MOSCOW, code)
    if not row.get("LAST") or moment - before.replace(tzinfo=None) >= _PAUSE:
        raise SourceError(Reason.FROZEN, f"{code} is not traded")
    previous = optional_number(row.get("PREVPRICE"))
    return Tick(
        symbol=code,
        price=number(row["LAST"], code),
        currency=str(row.get("CURRENCYID")),
        as_of=_traded(row, moment),
        price_type=PriceType.LAST,
        nominal=nominal(row.get("FACEVALUE"), code),
        previous=previous,
        previous_as_of=before if previous else None,
        market=_market(row),
        raw=raw_of(row["LAST"]),
        date_inferred=True,
    )


def _traded(row: Cells, moment: datetime) -> datetime:
    """When the last trade was: TIME on the last day on which it can have been; of which day, the calendar knows."""
    traded = _naive(f"{moment.date()} {row.get('TIME') or row.get('UPDATETIME')}", "TIME")
    if traded > moment:
        traded -= _DAY  # the answer was made after midnight, the trade before it
    return traded.replace(tzinfo=MOSCOW)


# --- The Bank of Russia's rates, copied. ------------------------------------------------------------------------------


def rates_requests(_codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The one row, with a column for everything: CBRF_USD_LAST, CBRF_USD_TRADEDATE and the like."""
    path = "/iss/statistics/engines/currency/markets/selt/rates.json"
    return [Request(path, {"iss.meta": "off", "iss.only": "cbrf"})]


def parse_rates(body: bytes) -> Extract:
    """The ticks of dollar and euro, in roubles. Raises SourceError."""
    whole, torn = _rows(as_json(body), "cbrf", "CBRF_USD_LAST")
    if len(whole) != 1 or torn:
        raise schema(f"{len(whole) + len(torn)} rows where one was asked for")
    ticks, skipped = [], []
    for code in ("USD", "EUR"):
        price, day = whole[0].get(f"CBRF_{code}_LAST"), whole[0].get(f"CBRF_{code}_TRADEDATE")
        if price is None or not day:
            continue
        try:
            as_of = midnight(day, "%Y-%m-%d", MOSCOW, code)
            ticks.append(Tick(code, number(price, code), "RUB", as_of, PriceType.FIXING, raw=raw_of(price)))
        except SourceError as error:
            skipped.append(Skipped(code, error.reason, error.detail))
    if not ticks:
        raise skipped[0].error() if skipped else schema("neither dollar nor euro in the row")
    return Extract(tuple(ticks), tuple(skipped))


# --- What the markets share. -----------------------------------------------------------------------------------------


def requests(codes: Sequence[str], now: datetime) -> Sequence[Request]:
    """The futures board where an asset of it is among `codes`, and the currency market for the rest."""
    futures = [code for code in codes if code in ASSETS]
    currencies = [code for code in codes if code not in ASSETS]
    return [
        *(futures_requests(futures, now) if futures else ()),
        *(currency_requests(currencies, now) if currencies else ()),
    ]


def parse(body: bytes) -> Extract:
    """The ticks of an answer of either market, told apart by the last trading day that only futures have."""
    answer = as_json(body)
    securities = answer.get("securities") if isinstance(answer, dict) else None
    columns = securities.get("columns") if isinstance(securities, dict) else None
    currencies = isinstance(columns, list) and "LASTTRADEDATE" not in columns
    return parse_currencies(answer) if currencies else parse_futures(answer)


def _rows(answer: object, block: str, key: str = "SECID") -> tuple[list[Cells], list[Skipped]]:
    """The rows of a block, which has a column `key`, by column name, and those that do not have its columns.

    Raises SourceError (`schema`) where there is no such block.
    """
    table = answer.get(block) if isinstance(answer, dict) else None
    if not isinstance(table, dict):
        raise schema(f"no block {block!r}: {brief(answer)}")
    columns, data = table.get("columns"), table.get("data")
    if not isinstance(columns, list) or not isinstance(data, list) or key not in columns:
        raise schema(f"block {block!r} without columns or data")
    if any(not isinstance(name, str) for name in columns) or len(set(columns)) != len(columns):
        raise schema(f"block {block!r}: columns that are not names, each once")
    whole: list[Cells] = [
        dict(zip(columns, row, strict=True)) for row in data if isinstance(row, list) and len(row) == len(columns)
    ]
    torn = [row for row in data if not isinstance(row, list) or len(row) != len(columns)]
    return whole, list(_torn(torn, columns.index(key), block))


def _torn(rows: Iterable[object], place: int, block: str) -> Iterator[Skipped]:
    for row in rows:
        name = row[place] if isinstance(row, list) and len(row) > place else None
        code = name if isinstance(name, str) else None
        yield Skipped(code, Reason.SCHEMA, f"{code or 'a row'} in {block} does not have its columns")


def _moment(row: Cells) -> datetime:
    """When the answer was made, without a zone: it is Moscow's."""
    return _naive(row.get("SYSTIME"), "SYSTIME")


def _naive(value: object, where: str) -> datetime:
    """The moment that `value` writes, without a zone. Raises SourceError (`schema`)."""
    try:
        moment = datetime.fromisoformat(str(value) if _TIME.fullmatch(str(value)) else "")
    except ValueError as error:
        raise schema(f"{where}: no time but {str(value)[:40]!r}") from error
    return sane(moment, where)


def _date(value: object, where: str) -> date:
    return _naive(f"{value} 00:00:00", where).date()


def _request(path: str, **query: str) -> Request:
    return Request(f"/iss/{path}/securities.json", {"iss.meta": "off", "iss.only": "securities,marketdata", **query})


ADAPTER = Adapter(
    publisher="moex",
    base_url=HOST,
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "BR", **CODES},
    graces=GRACES,
)
FX = Adapter(publisher="moex", base_url=HOST, requests=currency_requests, parse=parse, codes=CODES, graces=GRACES)
CBR = Adapter(publisher="cbr", base_url=HOST, requests=rates_requests, parse=parse_rates)
