"""What is pinned is not below the floors that advisories set; see the head of the list for what it is not."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

from tests.test_pins import constraints

FLOORS = tomllib.loads(Path(__file__).with_name("advisories.toml").read_text(encoding="utf-8"))
PINS = dict(pin.partition(" ;")[0].split("==") for pin in constraints())


@pytest.mark.parametrize("name", FLOORS)
def test_no_pin_is_below_an_advisory_that_is_on_the_list(name: str) -> None:
    """Each by its own changelog."""
    assert {floor: why for floor, why in FLOORS[name].items() if Version(PINS[name]) < Version(floor)} == {}
