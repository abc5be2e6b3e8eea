"""What the frameworks' tests share: packages from npm, a bundler, and a page of another site."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import browser, opened
from tests.support.programs import needs
from tests.support.project_files import ROOT

__all__ = ["browser", "opened"]

# To the version, so that a test says something of a framework and not of the day it ran on.
PACKAGES = (
    "react@19.3.1",
    "react-dom@19.3.1",
    "vue@3.5.45",
    "esbuild@0.28.2",
    "htmx2@npm:htmx.org@2",
    "htmx4@npm:htmx.org@4",
)
ELEMENT = ROOT / "config" / "npm"


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the frameworks, and with the element's own package as `npm pack` makes it."""
    at: Path = tmp_path_factory.mktemp("npm")
    npm = needs("npm")
    own = at / "element"
    shutil.copytree(ELEMENT, own)
    shutil.copy(ROOT / "ticker" / "web" / "static" / "widget.js", own / "widget.js")
    pack = (npm, "pack", "--silent", "--ignore-scripts")
    tarball = subprocess.run(pack, cwd=own, capture_output=True, text=True, check=True).stdout.strip()
    (at / "package.json").write_text(json.dumps({"private": True}))
    command = (npm, "install", "--silent", "--no-audit", "--no-fund", *PACKAGES, str(own / tarball))
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr[-500:]
    return at


def bundled(packages: Path, code: str) -> str:
    """`code` with all that it imports, as one classic script."""
    entry = packages / "entry.jsx"
    entry.write_text(code)
    command = (packages / "node_modules" / ".bin" / "esbuild", entry, "--bundle", "--format=iife", "--jsx=automatic")
    flags = ('--define:process.env.NODE_ENV="production"', "--define:__VUE_PROD_DEVTOOLS__=false")
    done = subprocess.run((*command, *flags), cwd=packages, capture_output=True, text=True, check=True)
    return done.stdout
