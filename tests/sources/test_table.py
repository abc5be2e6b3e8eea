"""The table of the adapters: each is loaded when it is taken out."""

from __future__ import annotations

import subprocess
import sys

from ticker.sources import KEYED, SOURCES
from ticker.sources.adapter import Adapter


def test_every_line_leads_to_an_adapter() -> None:
    """Of its own: no two lines to one."""
    found = [SOURCES[name] for name in SOURCES]
    assert all(isinstance(each, Adapter) for each in found)
    assert len({id(each) for each in found}) == len(SOURCES) > 10


def test_who_asks_for_a_key_is_said_in_the_table_as_well() -> None:
    """A source that is off must be known before anything of it is loaded."""
    assert {name for name, adapter in SOURCES.items() if adapter.key_parameter} == KEYED


def test_a_name_that_nobody_has_is_no_adapter() -> None:
    """Nor is a module of the room that is none."""
    assert "cbrr" not in SOURCES
    assert SOURCES.get("cbrr") is None
    assert SOURCES.get("base") is None


def test_the_table_alone_loads_no_reader() -> None:
    """A start shows numbers before it asks for new ones."""
    code = "import sys, ticker.sources; print(*(name for name in sys.modules if name.startswith('ticker.sources.')))"
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ticker.sources.adapter"]
