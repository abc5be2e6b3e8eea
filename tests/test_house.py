"""How the house is kept: the tools find nothing, the top level is short, the wheel is whole."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import ticker
from tests.tree import ROOT, files

COMMANDS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy",),
    ("hadolint", "Dockerfile"),
    ("shellcheck", ".ci/run", ".ci/uv"),
)
TOP = {
    "CHANGELOG.md",
    "Dockerfile",
    "LICENSE",
    "README.md",
    "config",
    "pyproject.toml",
    "requirements.txt",
    "tests",
    "ticker",
}


def run(command: str, *arguments: str) -> None:
    """A tool of this environment, on the whole project; what it says is the failure."""
    path = shutil.which(command, path=str(Path(sys.executable).parent))
    assert path, f"no {command} in this environment; run the tests with: sh .ci/uv run pytest"
    done = subprocess.run(
        (path, *arguments), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


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


def test_the_package_and_the_project_name_one_version() -> None:
    """`ticker.__version__` is the version of the wheel."""
    assert ticker.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
