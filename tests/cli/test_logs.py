"""Each in a process of its own: logging is set up once for all of one."""

import json
import logging
import os
import subprocess
import sys

import pytest

from tests.support.terminal import shown
from ticker.cli.logs import LineWriter

CODE = """
import logging
from ticker.cli.logs import start_logging
from ticker.log import Log

writer = start_logging()
Log("ticker.x").info("ours", number=1)
logging.getLogger("apscheduler").info("theirs, of no interest")
logging.getLogger("aiohttp.server").warning("theirs")
def fail(key):
    raise RuntimeError("broken")
try:
    fail("s3cret")
except RuntimeError:
    Log("ticker.x").exception("failed")
writer.flush_and_stop()
"""


def test_everybody_writes_json_lines_where_nobody_looks_on() -> None:
    """Ours and the libraries', each with level and time; the traceback is one of the fields."""
    done = subprocess.run((sys.executable, "-c", CODE), capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("ours", "info"),
        ("theirs", "warning"),
        ("failed", "error"),
    ]
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert "RuntimeError: broken" in lines[-1]["exception"]
    assert "s3cret" not in done.stderr


def test_a_terminal_gets_lines_for_people_without_the_values_of_variables() -> None:
    """The traceback is there, what the functions held is not: a key may be among it."""
    text = shown(CODE)
    assert b"ours" in text
    assert b"RuntimeError: broken" in text
    assert b"{" not in text.splitlines()[0]
    assert b"s3cret'" not in text.replace(b'fail("s3cret")', b"")


@pytest.mark.parametrize(
    ("chosen", "first"),
    [("LogFormat.TEXT", "2"), ("LogFormat.JOURNALD", "<6>ours number=1"), ("LogFormat.JSON", '{"number": 1')],
)
def test_the_format_is_the_one_that_was_asked_for(chosen: str, first: str) -> None:
    """Whether somebody looks on or not; text without colours where it is no terminal."""
    code = CODE.replace("start_logging()", f"start_logging(log_format={chosen})").replace(
        "import start_logging", "import LogFormat, start_logging"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stderr.startswith(first)
    assert "\x1b" not in done.stderr


def test_every_line_for_the_journal_begins_with_its_priority() -> None:
    """The lines of a traceback too: journald reads each by itself."""
    code = CODE.replace("start_logging()", 'start_logging(log_format=LogFormat("journald"))').replace(
        "import start_logging", "import LogFormat, start_logging"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    levels = [line[:3] for line in done.stderr.splitlines()]
    assert levels[:3] == ["<6>", "<4>", "<3>"]
    assert set(levels[3:]) == {"<3>"}
    assert "timestamp" not in done.stderr


def test_the_level_hides_what_is_below_it() -> None:
    """Ours and the libraries'."""
    code = CODE.replace("start_logging()", 'start_logging(LogLevel("error"))').replace(
        "import start_logging", "import LogLevel, start_logging"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["failed"]


def record(text: str) -> logging.LogRecord:
    """Something to be said."""
    return logging.LogRecord("ticker.x", logging.INFO, __file__, 1, text, None, None)


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_what_is_dropped_is_counted() -> None:
    """Ten thousand lines go into a full pipe, and the end of the process comes, though a reader never does."""
    reading, writing = os.pipe()
    writer = LineWriter(writing, capacity=100)
    for _ in range(10_000):
        writer.handle(record("x" * 1000))
    assert 10_000 - 100 - 65_536 // 1000 - 2 <= writer.dropped < 10_000
    writer.flush_and_stop(0.1)
    os.close(reading)


def test_a_reader_who_comes_back_is_told_how_much_it_missed() -> None:
    """By a line that says so; what waited is written whole and in order."""
    reading, writing = os.pipe()
    writer = LineWriter(writing, capacity=100)
    writer.setFormatter(Counted())
    for number in range(1000):
        writer.handle(record(f"{number} {'x' * 1000}"))
    told, numbers = 0, list[int]()
    with os.fdopen(reading) as pipe:
        while told < writer.dropped or len(numbers) < 1000 - told:
            said, _, count = pipe.readline().partition(": ")
            told += int(count) if said == "log lines were dropped" else 0
            numbers += [] if count else [int(said.split()[0])]
    assert numbers == sorted(numbers)
    writer.flush_and_stop()
    os.close(writing)


class Counted(logging.Formatter):
    """The message, and the count where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        return record.getMessage() + (f": {fields['count']}" if fields else "")


def test_a_field_that_cannot_be_written_ends_nothing() -> None:
    """It is counted as a line that was dropped."""
    reading, writing = os.pipe()
    writer = LineWriter(writing)
    writer.handle(logging.LogRecord("x", logging.INFO, __file__, 1, "%d", ("no number",), None))
    assert writer.dropped == 1
    writer.flush_and_stop()
    os.close(reading)
    os.close(writing)
