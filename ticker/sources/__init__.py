"""Every upstream the ticker can read, by adapter name. Adding one is a file, a line here and its configuration."""

from ticker.sources import cbr, cbr_mirror, moex, yahoo
from ticker.sources.base import Adapter, Request

SOURCES: dict[str, Adapter] = {
    "cbr": cbr.ADAPTER,
    "cbr_mirror": cbr_mirror.ADAPTER,
    "moex": moex.ADAPTER,
    "yahoo": yahoo.ADAPTER,
}

__all__ = ["SOURCES", "Adapter", "Request"]
