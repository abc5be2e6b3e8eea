"""`ticker drill`: on the shipped configuration all fifteen historic failures are seen as they should be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
import typer
import yaml

from tests.support.project_files import ROOT
from ticker.cli.jobs import chosen_drills, drill_report
from ticker.drill.play import ALERTS
from ticker.drill.scenarios import SCENARIOS, Scenario, played
from ticker.settings.loader import load, shipped

SETTINGS = load(shipped(), {}, {}).settings


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
async def test_what_should_be_seen_is_seen(scenario: Scenario) -> None:
    """No wrong number, none lost, the failure counted, its alert fired; and told minute by minute."""
    outcome = await played(SETTINGS, scenario)
    assert outcome.skipped is None
    assert outcome.missed == []
    assert len(outcome.frames) == scenario.steps
    assert all(one.now < other.now for one, other in pairwise(outcome.frames))
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
