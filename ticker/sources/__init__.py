"""Every upstream the ticker can read, by adapter name. Adding one is a file, a line here and its configuration."""

from ticker.sources import cbr, cbr_mirror, ecb, fred, moex, yahoo
from ticker.sources.adapter import Adapter, Request

SOURCES: dict[str, Adapter] = {
    "cbr": cbr.ADAPTER,
    "cbr_mirror": cbr_mirror.ADAPTER,
    "ecb": ecb.ADAPTER,
    "fred": fred.ADAPTER,
    "moex": moex.ADAPTER,
    "yahoo": yahoo.ADAPTER,
}

__all__ = ["SOURCES", "Adapter", "Request"]
