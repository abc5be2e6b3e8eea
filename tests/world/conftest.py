"""What every test of the world is played on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world.play import Stage


@pytest.fixture(params=["straight", "restarted"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    """Where an incident is played: straight on, or with the product ended and begun again before each look."""
    return Stage(tmp_path, restarts=request.param == "restarted")
