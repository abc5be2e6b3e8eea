"""Programs from Debian that a test drives for real. Where one is missing, the test says what to install."""

import os
import shutil
from pathlib import Path

import pytest

LIST = Path(__file__).parent.parent / ".ci" / "debian"
# Servers stand in sbin, which is not on everybody's PATH.
SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def needs(command: str) -> str:
    """The path of `command`. Where it is missing the test is skipped; under TICKER_REQUIRE_ALL=1 it fails."""
    found = shutil.which(command, path=SEARCHED)
    if found:
        return found
    reason = f"no {command} here; Debian's package {package_of(command)} has it"
    if os.environ.get("TICKER_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def package_of(command: str) -> str:
    """Debian's package with `command`, by the list that CI installs from."""
    lines = [line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return next(package for package, *commands in lines if command in commands)
