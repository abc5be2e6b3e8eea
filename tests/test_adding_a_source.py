"""The page on adding a source, followed to the letter."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.project_files import ROOT
from tests.support.upstream import Upstream

PAGE = (ROOT / "ticker" / "sources" / "README.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the project with the example put where the page says."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "ticker", tmp_path / "ticker", ignore=ignored)
    shutil.copytree(ROOT / "config", tmp_path / "config", ignore=ignored)
    (tmp_path / "ticker/sources/example_bank.py").write_text(BLOCKS["python"], encoding="utf-8")
    (line,) = (line.removeprefix("+") for line in BLOCKS["diff"].splitlines())
    table = tmp_path / "ticker/sources/__init__.py"
    text = table.read_text(encoding="utf-8")
    for opening, more in (("    eia,\n", "    example_bank,\n"), ("Mapping[str, Adapter] = {\n", f"{line}\n")):
        assert text.count(opening) == 1
        text = text.replace(opening, f"{opening}{more}")
    table.write_text(text, encoding="utf-8")
    (tmp_path / "mine.toml").write_text(BLOCKS["toml"], encoding="utf-8")
    return tmp_path


async def ticker(house: Path, *arguments: str) -> tuple[int | None, str]:
    """Exit code and output of the copy's command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ticker", *arguments),
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house), "COLUMNS": "300"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode()


def test_it_takes_less_than_sixty_lines() -> None:
    """File, lines and configuration together."""
    lines = [line for name in ("python", "diff", "toml") for line in BLOCKS[name].splitlines() if line.strip()]
    assert len(lines) < 60


async def test_a_source_built_as_written_works(house: Path) -> None:
    """The example's answer becomes the dollar's quote, and the probe shows what it gave."""
    async with Upstream() as up:
        up.trio()
        up.answer("/example_bank/today.json", body=BLOCKS["json"].encode(), content_type="application/json")
        where = ("--config", "mine.toml", "--upstream", up.url, "--at", "2024-11-22T12:00+03:00")
        (got, quote), (_, probed) = await asyncio.gather(
            ticker(house, "get", "USD", *where), ticker(house, "sources", "--probe", *where)
        )
    assert got == 0, quote
    assert re.search(r"USD .*100\.68 .*example_bank .*fresh", quote), quote
    assert re.search(r"example_bank .*USD 100\.6798", probed), probed
