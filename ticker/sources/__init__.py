"""Every upstream the ticker can read, by adapter name. Adding one is a file, a line here and its configuration."""

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
    moex_cbr,
    nbk,
    nbrb,
    open_er_api,
    twelvedata,
    yahoo,
)
from ticker.sources.adapter import Adapter, Request

SOURCES: dict[str, Adapter] = {
    "cbr": cbr.ADAPTER,
    "cbr_mirror": cbr_mirror.ADAPTER,
    "frankfurter": frankfurter.ADAPTER,
    "moex": moex.ADAPTER,
    "moex_fx": moex.FX,
    "moex_cbr": moex_cbr.ADAPTER,
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

__all__ = ["SOURCES", "Adapter", "Request"]
