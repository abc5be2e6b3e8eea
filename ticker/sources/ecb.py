"""European Central Bank, euro reference rates: eurofxref-daily.xml, history by SDMX (csvdata).

Units of each currency for one euro, set around 16:00 Central European Time on TARGET days. The rouble is not among
them since 2 March 2022: this source is a check on EUR/RUB over USD/RUB and feeds EUR/USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Tick
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import as_xml, number, schema
from ticker.sources.series import midnight, spans
from ticker.sources.sheet import as_csv

FRANKFURT = ZoneInfo("Europe/Berlin")
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
# A day that TARGET was closed stands in the history without a value.
_MISSING = {"", "NaN"}
_YEAR = 366


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The one table of the last day."""
    return [Request("/stats/eurofxref/eurofxref-daily.xml")]


def archive(_codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """All currencies of the days from `first` to `last`, a year a request."""
    return [
        Request(
            "/service/data/EXR/D..EUR.SP00.A",
            {"format": "csvdata", "detail": "dataonly", "startPeriod": f"{start}", "endPeriod": f"{end}"},
        )
        for start, end in spans(first, last, _YEAR)
    ]


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of one table: `EUR` in each currency of it. Raises SourceError."""
    tables = as_xml(body).findall(f"{_CUBE}/{_CUBE}[@time]")
    if len(tables) != 1 or not len(tables[0]):
        raise schema(f"{len(tables)} tables with a date where one with rows was asked for")
    ticks = [_of_cube(row, tables[0].get("time", "")) for row in tables[0]]
    if len({tick.currency for tick in ticks}) != len(ticks):
        raise schema("a currency stands in the table twice")
    return ticks


def parse_archive(body: bytes) -> Sequence[Tick]:
    """The ticks of a history in csvdata, a day and currency each; none of a span without one. Raises SourceError."""
    header, rows = as_csv(body)
    # Of a span without a day the answer is nothing at all, or the header alone.
    if header and not {"CURRENCY", "TIME_PERIOD", "OBS_VALUE"} <= set(header):
        raise schema(f"no history of exchange rates: {', '.join(header)[:80]}")
    return [_of_row(row) for row in rows if row["OBS_VALUE"] not in _MISSING]


def _of_cube(row: Element, day: str) -> Tick:
    return _tick(row.get("currency", ""), row.get("rate", ""), day)


def _of_row(row: Mapping[str, str]) -> Tick:
    if (row.get("FREQ", "D"), row.get("CURRENCY_DENOM", "EUR")) != ("D", "EUR"):
        raise schema(f"a row that is no daily rate of the euro: {','.join(row.values())[:80]}")
    return _tick(row["CURRENCY"], row["OBS_VALUE"], row["TIME_PERIOD"])


def _tick(currency: str, rate: str, day: str) -> Tick:
    if len(currency) != 3:  # noqa: PLR2004 - ISO 4217
        raise schema(f"a rate of no currency: {currency[:20]!r}")
    return Tick("EUR", number(rate, currency), currency, midnight(day, "%Y-%m-%d", FRANKFURT, "time"), PriceType.FIXING)


ADAPTER = Adapter(
    publisher="ecb",
    base_url="https://www.ecb.europa.eu",
    requests=requests,
    parse=parse,
    archive=archive,
    parse_archive=parse_archive,
    archive_url="https://data-api.ecb.europa.eu",
)
