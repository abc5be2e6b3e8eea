"""Faults of what an upstream says: well-formed, and wrong."""

from __future__ import annotations

from tests.support.defences import Fault, Mutation

_VALIDATE = "ticker/validate.py"
_TEST = "tests/faults/test_contents.py::test_{}"
_MARKETS = "tests/selection/test_markets.py::test_{}"

CONTENTS: tuple[Fault, ...] = (
    Fault(
        "ten times the number",
        "×10, ×100, ÷10 at one source",
        "what its copy says, with `unit`",
        _TEST.format("ten_times_the_number_is_not_shown"),
        Mutation("ticker.validate:nominal_slip", "any(abs(price / last / ten - 1) < _SLIP for ten in tens)", "False"),
    ),
    Fault(
        "ten times, at the only source left",
        "the other one down",
        "the number before it, with `unit`",
        _TEST.format("ten_times_the_number_of_the_only_source_left_is_not_shown"),
        Mutation("ticker.selection.markets:_since", "slips(one.price, shown.price)", "False"),
    ),
    Fault(
        "ten times, at a cold start",
        "every source",
        "`—` and `range`",
        _TEST.format("ten_times_the_number_at_a_cold_start_is_not_shown"),
        Mutation("ticker.validate:RULES", "(Reason.RANGE, out_of_band)", ""),
    ),
    Fault(
        "sources disagree",
        "8 % between two markets",
        "the preferred one's number, with `disagree` and the spread",
        _TEST.format("sources_that_disagree_are_told_apart"),
        Mutation(
            "ticker.selection.rules:MARKET",
            '(c.denied("path") or (c.denied("still") and not c.favoured("path")))',
            "False",
        ),
    ),
    Fault(
        "a small lie of one market",
        "0.35 % between two markets in one minute",
        "the other one's number, with `disagree`, until both agree again",
        _MARKETS.format("a_small_lie_is_told_by_the_other_market_in_its_own_minute"),
        Mutation("ticker.selection.markets:Pair.agrees", "self.off <= self.limit", "True"),
    ),
    Fault(
        "a small lie that goes on",
        "the market that refuted it falls silent",
        "the number before it, `stale` when its time is over",
        _MARKETS.format("a_small_lie_waits_for_another_market"),
        Mutation(
            "ticker.selection.markets:_stands",
            "off >= (CANDLE if doubt.refuted else CANDLE * _HARDLY) and not jumped",
            "False",
        ),
    ),
    Fault(
        "a market that repeats itself",
        "new times and one price, while the other climbs by 0.4 %",
        "the other one's number, with `disagree`",
        _MARKETS.format("a_market_that_repeats_itself_beside_one_that_walks_away_is_wrong"),
        Mutation("ticker.selection.markets:_path", "(not mine) if step < pair.off / 2 else None", "None"),
    ),
    Fault(
        "a chart that denies its own past",
        "every minute abroad is 1 % higher than it was told before",
        "the first market's number; the chart is refused with `range`",
        _MARKETS.format("a_chart_that_denies_what_it_told_before_is_refused"),
        Mutation("ticker.selection.markets:_own_minutes", "max(found) <= CANDLE", "True"),
    ),
    Fault(
        "a halted currency pair",
        "status T, a time of days ago, an answer made anew every day",
        "the day of its last trade, `stale` from the next one's evening on",
        "tests/world/test_oil.py::test_a_halted_pair_ages",
        Mutation("ticker.normalize:_dated", "tick.previous_as_of is not None", "False"),
    ),
    Fault(
        "an unconfirmed jump",
        "+20 % in an hour, the other source down",
        "the number before it, with `move`, until another source says the same",
        _TEST.format("a_jump_that_nobody_confirms_is_held"),
        Mutation(
            "ticker.selection.markets:_since",
            'Finding("move", step <= limit, step, limit)',
            'Finding("move", True, step, limit)',
        ),
    ),
    Fault(
        "frozen market",
        "the same answer for eight hours",
        "the number, `stale`, with `frozen`",
        _TEST.format("a_market_that_stands_still_is_marked"),
        Mutation(
            "ticker.selection.markets:_fresh_until",
            "fresh_until(ask.calendars[one.source], kind, one.as_of)",
            "ask.now + timedelta(days=1)",
        ),
    ),
    Fault(
        "cache that goes back",
        "yesterday's table after today's",
        "today's number; refused as `frozen`",
        _TEST.format("a_cache_that_goes_back_in_time_is_not_followed"),
        Mutation("ticker.validate:RULES", "(Reason.FROZEN, gone_back)", ""),
    ),
    Fault(
        "number of the future",
        "a table of next year, a price in three hours",
        "the number before it; refused as `future`",
        _TEST.format("a_number_of_the_future_is_not_shown"),
        Mutation("ticker.validate:RULES", "(Reason.FUTURE, from_the_future)", ""),
    ),
    Fault(
        "weekend",
        "Friday's numbers until Monday evening",
        "`fresh` until the next ones should be in force, then `stale`",
        _TEST.format("over_a_weekend_nothing_is_late_and_on_tuesday_it_is"),
        Mutation(
            "ticker.calendars.publication:Publication.fresh_until",
            "self._midnight(self.following(as_of).date())",
            "as_of",
        ),
    ),
)
