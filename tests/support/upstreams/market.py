"""The demo's market: every number is a pure function of the moment, so two processes show the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from tests.support.upstreams.forts import MOSCOW

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400.0
_MONDAY: Final = 0
_SATURDAY: Final = 5
_SUNDAY: Final = 6

# (period in seconds, share of the base). The days give a past that looks like one, the minutes a screen that
# moves: together below 4 %, and below 0.2 % from one look to the next, two seconds later.
_DAYS: Final = ((40.3 * _DAY, 0.018), (9.1 * _DAY, 0.010))
_MINUTES: Final = ((660.0, 0.004), (55.0, 0.005))
# Two exchanges are compared minute by minute: within one, Brent goes no further than it does.
_BARREL: Final = ((660.0, 0.0075), (20.0, 0.0005))

_USD: Final = Decimal("100.6798")
_EUR: Final = Decimal("106.0762")
_BRENT: Final = Decimal("73.73")
_RATE: Final = Decimal("0.0001")
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The market at one moment: roubles for one dollar and one euro, US dollars for a barrel of Brent.

    A rate's `previous` is the table before the one in force; Brent's is the settlement of the last weekday.
    """

    usd: Decimal
    usd_previous: Decimal
    eur: Decimal
    eur_previous: Decimal
    brent: Decimal
    brent_previous: Decimal


class Market:
    """A market that moves smoothly, for ever within 5 % of its base, and the same for the same `seed`."""

    def __init__(self, seed: int) -> None:
        """Take the seed, any whole number: it shifts every wave."""
        self._seed = seed

    def at(self, moment: datetime) -> Numbers:
        """Give the numbers shown at `moment` (aware)."""
        here = moment.astimezone(MOSCOW)
        seconds = (moment - _EPOCH).total_seconds()
        before = table_before(table_in_force(here))
        usd, eur = self._rates(seconds, _DAYS + _MINUTES)
        brent = self._wave(3, seconds, _DAYS + _BARREL)
        usd_previous, eur_previous = self.fixing(before)
        settled = self._wave(3, _noon(_weekday_before(here.date())), _DAYS)
        return Numbers(
            usd, usd_previous, eur, eur_previous, _moved(_BRENT, brent, _CENT), _moved(_BRENT, settled, _CENT)
        )

    def fixing(self, date: date) -> tuple[Decimal, Decimal]:
        """Give the dollar and the euro in the table of `date`, roubles: the days' drift alone."""
        return self._rates(_noon(date), _DAYS)

    def _rates(self, seconds: float, waves: tuple[tuple[float, float], ...]) -> tuple[Decimal, Decimal]:
        dollar, own = self._wave(1, seconds, waves), self._wave(2, seconds, waves)
        # the euro follows the dollar, or their cross rate would drift out of what is plausible
        return _moved(_USD, dollar, _RATE), _moved(_EUR, 0.8 * dollar + 0.2 * own, _RATE)

    def _wave(self, voice: int, seconds: float, waves: tuple[tuple[float, float], ...]) -> float:
        return sum(
            share * math.sin(math.tau * (seconds / period + self._phase(voice, place)))
            for place, (period, share) in enumerate(waves)
        )

    def _phase(self, voice: int, place: int) -> float:
        return math.fmod(self._seed * 0.6180339887 + voice * 0.4142135624 + place * 0.7320508076, 1.0)


def table_in_force(moment: datetime) -> date:
    """Give the date of the Bank of Russia's table in force at `moment` (aware): Tuesday to Saturday.

    Saturday's table holds on Sunday and Monday too. Public holidays are left out: a demo works every week.
    """
    return table_of(moment.astimezone(MOSCOW).date())


def table_published(moment: datetime, by: time = time(16, 30)) -> date:
    """Give the date of the newest table at `moment` (aware): on a working day from `by` (Moscow) on the next day's."""
    here = moment.astimezone(MOSCOW)
    out = here.weekday() < _SATURDAY and here.time() >= by
    return here.date() + timedelta(days=1) if out else table_of(here.date())


def table_of(day: date) -> date:
    """Give the effective date of the table in force on `day`, a day in Moscow."""
    back = {_SUNDAY: 1, _MONDAY: 2}.get(day.weekday(), 0)
    return day - timedelta(days=back)


def table_before(table: date) -> date:
    """Give the effective date of the table before that of `table`."""
    return table_of(table - timedelta(days=1))


def _weekday_before(day: date) -> date:
    back = {_SUNDAY: 2, _MONDAY: 3}.get(day.weekday(), 1)
    return day - timedelta(days=back)


def _noon(date: date) -> float:
    noon = datetime.combine(date, time(12), MOSCOW)
    return (noon - _EPOCH).total_seconds()


def _moved(base: Decimal, share: float, step: Decimal) -> Decimal:
    return (base * (1 + Decimal(share))).quantize(step)
