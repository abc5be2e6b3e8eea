"""Every upstream the ticker can read, by adapter name. Adding one is a file, a line here and its configuration."""

from __future__ import annotations

from collections.abc import Mapping

from ticker.sources import (
    alphavantage,
    cbr,
    cbr_mirror,
    cbu_uz,
    ecb,
    eia,
    fawazahmed0,
    frankfurter,
    fred,
    moex,
    nbk,
    nbrb,
    open_er_api,
    twelvedata,
    yahoo,
)
from ticker.sources.base import Adapter, Extract, Request, Skipped

SOURCES: Mapping[str, Adapter] = {
    "cbr": cbr.ADAPTER,
    "cbr_mirror": cbr_mirror.ADAPTER,
    "frankfurter": frankfurter.ADAPTER,
    "moex": moex.ADAPTER,
    "moex_fx": moex.FX,
    "moex_cbr": moex.CBR,
    "ecb": ecb.ADAPTER,
    "nbrb": nbrb.ADAPTER,
    "nbk": nbk.ADAPTER,
    "cbu_uz": cbu_uz.ADAPTER,
    "open_er_api": open_er_api.ADAPTER,
    "fawazahmed0": fawazahmed0.ADAPTER,
    "yahoo": yahoo.ADAPTER,
    "fred": fred.ADAPTER,
    "eia": eia.ADAPTER,
    "alphavantage": alphavantage.ADAPTER,
    "twelvedata": twelvedata.ADAPTER,
}
# Those that ask for a key: without one they are off.
KEYED = frozenset(name for name, adapter in SOURCES.items() if adapter.key_parameter)

__all__ = ["KEYED", "SOURCES", "Adapter", "Extract", "Request", "Skipped"]
