"""European Central Bank, euro reference rates: eurofxref-daily.xml, history by SDMX (csvdata).

Units of each currency for one euro, set around 16:00 Central European Time on TARGET days. The rouble is not among
them since 2 March 2022: this source is a check on EUR/RUB over USD/RUB and feeds EUR/USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Tick
from ticker.sources.base import (
    Adapter,
    Extract,
    Request,
    as_csv,
    as_xml,
    midnight,
    number,
    raw_of,
    schema,
    spans,
    table,
)

FRANKFURT = ZoneInfo("Europe/Berlin")
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
# A day that TARGET was closed stands in the history without a value.
_MISSING = {"", "NaN"}
_YEAR = 366


def requests(_codes: Sequence[str], _now: datetime) -> Sequence[Request]:
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


def parse(body: bytes) -> Extract:
    """The ticks of one table: `EUR` in each currency of it. Raises SourceError."""
    tables = as_xml(body).findall(f"{_CUBE}/{_CUBE}[@time]")
    if len(tables) != 1 or not len(tables[0]):
        raise schema(f"{len(tables)} tables with a date where one with rows was asked for")
    day = tables[0].get("time", "")
    midnight(day, "%Y-%m-%d", FRANKFURT, "time")
    return table(tables[0], _currency, lambda row, code: _tick(code, row.get("rate", ""), day))


def parse_archive(body: bytes) -> Extract:
    """The ticks of a history in csvdata, a day and currency each; none of a span without one. Raises SourceError."""
    header, rows, ragged = as_csv(body)
    # Of a span without a day the answer is nothing at all, or the header alone.
    if header and not {"CURRENCY", "TIME_PERIOD", "OBS_VALUE"} <= set(header):
        raise schema(f"no history of exchange rates: {', '.join(header)[:80]}")
    priced = [row for row in rows if row["OBS_VALUE"] not in _MISSING]
    return table(priced, lambda row: f"{row['CURRENCY']} {row['TIME_PERIOD']}", _of_row, fewest=0, skipped=ragged)


def _currency(row: Element) -> str:
    currency = row.get("currency", "")
    if len(currency) != 3:  # noqa: PLR2004 - ISO 4217
        raise schema(f"a rate of no currency: {currency[:20]!r}")
    return currency


def _of_row(row: Mapping[str, str], _key: str) -> Tick:
    if (row.get("FREQ", "D"), row.get("CURRENCY_DENOM", "EUR")) != ("D", "EUR"):
        raise schema(f"a row that is no daily rate of the euro: {','.join(row.values())[:80]}")
    return _tick(row["CURRENCY"], row["OBS_VALUE"], row["TIME_PERIOD"])


def _tick(currency: str, rate: str, day: str) -> Tick:
    as_of = midnight(day, "%Y-%m-%d", FRANKFURT, "time")
    return Tick("EUR", number(rate, currency), currency, as_of, PriceType.FIXING, raw=raw_of(rate))


ADAPTER = Adapter(
    publisher="ecb",
    base_url="https://www.ecb.europa.eu",
    requests=requests,
    parse=parse,
    archive=archive,
    parse_archive=parse_archive,
    archive_url="https://data-api.ecb.europa.eu",
)
