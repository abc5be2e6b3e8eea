import asyncio
from pathlib import Path

import pytest

from tests.ops.incident import Transcript, play
from tests.support.programs import needs
from tests.support.project_files import ROOT

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

# Where nothing has failed lately these have nothing to show.
MAY_BE_EMPTY = ("> 0",)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Transcript:
    """The incident, played once; its transcript is kept in build/incident.txt."""
    needs("prometheus")
    transcript = asyncio.run(play(tmp_path_factory.mktemp("night")))
    kept = ROOT / "build" / "incident.txt"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("\n".join((*transcript.lines, "")))
    return transcript


def test_each_alert_fires_when_its_incident_happens(night: Transcript) -> None:
    """Source down, all sources down, frozen, disagreeing, a refused configuration, a killed process."""
    assert night.missing == [], "\n".join(night.lines)


def test_no_alert_fires_for_another_incident(night: Transcript) -> None:
    """Whoever is woken is woken for what happened, and for nothing else."""
    assert night.unexpected == [], "\n".join(night.lines)


def test_every_query_of_the_dashboard_has_an_answer(night: Transcript) -> None:
    """Against the Prometheus that scraped the service no panel is empty for want of a name or a label."""
    empty = [expr for expr, result in night.queries.items() if not result]
    assert [expr for expr in empty if not any(part in expr for part in MAY_BE_EMPTY)] == []
    assert len(night.queries) > 30


def test_the_transcript_is_kept(night: Transcript) -> None:
    """What fired when can be read afterwards."""
    assert Path(ROOT / "build" / "incident.txt").read_text().count("fires") >= len(night.lines) // 4
