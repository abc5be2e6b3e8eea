"""What is said, and with what."""

from __future__ import annotations

import logging

import pytest

from tests.support.captured_logs import heard
from ticker.log import Log

log = Log("ticker.test")


@pytest.mark.parametrize("level", ["info", "warning", "error"])
def test_an_event_has_its_level_and_its_fields(level: str) -> None:
    """Whatever the fields are called, and whatever signs the words hold."""
    with heard() as lines:
        getattr(log, level)("100 % of %s", name="x", level=1)
    assert lines == [{"event": "100 % of %s", "log_level": level, "name": "x", "level": 1}]


def test_a_fault_is_said_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """Of the exception that is being handled."""
    try:
        int("x")
    except ValueError:
        log.exception("request failed", path="/")
    assert "ValueError: invalid literal" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_what_nobody_listens_to_is_not_said(caplog: pytest.LogCaptureFixture) -> None:
    """Information is for who has set logging up."""
    log.info("nothing of note")
    assert not caplog.records
