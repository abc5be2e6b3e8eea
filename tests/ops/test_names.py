"""One set of metric names: the code's. README, rules and dashboard use no other and leave none out."""

import json
import re
import subprocess
from functools import cache

import pytest

from tests.ops.incident import DASHBOARD, queries
from tests.support.programs import needs
from tests.support.project_files import ROOT
from ticker.app import compose
from ticker.settings.loader import load, shipped

NAME = re.compile(r"\bticker_[a-z0-9_]+\b")
SUFFIXES = re.compile(r"_(?:bucket|sum|count)$")
RULES = (ROOT / "config" / "prometheus" / "rules.yml").read_text()
CONTRACT = {
    "ticker_build_info",
    "ticker_quote_price",
    "ticker_quote_as_of_timestamp_seconds",
    "ticker_quote_status",
    "ticker_quote_sources_agreeing",
    "ticker_quote_spread_ratio",
    "ticker_ticks_rejected_total",
    "ticker_rows_skipped_total",
    "ticker_source_up",
    "ticker_source_polls_total",
    "ticker_source_poll_failures_total",
    "ticker_source_poll_duration_seconds",
    "ticker_source_last_success_timestamp_seconds",
    "ticker_source_next_poll_timestamp_seconds",
    "ticker_publication_late",
    "ticker_calendar_covered_until_timestamp_seconds",
    "ticker_http_requests_total",
    "ticker_http_request_duration_seconds",
    "ticker_stream_clients",
    "ticker_leader",
}


@cache
def exposed() -> str:
    """What a service that has just been composed answers to a scrape."""
    return compose(load(shipped(), {}, {}).settings).context.exposition.scrape("").body.decode()


def code() -> set[str]:
    """The names of the code."""
    types = re.findall(r"^# TYPE (\S+) ", exposed(), re.MULTILINE)
    return {name for name in types if name.startswith("ticker_") and not name.endswith("_created")}


def used(text: str) -> set[str]:
    """The metrics that `text` names, a histogram by its own name; recorded rules carry a colon and are none."""
    plain = re.sub(r"job:[a-z0-9_:]+", "", text)
    return {SUFFIXES.sub("", name) for name in NAME.findall(plain)}


def test_the_contracts_metrics_are_all_there() -> None:
    """No name of the contract is missing, from the first scrape on."""
    assert code() >= CONTRACT


def test_rules_and_dashboard_name_only_what_the_code_has() -> None:
    """A renamed metric cannot leave an alert behind that never fires."""
    asked = used(RULES) | used(" ".join(queries(json.loads(DASHBOARD.read_text()))))
    assert asked - code() == set()


@pytest.mark.parametrize("prefix", ["process_", "python_"])
def test_the_process_is_described_too(prefix: str) -> None:
    """Memory, open files, collections: what every dashboard of processes expects."""
    assert re.search(f"^# TYPE {prefix}", exposed(), re.MULTILINE)


@pytest.mark.programs
def test_promtool_finds_nothing_to_say_of_the_metrics() -> None:
    """Names, types, units and help texts follow Prometheus's own conventions."""
    done = subprocess.run(
        (needs("promtool"), "check", "metrics"), input=exposed(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
