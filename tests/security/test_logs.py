"""Strangers' words in logs and on terminals: never a line of their own, never a command to the terminal."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.running_service import serving
from tests.support.terminal import shown
from tests.support.upstream import CBR, Upstream
from ticker.cli.logs import sanitize, sanitize_json, sanitize_lines
from ticker.cli.reports import sources

HOSTILE = "x\r\n2026-01-01T00:00:00Z [info     ] all is well\x1b[31m\x1b]0;title\x07\x9b1A\x7f\u2028\u2029\u202e\ud800"
# A process of its own: logging is set up once for all of one.
CODE = f"""
import logging
from datetime import UTC, datetime
from ticker.cli.logs import start_logging
from ticker.health import Health
from ticker.log import Log
from ticker.quotes import Reason, SourceError

HOSTILE = {HOSTILE!a}
writer = start_logging()
Health("cbr").failed(datetime.now(UTC), SourceError(Reason.PARSE, HOSTILE))
log = Log("ticker.x")
log.info("request", path=HOSTILE.split()[0] + "\\x1b[2J", listed=[HOSTILE])
logging.getLogger("aiohttp.server").warning(HOSTILE)
try:
    raise ValueError(HOSTILE)
except ValueError:
    log.exception("request failed", path=HOSTILE)
writer.flush_and_stop()
"""
# What the pretty renderer itself puts: colours.
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def powers(text: str) -> set[str]:
    """The characters in `text` that do something, but for the line's end and the indent."""
    return {
        one for one in text if unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} or one in "\u202e\u2066"
    } - set("\n\t")


def test_json_lines_are_ours_alone() -> None:
    """One line an event, each JSON, no byte in it that a terminal would obey."""
    done = subprocess.run((sys.executable, "-c", CODE), capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert [json.loads(line)["level"] for line in lines] == ["warning", "info", "warning", "error"]
    assert json.loads(lines[2])["event"] == HOSTILE
    assert not powers(done.stderr)


def test_lines_for_people_are_ours_alone() -> None:
    """No line begins as an event does but those that are; no title, no cursor, no colour of a stranger's."""
    text = shown(CODE)
    plain = COLOURS.sub("", text.decode()).replace("\r\n", "\n")
    assert not powers(plain)
    events = [line for line in plain.splitlines() if re.match(r"\d{4}-", line)]
    assert [re.findall(r"\[(\w+) *\]", line)[0] for line in events] == ["warning", "info", "warning", "error"]


@given(st.text(st.characters(codec=None)))
def test_whatever_was_said_does_nothing(text: str) -> None:
    """In one line, in several, and in JSON, which says afterwards what it said before."""
    assert not powers(sanitize(text)) | set(sanitize(text)) & set("\n\t")
    assert not powers("\n".join(sanitize_lines(text)))
    written = sanitize_json(json.dumps(text, ensure_ascii=False))
    assert not powers(written)
    assert json.loads(written) == text


async def test_an_upstream_cannot_write_on_the_terminal_of_who_asks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ticker sources --probe`: neither escapes nor the markup of our tables."""
    monkeypatch.setenv("COLUMNS", "400")
    async with Upstream() as upstream:
        upstream.trio()
        upstream.answer(CBR, status=302, headers={"Location": "http://[red]x[/blue]/%1b\x9b31m"})
        async with serving(upstream.url) as served:
            await sources(served.service.settings, upstream.url, None, probe=True, as_json=False)
    said = capsys.readouterr().out
    assert "blocked: redirected to 'http://[red]x[/blue]/" in said
    assert not powers(said)
