"""Each in a process of its own: logging is set up once for all of one."""

import json
import subprocess
import sys

from tests.support.terminal import shown

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
