"""Every upstream the ticker can read, by adapter name. Adding one is a file, a line here and its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from ticker.sources.adapter import Adapter

# Where each is: the module of this room, and its name in there where it has another one.
_PLACES = {
    "cbr": "cbr",
    "cbr_mirror": "cbr_mirror",
    "frankfurter": "frankfurter",
    "moex": "moex",
    "moex_fx": "moex.FX",
    "moex_cbr": "moex_cbr",
    "ecb": "ecb",
    "nbrb": "nbrb",
    "nbk": "nbk",
    "cbu_uz": "cbu_uz",
    "open_er_api": "open_er_api",
    "fawazahmed0": "fawazahmed0",
    "yahoo": "yahoo",
    "fred": "fred",
    "eia": "eia",
    "alphavantage": "alphavantage",
    "twelvedata": "twelvedata",
}
# Those that ask for a key. They are told before anything is read, and a start need not load seventeen readers for it.
KEYED = frozenset({"alphavantage", "eia", "twelvedata"})


class Sources(Mapping[str, Adapter]):
    """The adapters by name; each is imported when it is first taken out."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> Adapter:
        module, _, own = self._places[name].partition(".")
        adapter: Adapter = getattr(import_module(f"{__name__}.{module}"), own or "ADAPTER")
        return adapter

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


SOURCES = Sources(_PLACES)
