import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ops.prometheus import faster
from tests.support.programs import needs
from tests.support.project_files import ROOT

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

FOLDER = ROOT / "config" / "prometheus"
RULES = yaml.safe_load((FOLDER / "rules.yml").read_text())
CASES = yaml.safe_load((FOLDER / "rules_test.yml").read_text())
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
README = "config/prometheus/README.md#"


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yml"), ("check", "rules", "rules.yml"), ("test", "rules", "rules_test.yml")],
    ids=" ".join,
)
def test_promtool_is_content(arguments: tuple[str, ...]) -> None:
    """The shipped files are valid, and each rule does what its cases say."""
    done = subprocess.run((needs("promtool"), *arguments), cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_hold_under_a_job_of_another_name(tmp_path: Path) -> None:
    """Nothing in them names a job, and every case comes out the same where it is called otherwise."""
    assert not re.search(r'job\s*[=!]~?\s*"', (FOLDER / "rules.yml").read_text())
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    cases = (tmp_path / "rules_test.yml").read_text()
    other = cases.replace('job="ticker"', 'job="web/header"').replace('job: "ticker"', 'job: "web/header"')
    assert 'job="ticker"' not in other != cases
    (tmp_path / "rules_test.yml").write_text(other)
    command = (needs("promtool"), "test", "rules", "rules_test.yml")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_was_changed_fails_its_case(tmp_path: Path) -> None:
    """The cases can fail: a threshold moved is noticed."""
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "rules.yml").read_text()
    (tmp_path / "rules.yml").write_text(text.replace("[15m]) > 1 and", "[15m]) > 2 and"))
    command = (needs("promtool"), "test", "rules", "rules_test.yml")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_says_how_bad_what_and_what_to_do(alert: dict[str, Any]) -> None:
    """Severity, a summary, and a runbook that the page beside the rules has."""
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["annotations"]["runbook"] == README + alert["alert"].lower()
    assert f"\n## {alert['alert']}\n" in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_has_a_case_for_it_and_one_against_it(alert: dict[str, Any]) -> None:
    """In rules_test.yml each alert fires once and stays silent once."""
    expected = [
        bool(each["exp_alerts"])
        for case in CASES["tests"]
        for each in case["alert_rule_test"]
        if each["alertname"] == alert["alert"]
    ]
    assert set(expected) == {True, False}


def test_the_incident_runs_the_shipped_rules_only_faster() -> None:
    """What the scripted night shortens are waits and ranges, never an expression or a threshold."""
    text = (FOLDER / "rules.yml").read_text()
    quick = yaml.safe_load(faster(text))
    names = [rule.get("alert") or rule["record"] for group in quick["groups"] for rule in group["rules"]]
    assert names == [rule.get("alert") or rule["record"] for group in RULES["groups"] for rule in group["rules"]]
    assert faster("for: 15m\nrate(x[1h]) > 0.1") == "for: 3s\nrate(x[180s]) > 0.1"
