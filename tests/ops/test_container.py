"""What the image promises, without an engine: the service in a name space of its own, as its user and nothing more."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import sysconfig
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.ops.process import answers, until
from tests.support.patience import PATIENCE
from tests.support.programs import needs
from tests.support.project_files import ROOT

USER = "10001"
# A root that cannot be written, an interpreter and a program that another user may read, and no capability left.
ENTER = f"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/python /mnt/ticker /mnt/packages /mnt/state
mount -t tmpfs -o mode=0700,uid={USER},gid={USER} tmpfs /mnt/state
mount --bind {sys.base_prefix} /mnt/python
mount --bind {ROOT} /mnt/ticker
mount --bind {sysconfig.get_path("purelib")} /mnt/packages
mount -o remount,ro /mnt
mount -o remount,bind,ro /
cd /mnt/ticker
exec {{setpriv}} --reuid {USER} --regid {USER} --clear-groups --bounding-set=-all --inh-caps=-all --ambient-caps=-all \
    --no-new-privs /mnt/python/bin/python3 -m ticker serve --config config/ticker.toml --port 0 \
    --upstream http://127.0.0.1:9
"""


@pytest.fixture
async def contained() -> AsyncIterator[tuple[int, str]]:
    """The process's number and its address."""
    unshare, setpriv = needs("unshare"), needs("setpriv")
    if os.geteuid():
        pytest.skip("only root can make a name space of its own here")
    environment = {
        # The one place that can be written, as the image's volume is.
        "TICKER_STORE__URL": "sqlite:////mnt/state/ticker.db",
        # An interpreter that was moved looks for its own library where it was built for.
        "LD_LIBRARY_PATH": "/mnt/python/lib",
        "PYTHONPATH": "/mnt/ticker:/mnt/packages",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": os.environ["PATH"],
    }
    script = ENTER.format(setpriv=setpriv)
    child = await asyncio.create_subprocess_exec(
        unshare, "--mount", "sh", "-c", script, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert child.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE):
            line: dict[str, Any] = {}
            while line.get("event") != "ticker serves":
                line = json.loads(await child.stderr.readline())
        yield child.pid, line["url"]
    finally:
        child.terminate()
        await child.communicate()
        assert child.returncode == 0


@pytest.mark.programs
async def test_it_runs_as_nobody_in_particular_and_writes_nothing(contained: tuple[int, str]) -> None:
    """Not root, no capability, no new privileges, a root that is read-only; and it serves."""
    number, url = contained
    async with aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{url}/healthz"))
    status = dict(line.split(":\t", 1) for line in _proc(number, "status").splitlines() if ":\t" in line)
    assert set(status["Uid"].split()) == {USER}
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    options = {line.split()[4]: line.split()[5].split(",") for line in _proc(number, "mountinfo").splitlines()}
    assert "ro" in options["/"]
    assert "ro" in options["/mnt"]
    assert "ticker.db" in os.listdir(f"/proc/{number}/root/mnt/state")  # noqa: PTH208 - as the process sees it


def _proc(number: int, name: str) -> str:
    with open(f"/proc/{number}/{name}", encoding="ascii") as file:  # noqa: PTH123 - no file but the kernel's word
        return file.read()
