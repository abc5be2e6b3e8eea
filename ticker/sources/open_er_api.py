"""open.er-api.com: what one dollar costs in 160 currencies, once a day; indicative, the last resort for a rouble rate.

Keyless; a link of attribution is required. Errors come with `result: error` (https://www.exchangerate-api.com/docs/free).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ticker.quotes import PriceType, Reason, SourceError, Tick
from ticker.sources.base import Adapter, Extract, Request, as_json, brief, number, raw_of, schema, table, unix


def requests(_codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The one table of the dollar; every other pair is a cross of it."""
    return [Request("/v6/latest/USD")]


def parse(body: bytes) -> Extract:
    """The ticks of one table: its base in each other currency. Raises SourceError."""
    answer = as_json(body)
    if not isinstance(answer, dict) or answer.get("result") != "success" or not isinstance(answer.get("rates"), dict):
        told = answer.get("error-type") if isinstance(answer, dict) else None
        raise schema(f"no rates: {brief(told or answer)}")
    base, as_of = str(answer.get("base_code") or ""), unix(answer.get("time_last_update_unix"), "time_last_update_unix")
    ended = answer.get("time_eol_unix")
    if ended and as_of >= unix(ended, "time_eol_unix"):
        raise SourceError(Reason.FROZEN, f"the interface has ended on {unix(ended, 'time_eol_unix'):%Y-%m-%d}")
    if answer["rates"].get(base) != 1:
        raise schema(f"a table that is not in units of {base[:20]!r}")

    def read(row: tuple[str, object], code: str) -> Tick:
        return Tick(base, number(row[1], code), code, as_of, PriceType.MID, raw=raw_of(row[1]))

    return table([row for row in answer["rates"].items() if row[0] != base], lambda row: row[0], read)


ADAPTER = Adapter(publisher="open_er_api", base_url="https://open.er-api.com", requests=requests, parse=parse)
