"""The table of the adapters: one literal dict, a file an upstream."""

from __future__ import annotations

from ticker.sources import KEYED, SOURCES, Adapter


def test_every_line_leads_to_an_adapter() -> None:
    """Of its own: no two lines to one."""
    found = [SOURCES[name] for name in SOURCES]
    assert all(isinstance(each, Adapter) for each in found)
    assert len({id(each) for each in found}) == len(SOURCES) > 10


def test_who_asks_for_a_key_is_known() -> None:
    """Three sources are off until their users have a key."""
    assert {"alphavantage", "eia", "twelvedata"} == KEYED
