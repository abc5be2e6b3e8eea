"""The days on which a country or a market rests, as the holidays library knows them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import holidays

from ticker.calendars.books import BOOKS

# Names that the shipped configuration uses: the library has them (a test asks), and need not be imported to be asked.
SURE = frozenset({"BY", "IFEU", "KZ", "RU", "US", "UZ", "XECB"})
# The longest run without a publication that is looked through; Russia's New Year has reached eleven days.
HORIZON = 40


@lru_cache(maxsize=4096)
def is_holiday(market: str, day: date) -> bool:
    """Whether `day` is a holiday of `market`: a country ("RU") or a financial centre ("XECB") the library knows.

    Raises ValueError for a name that the holidays library does not have.
    """
    return day in _holidays(market, day.year)


# A board of another day asks for a handful of days of a year that nobody has asked for yet: a book costs a millisecond.
@lru_cache(maxsize=256)
def _holidays(market: str, year: int) -> frozenset[date]:
    head = f"\n{market} {year} "
    _, known, days = BOOKS.partition(head)
    if known:
        return frozenset(date(year, int(day[:2]), int(day[2:])) for day in days.partition("\n")[0].split())
    return _read(market, year)


def _read(market: str, year: int) -> frozenset[date]:

    for kind, files in (("countries", holidays.registry.COUNTRIES), ("financial", holidays.registry.FINANCIAL)):
        for file, names in files.items():
            if market in names:
                return frozenset(getattr(_file(f"holidays.{kind}.{file}"), market)(years=year))
    message = f"no holiday calendar named {market!r}: a country ('RU') or an exchange ('XNYS') is"
    raise ValueError(message)


def _file(name: str) -> ModuleType:
    """One file of the holidays library by itself; to import it in the usual way is to import all 250 beside it."""
    spec = spec_from_file_location(name, f"{holidays.__path__[0]}/{'/'.join(name.split('.')[1:])}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def known(market: str) -> str:
    """`market`, if the holidays library has a calendar of that name. Raises ValueError otherwise."""
    if market not in SURE:
        is_holiday(market, date(2024, 1, 1))
    return market
