"""What makes the long runs cheap changes nothing of what is shown: branches, answers read once, looks without news."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

import pytest

from tests.bench import year
from tests.bench.backtest import OfFixings, OfOil, Run, Tally, lives
from tests.world.harness import Shown

CASES: dict[str, tuple[Callable[..., Run], str, Sequence[str]]] = {
    "tables": (OfFixings, "two sources", ["digits swapped", "2 tables, 0.5-4 %", "yesterday relabelled"]),
    "tables and crosses": (OfFixings, "one source, ECB and crosses", ["off by 1-8 %"]),
    "markets": (OfOil, "two sources", ["off by 0.1-1 %", "nominal x10", "off by 1-8 %"]),
    "Yahoo": (partial(OfOil, liar="yahoo"), "two sources", ["off by 0.1-1 %", "digits swapped"]),
}


@pytest.mark.parametrize("of", CASES)
async def test_a_fault_in_a_branch_is_the_fault_in_a_service_of_its_own(of: str) -> None:
    """At every look the same is shown in a branch and in a service that lived for this fault alone, always asking."""
    begin, case, kinds = CASES[of]
    branched, whole = Tally(seen={}), Tally(seen={})
    await lives(case, 1, branched, kinds, begin, seed=11)
    await lives(case, 1, whole, kinds, partial(begin, whole=True), seed=11)
    assert (branched.fixings, branched.oil) == (whole.fixings, whole.oil)
    for fault, looks in _faults(whole).items():
        assert _faults(branched)[fault] == looks
    assert len(_faults(branched)) == len(kinds)


def _faults(tally: Tally) -> dict[str, list[tuple[object, ...]]]:
    """What was shown at each look of each fault, but for when it was last said."""
    seen = tally.seen or {}
    return {
        fault: [(at, symbol, *_said(shown)) for at, board in looks for symbol, shown in board.items()]
        for fault, looks in seen.items()
        if fault != "none"
    }


def _said(shown: Shown) -> tuple[object, ...]:
    ahead = shown.upcoming
    upcoming = ahead and (ahead.price, ahead.as_of, ahead.source, ahead.reason, ahead.confirmed)
    return (shown.price, shown.status, shown.reason, shown.source, shown.as_of, shown.change, upcoming)


async def test_days_in_which_only_news_are_asked_for_are_judged_alike() -> None:
    """Two days of April 2026, sources cut at random: as many minutes of each verdict as where all are always asked."""
    cheap, whole = year.Verdicts(), year.Verdicts()
    await year.week(date(2026, 4, 14), 7, cheap, "fixings", days=2)
    await year.week(date(2026, 4, 14), 7, whole, "fixings", days=2, whole=True)
    assert cheap.minutes == whole.minutes
    assert whole.minutes["USD", "looks"] == 2 * 1440 - 40
