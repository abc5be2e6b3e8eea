"""A real Prometheus with the shipped scrape configuration and rules, on a faster clock."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.ops.process import answers, until
from tests.support.programs import needs
from tests.support.project_files import ROOT

FOLDER = ROOT / "config" / "prometheus"
SCRAPE = "500ms"
# Not as in the shipped configuration: neither rules nor dashboard may know the service by the name of its job.
JOB = "site-header"
# An alert waits at least a second, a range holds at least ten scrapes; two slow starts fit into a quarter of an hour.
_FASTER_WAIT, _FASTER_RANGE = 300, 20
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Prometheus:
    """What can be asked of it."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def firing(self) -> set[tuple[str, str]]:
        """The alerts that fire, each with the symbol or source it is about."""
        alerts = (await self._get("alerts"))["alerts"]
        return {
            (alert["labels"]["alertname"], alert["labels"].get("symbol") or alert["labels"].get("source") or "")
            for alert in alerts
            if alert["state"] == "firing"
        }

    async def query(self, expression: str) -> list[Any]:
        """The result of an instant query. Raises AssertionError with Prometheus's own words where it is no query."""
        return list((await self._get("query", query=expression))["result"])

    async def _get(self, what: str, **query: str) -> dict[str, Any]:
        async with self._session.get(f"{self.url}/api/v1/{what}", params=query) as response:
            answer = await response.json()
        assert answer["status"] == "success", answer
        return dict(answer["data"])


@asynccontextmanager
async def scraping(folder: Path, target: str) -> AsyncIterator[Prometheus]:
    """A Prometheus that scrapes `target` (host:port), its data in `folder`."""
    (folder / "rules.yml").write_text(faster((FOLDER / "rules.yml").read_text()))
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": SCRAPE, "evaluation_interval": SCRAPE, "scrape_timeout": SCRAPE}
    config["scrape_configs"][0]["job_name"] = JOB
    config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = (
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    child = await asyncio.create_subprocess_exec(needs("prometheus"), *command, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with aiohttp.ClientSession() as session:
            await until(lambda: answers(session, f"http://127.0.0.1:{port}/-/ready"))
            yield Prometheus(f"http://127.0.0.1:{port}", session)
    finally:
        child.terminate()
        await child.wait()


def faster(rules: str) -> str:
    """The rules with waits and ranges in seconds instead of minutes and hours."""
    rules = re.sub(r"(?m)(for: )(\d+)([smhd])$", lambda m: m[1] + _shorter(m[2], m[3], _FASTER_WAIT, 1), rules)
    return re.sub(r"\[(\d+)([smhd])\]", lambda m: f"[{_shorter(m[1], m[2], _FASTER_RANGE, 5)}]", rules)


def _shorter(number: str, unit: str, divisor: int, least: int) -> str:
    return f"{max(least, int(number) * _SECONDS[unit] // divisor)}s"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
