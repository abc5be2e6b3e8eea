"""Programs from Debian that a test drives for real. Where one is missing, the test says what to install."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

LIST = Path(__file__).parents[2] / ".ci" / "debian"
# Servers stand in sbin, which is not on everybody's PATH.
SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def needs(command: str) -> str:
    """The path of `command`, or of the file that it names from the root: a module of a server is no command.

    Where it is missing the test is skipped; under TICKER_REQUIRE_ALL=1 it fails.
    """
    package = package_of(command)
    there = command if command.startswith("/") and Path(command).exists() else None
    found = there or shutil.which(command, path=SEARCHED)
    if not found:
        missing(f"no {command} here; Debian's package {package} has it")
    return found


def missing(reason: str) -> NoReturn:
    """Leave the test out, or where nothing may be left out (TICKER_REQUIRE_ALL=1) fail it."""
    if os.environ.get("TICKER_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def package_of(command: str) -> str:
    """Debian's package with `command`, by the list that CI installs from. Raises KeyError: put it there first."""
    lines = [line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return {command: package for package, *commands in lines for command in commands}[command]
