"""The README tells everything there is, and everything it tells is there."""

from __future__ import annotations

import asyncio
import re
import shlex
import tomllib
from typing import TYPE_CHECKING

import pytest
import simplejson
from prometheus_client.parser import text_string_to_metric_families

from tests.needs import needs
from tests.service import Served, serving
from tests.tree import ROOT, files
from tests.upstream import Upstream
from ticker.cli.commands import app
from ticker.quotes import Reason, Status
from ticker.settings import model
from ticker.settings.load import load
from ticker.sources import SOURCES
from ticker.web.assets import ROUTES as ASSETS
from ticker.web.server import ROUTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pydantic import BaseModel

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTIONS = (
    "The page",
    "The API",
    "The honest number",
    "Ops",
    "Configuration",
    "History, replay, backfill",
    "Deployment",
    "Replicas",
    "Exported files",
)
COMMANDS = {str(each.name or getattr(each.callback, "__name__", "")) for each in app.registered_commands}
PATHS = {path for path, _ in (*ROUTES, *ASSETS)}
CURLS = re.findall(r"^curl .*$", README, re.MULTILINE)
# What an example shows, by a part of its address; the others the dollar with all its digits.
PROMISED = {
    "/widget": "100,68",
    "precision=2&format=csv": "symbol,price,as_of\r\nUSD,100.68,2024-11-22T00:00:00+03:00\r\n",
    "/v1/convert": '"result": 94.91,',
    "/v1/instruments": "Brent crude oil",
    "/v1/sources": "Банк России",
    "/v1/openapi.json": '"openapi": "3.1.0"',
}
# Which table of the section Configuration tells the keys of which model.
TABLES: dict[str, tuple[type[BaseModel], ...]] = {
    "`[server]`": (model.Server,),
    "`[store]`": (model.Store,),
    "`[instruments.SYMBOL]`": (model.Instrument,),
    "`[sources.NAME]`": (model.Source,),
    "`schedule`": (model.Schedule,),
    "`[checks.NAME]`": (model.Check,),
    "`[calendars.NAME]`": (model.PublicationCalendar, model.SessionCalendar),
}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The trio of 22 November 2024, as in the README's examples."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url) as service:
            await service.ready()
            yield service


def section(name: str) -> str:
    """The text under a heading, to the next one of its level."""
    return README.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def named(text: str) -> set[str]:
    """What stands in `backticks`."""
    return set(re.findall(r"`([^`\n]+)`", text))


def row(first: str) -> str:
    """The row of a table of the Configuration that begins with `first`."""
    return next(line for line in section("Configuration").splitlines() if line.startswith(f"| {first} |"))


@pytest.mark.parametrize("name", SECTIONS)
def test_there_is_a_screen_for(name: str) -> None:
    """Each topic has its heading once, and a screen at most."""
    assert README.count(f"\n## {name}\n") == 1
    assert 5 < len(section(name).splitlines()) < 75


def test_two_commands_and_the_real_one_stand_at_the_top() -> None:
    """Pasted one after the other in a fresh clone; nothing before them but what it is."""
    assert blocks("sh")[:3] == [
        "sh .ci/uv run ticker demo\n",
        "sh .ci/uv run pytest\n",
        "sh .ci/uv run ticker serve\n",
    ]
    assert README.index("```sh") < README.index("\n## ")


def test_links_and_pictures_are_there() -> None:
    """Files of this repository and headings of this page."""
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            headings = re.findall(r"^#{2,3} (.+)$", README, re.MULTILINE)
            assert target[1:] in {name.lower().replace(",", "").replace(" ", "-") for name in headings}, target
        elif "://" not in target:
            assert (ROOT / target).is_file(), target
    committed = {path.as_posix() for path in files()}
    assert set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)) <= committed


def test_every_command_is_told_and_no_other() -> None:
    """Also in the examples."""
    assert set(re.findall(r"^\| `ticker (\w+)`", README, re.MULTILINE)) == COMMANDS
    assert (
        set(re.findall(r"\bticker (serve|demo|get|sources|check|record|replay|backfill|export|openapi)\b", README))
        <= COMMANDS
    )


def test_every_option_that_is_told_is_there() -> None:
    """In one of the commands, or in a tool that the line calls."""
    ours = set(re.findall(r'"(--[a-z-]+)"', (ROOT / "ticker" / "cli" / "commands.py").read_text(encoding="utf-8")))
    others = {"--head", "--read-only", "--publish", "--help"}
    assert set(re.findall(r"(?<![\w-])--(?!ticker-)[a-z][a-z-]+", README)) <= ours | others


def test_every_route_is_told_and_no_other() -> None:
    """Each in backticks; what looks like a route is one."""
    told = {text for text in named(README) if re.fullmatch(r"/[\w{}./]*", text)}
    outside = {text for text in told if text.startswith(("/etc", "/var"))}
    assert told - outside == PATHS


def test_every_status_and_reason_is_told() -> None:
    """A program switches on them."""
    assert set(Status) <= named(section("The page"))
    assert set(Reason) <= named(section("The API"))


async def test_every_metric_is_told_and_no_other(served: Served) -> None:
    """By the name that a query uses."""
    await served.client.get("/widget")
    text = await (await served.client.get("/metrics")).text()
    families = [family for family in text_string_to_metric_families(text) if family.name.startswith("ticker_")]
    there = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert {name for name in named(section("Ops")) if name.startswith("ticker_")} == there


@pytest.mark.parametrize("table", TABLES)
def test_every_setting_is_told_and_no_other(table: str) -> None:
    """In the row of its table; the words in brackets explain."""
    keys = {key for each in TABLES[table] for key in each.model_fields}
    told = {name for name in named(row(table).partition("|")[2].partition("|")[2]) if re.fullmatch(r"[a-z_]+", name)}
    assert told == keys


def test_every_table_is_told() -> None:
    """Each key of the whole has its row."""
    assert {re.split(r"[].]", table.strip("`["))[0] for table in TABLES} - {"schedule"} == set(
        model.Settings.model_fields
    )


def test_every_adapter_is_told() -> None:
    """And no other."""
    (told,) = re.findall(r"Adapters: (.*?)\. A source", section("Configuration"), re.DOTALL)
    assert named(told) == set(SOURCES)


def test_the_example_of_a_configuration_is_good(tmp_path: Path) -> None:
    """As it stands there."""
    for number, text in enumerate(blocks("toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(text, encoding="utf-8")
        assert list(load(file, {}, {}).settings.instruments) == list(tomllib.loads(text)["instruments"])


def test_the_variables_of_the_examples_are_settings() -> None:
    """Spelt so that the start does not stop."""
    found = dict(re.findall(r"`(TICKER_\w+)=([^`]+)`", README))
    assert len(found) >= 2
    load(None, found, {})


async def test_the_quote_of_the_example_is_what_the_service_says(served: Served) -> None:
    """Digit for digit."""
    (example,) = blocks("json", section("The API"))
    answer = await (await served.client.get("/v1/quotes/USD")).text()
    assert simplejson.loads(example, use_decimal=True) == simplejson.loads(answer, use_decimal=True)


async def test_the_fragment_of_the_example_is_in_the_widget(served: Served) -> None:
    """Byte for byte."""
    example = blocks("html", section("The page"))[0].strip()
    assert example in await (await served.client.get("/widget")).text()


@pytest.mark.parametrize("line", CURLS)
async def test_a_curl_of_the_examples_works(served: Served, line: str) -> None:
    """Run by curl itself against a service with that day's numbers."""
    address = str(served.client.make_url("/")).rstrip("/")
    command = shlex.split(line.replace("http://127.0.0.1:8080", address))
    command[0] = needs("curl")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, "--fail", "--silent", "--show-error", stdout=pipe)
    async with asyncio.timeout(20):
        out, _ = await process.communicate()
    assert process.returncode == 0
    shown(out.decode(), line)


def shown(out: str, line: str) -> None:
    """What curl printed is what the line promises."""
    if "--head" in line:
        assert out.startswith("HTTP/1.1 200")
    else:
        promised = next((text for part, text in PROMISED.items() if part in line), "100.6798")
        assert promised in out


def test_there_are_examples() -> None:
    """At least one for each of the routes that give quotes."""
    assert len(CURLS) >= 4
