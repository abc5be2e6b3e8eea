"""The documentation tells everything there is, and everything it tells is there."""

from __future__ import annotations

import asyncio
import re
import shlex
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import TypeAdapter

from tests.support.patience import PATIENCE
from tests.support.programs import needs
from tests.support.project_files import ROOT, files
from tests.support.running_service import Served, answered
from ticker.calendars import Publication, Session
from ticker.cli.commands import app
from ticker.quotes import Check, Instrument, Reason, Status
from ticker.settings import models
from ticker.settings.loader import load
from ticker.sources import SOURCES
from ticker.web.assets import ROUTES as ASSETS
from ticker.web.routes import ROUTES

# The pages that tell of commands, routes, settings and metrics, in reading order.
PAGES = ("README.md", "ticker/web/README.md", "config/README.md", "ticker/selection/README.md")
DOCUMENTATION = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
# What stands beside what it tells of.
OTHERS = (
    *PAGES[1:],
    ".github/CONTRIBUTING.md",
    ".github/SECURITY.md",
    ".github/decisions/README.md",
    "config/prometheus/README.md",
    "tests/README.md",
    "tests/bench/README.md",
    "ticker/sources/README.md",
)
SECTIONS = (
    "The page",
    "Hosts",
    "The API",
    "Sample answers",
    "Ops",
    "Configuration",
    "When a market trades on a day that no library knows",
    "History, replay, backfill",
    "Deployment",
    "Replicas",
    "Exported files",
)
COMMANDS = {str(each.name or getattr(each.callback, "__name__", "")) for each in app.registered_commands}
PATHS = {path for path, _ in (*ROUTES, *ASSETS)}
CURLS = re.findall(r"^curl .*$", DOCUMENTATION, re.MULTILINE)
# What an example shows, by a part of its address; the others the dollar with all its digits.
PROMISED = {
    "/widget": "100,68",
    "precision=2&format=csv": "symbol,price,as_of\r\nUSD,100.68,2024-11-22T00:00:00+03:00\r\n",
    "/v1/convert": '"result": 94.91,',
    "/v1/instruments": "Brent crude oil",
    "/v1/sources": "Банк России",
    "/v1/openapi.json": '"openapi": "3.1.0"',
}
# Of docker, kubectl, pip, install and systemctl.
INSTALLERS = {"--tag", "--file", "--build", "--detach", "--kustomize", "--mode", "--now"}
INSTALLERS |= {"--secret", "--build-arg"}
INSTALLERS |= {"--require-hashes", "--requirement", "--no-deps"}
SAMPLES = dict(
    re.findall(r"`(/v1/[^`]+)`[^`]*(?:`application/problem\+json`)?:\n\n```json\n(.*?)```", DOCUMENTATION, re.DOTALL)
)
# Which table of the section Configuration tells the keys of which model.
TABLES: dict[str, tuple[type, ...]] = {
    "`[server]`": (models.ServerSettings,),
    "`[store]`": (models.StoreSettings,),
    "`[instruments.SYMBOL]`": (Instrument,),
    "`[sources.NAME]`": (models.SourceSettings,),
    "`schedule`": (models.Schedule,),
    "`[checks.NAME]`": (Check,),
    "`[calendars.NAME]`": (Publication, Session),
    "`[evidence]`": (models.EvidenceSettings,),
    "`[webhooks.NAME]`": (models.WebhookSettings,),
}
# A record knows the name of its table, which nobody writes into it.
NAMED = {"`[instruments.SYMBOL]`": "symbol", "`[checks.NAME]`": "name"}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The trio of 22 November 2024, as in the README's examples."""
    async with answered() as service:
        yield service


def section(name: str) -> str:
    """The text under a heading, to the next one of its level."""
    return DOCUMENTATION.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def blocks(language: str, text: str = DOCUMENTATION) -> list[str]:
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
    assert DOCUMENTATION.count(f"\n## {name}\n") == 1
    assert 5 < len(section(name).splitlines()) < 75


def test_two_commands_and_the_real_one_stand_at_the_top() -> None:
    """Pasted one after the other in a fresh clone; nothing before them but what it is."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 250
    assert blocks("sh", readme)[:3] == [
        "sh .ci/uv run ticker demo\n",
        "sh .ci/uv run pytest\n",
        "sh .ci/uv run ticker serve\n",
    ]
    assert readme.index("```sh") < readme.index("\n## ")


@pytest.mark.parametrize("page", ["README.md", *OTHERS])
def test_links_and_pictures_are_there(page: str) -> None:
    """Committed files of this repository, and headings of the page that is meant."""
    here, committed = ROOT / page, {(ROOT / path).resolve() for path in files()}
    for target in re.findall(r"\]\(([^)]+)\)", here.read_text(encoding="utf-8")):
        if "://" not in target:
            name, _, anchor = target.partition("#")
            there = (here.parent / name).resolve() if name else here
            assert there in committed or there.is_dir(), target
            assert not anchor or anchor in anchors(there.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    """What the headings of a page are linked by."""
    headings = re.findall(r"^#{1,3} (.+)$", text, re.MULTILINE)
    return {name.lower().replace(",", "").replace(" ", "-") for name in headings}


def test_every_other_page_is_led_to() -> None:
    """Nobody finds what nothing links."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    contributing = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
    led = set(re.findall(r"\]\(([^)#]+)[^)]*\)", readme))
    led |= {f".github/{name}".replace(".github/../", "") for name in re.findall(r"\]\(([^)#]+)\)", contributing)}
    assert set(OTHERS) <= led | {f"{name}README.md" for name in led if name.endswith("/")}


@pytest.mark.parametrize("page", ["README.md", *OTHERS])
def test_a_module_that_is_told_to_be_run_is_there(page: str) -> None:
    """`python -m tests…`, also where only its end is named."""
    for name in re.findall(
        r"`(?:sh \.ci/uv run python -m |python -m |… )(tests[\w.]+)", (ROOT / page).read_text("utf-8")
    ):
        path = ROOT / name.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), name


def test_every_command_is_told_and_no_other() -> None:
    """Also in the examples."""
    assert set(re.findall(r"^\| `ticker (\w+)`", DOCUMENTATION, re.MULTILINE)) == COMMANDS
    words = "serve demo get sources check record replay backfill export openapi override corrections verify drill"
    called = rf"\bticker ({words.replace(' ', '|')})\b"
    assert set(re.findall(called, DOCUMENTATION)) <= COMMANDS


def test_every_option_that_is_told_is_there() -> None:
    """In one of the commands, or in a tool that the line calls."""
    ours = set(re.findall(r'"(--[a-z-]+)"', (ROOT / "ticker" / "cli" / "commands.py").read_text(encoding="utf-8")))
    others = {"--head", "--read-only", "--publish", "--help", *INSTALLERS}
    assert set(re.findall(r"(?<![\w-])--(?!ticker-)[a-z][a-z-]+", DOCUMENTATION)) <= ours | others


def test_every_route_is_told_and_no_other() -> None:
    """Each in backticks; what looks like a route is one."""
    told = {text for text in named(DOCUMENTATION) if re.fullmatch(r"/[\w{}./]*", text)}
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
    keys = {key for each in TABLES[table] for key in TypeAdapter(each).json_schema()["properties"]} - {NAMED.get(table)}
    told = {name for name in named(row(table).partition("|")[2].partition("|")[2]) if re.fullmatch(r"[a-z_]+", name)}
    assert told == keys


def test_every_table_is_told() -> None:
    """Each key of the whole has its row."""
    assert {re.split(r"[].]", table.strip("`["))[0] for table in TABLES} - {"schedule"} == set(
        models.Settings.model_fields
    ) - {"contact"}


def test_every_adapter_is_told() -> None:
    """And no other."""
    (told,) = re.findall(r"Adapters: (.*?)\. A source", section("Configuration"), re.DOTALL)
    assert named(told) == set(SOURCES)


def test_the_example_of_a_configuration_is_good(tmp_path: Path) -> None:
    """As it stands there; one that begins with the name of a calendar's file is that file."""
    (tmp_path / "calendars").mkdir()
    for number, text in enumerate(blocks("toml")):
        calendar = re.match(r"# calendars/(\w+)\.toml\n", text)
        file = tmp_path / (f"calendars/{calendar[1]}.toml" if calendar else f"{number}.toml")
        file.write_text(text, encoding="utf-8")
        settings = load(file if calendar is None else tmp_path / "0.toml", {}, {}).settings
        assert set(settings.instruments) >= set(tomllib.loads(text).get("instruments", {}))
        if calendar:
            days = [day for each in tomllib.loads(text)["exceptions"] for day in each.get("dates", [])]
            assert set(days) <= {day for each in settings.calendars[calendar[1]].exceptions for day in each.days}


def test_the_variables_of_the_examples_are_settings() -> None:
    """Spelt so that the start does not stop."""
    found = dict(re.findall(r"`(TICKER_\w+)=([^`]+)`", DOCUMENTATION))
    assert len(found) >= 2
    load(None, found, {})


@pytest.mark.parametrize("path", SAMPLES)
async def test_a_sample_is_what_the_service_says(served: Served, path: str) -> None:
    """Digit for digit, in the order of the members; only the count of changes is a run's own."""
    answer = await (await served.client.get(path)).text()
    assert re.sub(r"\d{13}", "", " ".join(SAMPLES[path].split())) == re.sub(r"\d{13}", "", " ".join(answer.split()))


def test_there_is_a_sample_of_each_kind() -> None:
    """A quote, the envelope, a map, a row of history, a conversion, a problem; no block is left out of the test."""
    assert len(SAMPLES) == len(blocks("json", section("Sample answers"))) == 6


def test_the_deployments_read_one_configuration() -> None:
    """In the image, in a cluster and under systemd at the path that the README names in bold, and nowhere else."""
    (told,) = re.findall(r"^\*\*Where the configuration is read: `(.+)`\*\*", DOCUMENTATION, re.MULTILINE)
    folder = told.removesuffix("/ticker.toml")
    for name in ("systemd/ticker.service", "systemd/ticker@.service", "systemd/ticker-export.service"):
        assert set(re.findall(r"--config (\S+)", (ROOT / "config" / name).read_text())) == {told}
    assert f"mountPath: {folder}," in (ROOT / "config/kubernetes/base/deployment.yaml").read_text()
    assert f":{told}:ro" in (ROOT / "config/compose/compose.yaml").read_text()
    assert f"WORKDIR {folder.removesuffix('/config')}\n" in (ROOT / "Dockerfile").read_text()
    assert f"config/ticker.toml {told} " in section("Deployment")


def test_the_lines_of_an_installation_name_what_is_there() -> None:
    """Files of this repository, and what the unit starts; Compose's own file says the same line."""
    lines = section("Deployment")
    for name in re.findall(r"(?<![/\w])(config/[\w./@-]+|requirements\.txt)", lines):
        assert (ROOT / name).exists(), name
    unit = (ROOT / "config/systemd/ticker.service").read_text()
    (program,) = re.findall(r"^ExecStart=(\S+)/bin/ticker ", unit, re.MULTILINE)
    assert f"python3 -m venv {program} " in lines
    compose = (ROOT / "config/compose/compose.yaml").read_text()
    (line,) = re.findall(r"`(GRAFANA_PASSWORD=[^`]+)`", lines)
    assert f"#   {line}\n" in compose
    (image,) = re.findall(r"image: (market-ticker:\S+)", (ROOT / "config/kubernetes/base/deployment.yaml").read_text())
    assert f"docker build --tag {image} . && kubectl apply --kustomize config/kubernetes/base`" in lines


def test_the_runbook_names_the_memory_that_the_deployments_give() -> None:
    """Compose's and Kubernetes' limit, and systemd's."""
    told = (ROOT / "config/prometheus/README.md").read_text(encoding="utf-8")
    config = ROOT / "config"
    given = {
        *re.findall(r"(?ms)^  ticker:$.*?mem_limit: (\d+)m", (config / "compose/compose.yaml").read_text())[:1],
        *re.findall(r"limits: \{ memory: (\d+)Mi \}", (config / "kubernetes/base/deployment.yaml").read_text()),
        *re.findall(r"^MemoryMax=(\d+)M$", (config / "systemd/ticker.service").read_text(), re.MULTILINE),
    }
    assert set(re.findall(r"(\d+) MB", told)) == given


async def test_the_fragment_of_the_example_is_in_the_widget(served: Served) -> None:
    """Byte for byte."""
    example = blocks("html", section("The page"))[0].strip()
    assert example in await (await served.client.get("/widget")).text()


@pytest.mark.programs
@pytest.mark.parametrize("line", CURLS)
async def test_a_curl_of_the_examples_works(served: Served, line: str) -> None:
    """Run by curl itself against a service with that day's numbers."""
    address = str(served.client.make_url("/")).rstrip("/")
    command = shlex.split(line.replace("http://127.0.0.1:8080", address))
    command[0] = needs("curl")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, "--fail", "--silent", "--show-error", stdout=pipe)
    async with asyncio.timeout(PATIENCE):
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
