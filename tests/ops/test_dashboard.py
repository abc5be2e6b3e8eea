"""The dashboard and its provisioning, as far as they can be judged without a Grafana; the incident asks its queries."""

import json
from itertools import combinations
from typing import Any

import pytest
import yaml

from tests.ops.incident import DASHBOARD, queries
from tests.support.project_files import ROOT

BOARD: dict[str, Any] = json.loads(DASHBOARD.read_text())
PANELS: list[dict[str, Any]] = BOARD["panels"]
KINDS = {"row", "stat", "table", "timeseries", "state-timeline"}
# Grafana's own identifiers, of those in use here.
UNITS = {"short", "none", "s", "bytes", "reqps", "percentunit"}
PROVISIONING = ROOT / "config" / "grafana" / "provisioning"


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["title"]))
def test_a_panel_is_one_that_grafana_can_draw(panel: dict[str, Any]) -> None:
    """Kind, place, unit, and for each question a data source and a letter of its own."""
    assert panel["type"] in KINDS
    place = panel["gridPos"]
    assert place["w"] > 0 < place["h"]
    assert 0 <= place["x"] <= 24 - place["w"]
    if panel["type"] == "row":
        return
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    letters = [target["refId"] for target in panel["targets"]]
    assert letters
    assert len(set(letters)) == len(letters)
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_no_two_panels_overlap_or_share_a_number() -> None:
    """Grafana would push one of them away and open the wrong one from a link."""
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert [(a["title"], b["title"]) for a, b in combinations(PANELS, 2) if overlap(a["gridPos"], b["gridPos"])] == []


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether two places share a cell."""
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (beside or below)


def test_it_shows_what_the_person_who_is_paged_asks() -> None:
    """Quotes with age and status, sources over time, failures, latency, agreement, readers, the process."""
    titles = {panel["title"] for panel in PANELS}
    assert titles >= {
        "Quotes", "Status", "Age", "Agreement", "Spread", "Sources", "Failures by reason", "Poll latency",
        "Requests", "Errors", "Latency", "Streams", "Memory", "Loop lag",
    }  # fmt: skip


def test_every_question_is_narrowed_to_the_instances_chosen() -> None:
    """The variable at the top holds for all panels; what is recorded for the job as a whole has no instance."""
    assert [expr for expr in queries(BOARD) if "$instance" not in expr and "job:" not in expr] == []
    assert [expr for expr in queries(BOARD) if 'job=~"$job"' not in expr] == []
    assert {variable["name"] for variable in BOARD["templating"]["list"]} == {"datasource", "job", "instance"}


def test_provisioning_finds_the_dashboard_and_the_data() -> None:
    """The folder that compose mounts is the one the provider reads; there is one default data source."""
    provider = yaml.safe_load((PROVISIONING / "dashboards" / "ticker.yaml").read_text())
    folder = provider["providers"][0]["options"]["path"]
    services = yaml.safe_load((ROOT / "config" / "compose" / "compose.yaml").read_text())["services"]
    assert f"../grafana/dashboards:{folder}:ro" in services["grafana"]["volumes"]
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["isDefault"]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in services
