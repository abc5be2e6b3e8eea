"""`ticker drill`: on the shipped configuration all fifteen historic failures are seen as they should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
import typer
import yaml

from tests.support.project_files import ROOT
from ticker.cli.jobs import chosen_drills, drill_report
from ticker.drill.play import ALERTS, Frame
from ticker.drill.scenarios import SCENARIOS, Scenario, played
from ticker.settings.loader import load, shipped

SETTINGS = load(shipped(), {}, {}).settings


# A trade is known a quarter of an hour later, as the exchange tells the public, and ten minutes are its grace.
DELAY = timedelta(minutes=25)
# What a failure is seen by, as a scenario's `expects` names it; the other words hold in every minute, or are alerts,
# which wait for their time.
SIGNS: dict[str, Callable[[Frame, list[str]], bool]] = {
    "failing": lambda frame, words: (
        frame.sample("ticker_source_poll_failures_total", source=words[1], reason=words[0]) > 0
    ),
    "refused": lambda frame, words: any(
        value > 0 and dict(labels).get("source") in words
        for (name, labels), value in frame.samples.items()
        if name == "ticker_ticks_rejected_total"
    ),
    "silence_told": lambda frame, words: any(
        frame.sample("ticker_source_up", source=each) == 0 or frame.quotes["OIL"].source != each for each in words
    ),
    "store_is_down": lambda frame, _words: frame.sample("ticker_store_up") == 0,
}


def each_source(expects: Sequence[str]) -> Iterator[str]:
    """`failing REASON SOURCE…` as a sentence for each source: each is asked at times of its own."""
    for sentence in expects:
        match sentence.split():
            case ["failing", reason, *sources]:
                yield from (f"failing {reason} {source}" for source in sources)
            case _:
                yield sentence


def late(scenario: Scenario, frames: list[Frame]) -> list[str]:
    """The signs that were seen more than a minute after the poll that brought them, or after the store was spoilt."""
    found = []
    for sentence in each_source(scenario.expects):
        word, *words = sentence.split()
        if word not in SIGNS:
            continue
        first = next(at for at, frame in enumerate(frames) if SIGNS[word](frame, words))
        begun = max(step for step in map(int, scenario.at) if step <= first)
        polls = [sum(frame.sample("ticker_source_polls_total", source=each) for each in words) for frame in frames]
        brought = next((at for at in range(max(begun, 1), first) if polls[at] > polls[at - 1]), first)
        if word == "store_is_down":
            brought = begun
        if word == "silence_told":
            # Nothing says that trading has halted but the time at which the next trade should be known.
            due = (frames[begun].quotes["OIL"].as_of or frames[begun].now) + DELAY
            brought = next(at for at, frame in enumerate(frames) if frame.now >= due)
        if frames[first].now - frames[brought].now > timedelta(seconds=60):
            found.append(f"{sentence}: {frames[brought].now}, seen {frames[first].now}")
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
async def test_what_should_be_seen_is_seen(scenario: Scenario) -> None:
    """No wrong number, none lost, the failure counted at once, its alert fired; and told minute by minute."""
    outcome = await played(SETTINGS, scenario)
    assert outcome.skipped is None
    assert outcome.missed == []
    assert len(outcome.frames) == scenario.steps
    assert all(one.now < other.now for one, other in pairwise(outcome.frames))
    assert late(scenario, outcome.frames) == []
    lines = list(drill_report(outcome))
    assert lines[0].startswith(scenario.name)
    assert any("readers" in line and "USD" in line for line in lines)


async def test_a_configuration_that_believes_anybody_fails_the_drill() -> None:
    """Without any other word than the Bank's, and with a band and a move that allow all, the wrong table is shown."""
    alone = {
        symbol: replace(each, sources=("cbr",), fallbacks=(), max_move=Decimal(1), tolerance=Decimal(1))
        for symbol, each in SETTINGS.instruments.items()
        if symbol == "USD"
    }
    config = SETTINGS.model_copy(update={"instruments": alone, "checks": {}})
    wrong = next(each for each in SCENARIOS if each.name == "wrong-reissue")
    outcome = await played(config, replace(wrong, needs=("cbr",)))
    assert "no wrong number is shown" in outcome.missed


async def test_what_a_configuration_does_not_ask_is_not_played() -> None:
    """It is said why."""
    only = {symbol: each for symbol, each in SETTINGS.instruments.items() if symbol == "USD"}
    config = SETTINGS.model_copy(update={"instruments": only, "checks": {}})
    outcome = await played(config, next(each for each in SCENARIOS if each.name == "yahoo-429"))
    assert outcome.skipped == "this configuration asks no yahoo"
    assert list(drill_report(outcome))[1] == "  not played: this configuration asks no yahoo"


def test_its_alerts_are_those_of_the_rules() -> None:
    """By name and by the time for which they wait."""
    groups = yaml.safe_load((ROOT / "config/prometheus/rules.yml").read_text())["groups"]
    rules = {rule["alert"]: rule.get("for", "0m") for group in groups for rule in group["rules"] if "alert" in rule}
    assert {each.name: f"{each.minutes}m" for each in ALERTS}.items() <= rules.items()


def test_a_drill_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    """Typer makes of it exit code 2."""
    with pytest.raises(typer.BadParameter, match="guard-page"):
        chosen_drills(["guard-page", "earthquake"])
    assert [each.name for each in chosen_drills(["new-year", "guard-page"])] == ["new-year", "guard-page"]
    assert chosen_drills([]) == list(SCENARIOS)
    assert len(SCENARIOS) == 15
