"""open.er-api.com: what one dollar costs in 160 currencies, once a day; indicative, the last resort for a rouble rate.

Keyless; a link of attribution is required. Errors come with `result: error` (https://www.exchangerate-api.com/docs/free).
"""

from __future__ import annotations

from collections.abc import Sequence

from ticker.quotes import PriceType, Reason, SourceError, Tick
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import as_json, brief, number, schema
from ticker.sources.series import unix


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The one table of the dollar; every other pair is a cross of it."""
    return [Request("/v6/latest/USD")]


def parse(body: bytes) -> Sequence[Tick]:
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
    return [
        Tick(base, number(rate, code), code, as_of, PriceType.MID)
        for code, rate in answer["rates"].items()
        if code != base
    ]


ADAPTER = Adapter(publisher="open_er_api", base_url="https://open.er-api.com", requests=requests, parse=parse)
