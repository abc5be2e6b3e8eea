"""How the house is kept: the tools find nothing, the top level is short, the wheel is whole."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import ticker
from tests.support.programs import missing
from tests.support.project_files import ROOT, files

COMMANDS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy",),
    ("hadolint", "Dockerfile"),
    ("bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", "ticker", ".ci/pin"),
    ("shellcheck", ".ci/run", ".ci/uv"),
)
TOP = {
    "CHANGELOG.md",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "config",
    "pyproject.toml",
    "requirements.txt",
    "tests",
    "ticker",
}


def run(command: str, *arguments: str, **environment: str) -> None:
    """A tool of this environment, on the whole project; what it says is the failure."""
    path = shutil.which(command, path=str(Path(sys.executable).parent))
    if not path:
        missing(f"no {command} in this environment: not run by `sh .ci/uv run pytest`, or not made for this platform")
    done = subprocess.run(
        (path, *arguments),
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_tool_finds_nothing(command: tuple[str, ...]) -> None:
    """Linters, formatter and type checker are content with every file."""
    run(*command)


def test_nothing_else_stands_at_the_top() -> None:
    """A newcomer sees the project's folders and files at one glance."""
    assert {path.parts[0] for path in files() if not path.parts[0].startswith(".")} <= TOP


def test_the_wheel_holds_the_package_and_the_shipped_configuration(tmp_path: Path) -> None:
    """What is installed is the whole of ticker/, and config/ as ticker/_config/, and no more."""
    run("hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = {path.as_posix() for path in files() if path.parts[0] == "ticker"}
    shipped = {f"ticker/_{path.as_posix()}" for path in files() if path.parts[0] == "config"}
    assert held == package | shipped


def test_the_image_starts_with_a_valid_configuration() -> None:
    """The settings that the Dockerfile makes are ones that this `ticker` takes."""
    settings = dict(re.findall(r"(TICKER_\w+)=(\S+)", (ROOT / "Dockerfile").read_text()))
    assert settings
    run("ticker", "check", **settings)


def test_the_package_and_the_project_name_one_version() -> None:
    """`ticker.__version__` is the version of the wheel."""
    assert ticker.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
