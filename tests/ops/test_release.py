"""What a release gives out: wheel, archive and the page of an index; installed without the repository, it works."""

import asyncio
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from types import MappingProxyType

import aiohttp
import pytest
import yaml

import ticker
from tests.support.patience import PATIENCE
from tests.support.project_files import ROOT
from tests.support.upstream import Upstream
from tests.test_pins import requirements

# It installs into a fresh environment, from the registry or uv's cache.
pytestmark = pytest.mark.programs

REPOSITORY = "https://git.invalid/somebody/market-ticker"
MOST_MEGABYTES = 130
# Another Python than the tests' own: the release workflow gives each of those that are supported.
PYTHON = os.environ.get("RELEASE_PYTHON", sys.executable)


@dataclass(frozen=True, slots=True)
class Built:
    """What one build made."""

    wheel: Path
    archive: Path

    @property
    def metadata(self) -> bytes:
        """The wheel's METADATA."""
        with zipfile.ZipFile(self.wheel) as archive:
            (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
            return archive.read(name)


def run(*command: str | Path, cwd: Path = ROOT, variables: Mapping[str, str] = MappingProxyType({})) -> str:
    """A tool that must succeed; what it says."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> Path:
    """A program of the tests' environment."""
    return Path(sys.executable).parent / name


def build(folder: Path, repository: str) -> Built:
    """Wheel and archive of this tree."""
    run(
        tool("hatchling"),
        "build",
        "-t",
        "wheel",
        "-t",
        "sdist",
        "-d",
        folder,
        variables={"RELEASE_REPOSITORY": repository},
    )
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Built(wheel, archive)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """What the release workflow builds, in a repository whose address is known."""
    return build(tmp_path_factory.mktemp("dist"), REPOSITORY)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the plain wheel in it, at the pinned versions, and nothing of the repository."""
    folder = tmp_path_factory.mktemp("fresh")
    uv, pins = ("sh", ROOT / ".ci" / "uv"), folder / "pins.txt"
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins.write_text("\n".join(line.removesuffix(" \\") for line in lines if "==" in line))
    run(*uv, "venv", "--python", PYTHON, folder / "venv", cwd=folder)
    into = ("--python", folder / "venv/bin/python")
    run(*uv, "pip", "install", *into, "--constraint", pins, "--link-mode=copy", built.wheel, cwd=folder)
    return folder / "venv"


async def done(program: Path, folder: Path, *arguments: str) -> tuple[int | None, str, str]:
    """Exit code, output and errors of the installed program, in an empty home."""
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        program, *arguments, cwd=folder, env=environment, stdout=pipe, stderr=pipe
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def serving(program: Path, folder: Path, *arguments: str) -> AsyncIterator[str]:
    """The address of a service of the installed program."""
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    process = await asyncio.create_subprocess_exec(
        program, *arguments, cwd=folder, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        found = None
        async with asyncio.timeout(PATIENCE):
            while found is None:
                line = (await process.stderr.readline()).decode()
                assert line, "ended without a word"
                found = re.search(r'"url": "(http://[^"]+)"', line)
        yield found[1]
    finally:
        process.terminate()
        async with asyncio.timeout(PATIENCE):
            await process.communicate()
        assert process.returncode == 0


def test_the_wheel_of_the_archive_is_the_wheel(built: Built, tmp_path: Path) -> None:
    """Whoever builds from the archive gets the same files, to the byte."""
    with tarfile.open(built.archive) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    run(
        tool("hatchling"),
        "build",
        "-t",
        "wheel",
        "-d",
        tmp_path / "again",
        cwd=source,
        variables={"RELEASE_REPOSITORY": REPOSITORY},
    )
    (again,) = (tmp_path / "again").glob("*.whl")
    with zipfile.ZipFile(built.wheel) as one, zipfile.ZipFile(again) as other:
        assert {name: one.read(name) for name in one.namelist()} == {
            name: other.read(name) for name in other.namelist()
        }


def test_an_index_can_show_the_page(built: Built) -> None:
    """Twine renders it, and every link in it is whole and leads to the tag of this version."""
    run(tool("twine"), "check", "--strict", built.wheel, built.archive)
    metadata = message_from_bytes(built.metadata)
    assert metadata["Version"] == ticker.__version__
    targets = re.findall(r"\]\(([^)]+)\)", str(metadata.get_payload()))
    assert len(targets) > 10
    assert [target for target in targets if "://" not in target] == []
    assert f"{REPOSITORY}/blob/v{ticker.__version__}/config/README.md" in targets
    assert f"{REPOSITORY}/raw/v{ticker.__version__}/.github/ticker.png" in targets
    urls = metadata.get_all("Project-URL")
    assert urls is not None
    assert f"Changelog, {REPOSITORY}/blob/v{ticker.__version__}/CHANGELOG.md" in urls


def test_a_build_by_hand_claims_no_address(tmp_path: Path) -> None:
    """Where nobody says which repository it is, there is no link that leads nowhere, and none to a stranger's."""
    metadata = message_from_bytes(build(tmp_path, "").metadata)
    assert metadata.get_all("Project-URL") is None
    assert [target for target in re.findall(r"\]\(([^)]+)\)", str(metadata.get_payload())) if "://" not in target] == []


def test_a_plain_installation_is_small(installed: Path) -> None:
    """Without what only a Redis, a bucket, an agent or more speed needs; what Python itself brings counts too."""
    size = sum(path.lstat().st_size for path in installed.rglob("*") if path.is_file())
    assert size <= MOST_MEGABYTES * 1e6
    held = {path.name for path in (installed / "lib").glob("python*/site-packages/*")}
    assert held & {"redis", "obstore", "mcp", "uvloop", "zstandard"} == set()


async def test_the_installed_program_answers(installed: Path, tmp_path: Path) -> None:
    """Version, check, one question to the sources, with no file of the repository near."""
    program = installed / "bin" / "ticker"
    assert await done(program, tmp_path, "--version") == (0, f"ticker {ticker.__version__}\n", "")
    assert (await done(program, tmp_path, "check"))[0] == 0
    async with Upstream() as upstream:
        upstream.trio()
        at = ("--upstream", upstream.url, "--at", "2024-11-22T12:00:00+03:00")
        code, out, _ = await done(program, tmp_path, "get", "--json", *at)
    prices = {quote["symbol"]: quote["price"] for quote in json.loads(out)["quotes"]}
    assert code == 0
    assert prices["USD"] == 100.6798


@pytest.mark.parametrize("command", ["demo", "serve"])
async def test_the_installed_program_serves(installed: Path, tmp_path: Path, command: str) -> None:
    """The demo has numbers, a service without the internet says that it has none; both end well."""
    without = () if command == "demo" else ("--upstream", "http://127.0.0.1:9", "--store", "memory://")
    async with serving(installed / "bin" / "ticker", tmp_path, command, "--port", "0", *without) as url:
        async with aiohttp.ClientSession(url) as session:
            async with session.get("/v1/quotes", headers={"Accept-Encoding": "zstd, gzip"}) as response:
                assert response.status == 200
                assert response.headers["Content-Encoding"] == "gzip"
                known = [quote["price"] is not None for quote in (await response.json())["quotes"]]
            for path in ("/?lang=ru", "/docs?lang=ru", "/v1/openapi.json", "/feed.atom", "/card.png", "/frame"):
                async with session.get(path) as response:
                    assert response.status == 200, path
    assert all(known) if command == "demo" else not any(known)


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [
        ("redis", ("serve", "--store", "redis://127.0.0.1:9/0")),
        ("objects", ("export", "s3://bucket/ticker")),
        ("mcp", ("mcp",)),
    ],
    ids=["redis", "objects", "mcp"],
)
async def test_what_is_not_installed_is_told_by_its_extra(
    installed: Path, tmp_path: Path, extra: str, arguments: tuple[str, ...]
) -> None:
    """Bad use, and the command that mends it; no traceback."""
    code, _, err = await done(installed / "bin" / "ticker", tmp_path, *arguments)
    assert code == 2
    assert f"pip install 'market-ticker[{extra}]'" in " ".join(re.sub(r"[│\n]", " ", err).split())
    assert "Traceback" not in err


def test_the_sbom_names_what_the_image_installs(tmp_path: Path) -> None:
    """Made by the workflow's own command and read: each package with its version, where it is from, and its hashes."""
    text = (ROOT / ".github" / "workflows" / "release.yaml").read_text()
    (command,) = re.findall(r"sh \.ci/uv export (.*?)--output-file", text.replace("\\\n", " "), re.DOTALL)
    made = tmp_path / "sbom.cdx.json"
    run("sh", ".ci/uv", "export", *command.split(), "--output-file", made)
    sbom = json.loads(made.read_text())
    found = {each["name"]: each for each in sbom["components"]}
    pins = dict(pin.split("==") for pin in requirements())
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) == ("CycloneDX", "market-ticker")
    assert {name: found[name]["version"] for name in pins} == pins
    for each in found.values():
        assert each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"
        assert all(file["hashes"] for file in each["externalReferences"])


def test_the_workflow_releases_what_is_tagged() -> None:
    """It runs for tags alone, refuses one that is not this version, and makes all that a release is made of."""
    text = (ROOT / ".github" / "workflows" / "release.yaml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML reads `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    for wanted in ("ticker.__version__", "twine check", "sbom", "provenance", "linux/amd64,linux/arm64"):
        assert wanted in text
    uses = re.findall(r"uses: (\S+)", text)
    assert [each for each in uses if "@" not in each] == []
