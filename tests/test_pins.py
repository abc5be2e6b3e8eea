"""What is pinned, and that no file says where it is from."""

import re
import tomllib
from functools import cache
from importlib.metadata import distributions
from typing import Any

from tests.support.project_files import ROOT, files

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+?))?(?: \\)?")
MEND = "run .ci/pin"
# Put together here, because this file is searched too.
HOSTS = tuple(
    ".".join(parts).encode()
    for parts in (
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "com"),
        ("npmjs", "org"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("ftp", "debian", "org"),
        ("security", "debian", "org"),
    )
)
LOCKS = {"uv.lock", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock"}


@cache
def project() -> dict[str, Any]:
    """All of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def constraints(key: str = "constraint-dependencies") -> list[str]:
    """The pins of what `uv run` installs, or under another `key` of what builds the wheel."""
    return list(project()["tool"]["uv"][key])


def requirements() -> dict[str, list[str]]:
    """The pins of what the image installs, each with the lines below it, which are its hashes."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if pin := PIN.fullmatch(line):
            found[f"{pin['name']}=={pin['version']}"] = []
        elif not line.startswith("#"):
            found[list(found)[-1]].append(line.strip().removesuffix(" \\"))
    return found


def names(requirements: list[str]) -> set[str]:
    """The packages that `requirements` are about, each by the one spelling of its name that pins have."""
    return {re.split(r"[^A-Za-z0-9_.-]", text)[0].lower().replace("_", "-") for text in requirements}


def version_in(name: str) -> str:
    """The version of uv that a file asks for."""
    (found,) = re.findall(r"^(?:ARG UV|version)=(\S+)", (ROOT / name).read_text(), re.MULTILINE)
    return str(found)


def test_every_constraint_is_one_exact_version() -> None:
    """A constraint is a name, `==` and a version, with a marker only where a package has two of them."""
    for key in ("constraint-dependencies", "build-constraint-dependencies"):
        pins = constraints(key)
        assert len(pins) == len(set(pins)), MEND
        assert [pin for pin in pins if not PIN.fullmatch(pin)] == [], MEND


def test_both_lists_of_pins_agree() -> None:
    """The image runs the versions that the tests ran with."""
    allowed = {pin.partition(" ;")[0] for pin in constraints()}
    assert set(requirements()) <= allowed, MEND


def test_what_the_service_needs_is_pinned_in_both_lists() -> None:
    """No runtime requirement is left to the day of the installation."""
    needed = names(project()["project"]["dependencies"])
    assert needed <= names(list(requirements())), MEND
    assert needed <= names(constraints()), MEND


def test_what_the_developers_and_the_build_need_is_pinned() -> None:
    """No tool changes its mind between two runs of CI."""
    own = {"market-ticker"}  # with its extras
    assert names(project()["dependency-groups"]["dev"]) - own <= names(constraints()), MEND
    extras = project()["project"]["optional-dependencies"].values()
    assert names([each for extra in extras for each in extra]) <= names(constraints()), MEND
    assert names(project()["build-system"]["requires"]) <= names(constraints("build-constraint-dependencies")), MEND


def test_every_requirement_of_the_image_carries_hashes() -> None:
    """A file that was exchanged under the same version is not installed."""
    for pin, hashes in requirements().items():
        assert hashes, pin
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes), pin


def test_the_tests_run_with_what_is_pinned() -> None:
    """The environment that this runs in holds no other version of a pinned package."""
    pinned = {pin.partition(" ;")[0] for pin in constraints()}
    here = {f"{item.name.lower().replace('_', '-')}=={item.version}" for item in distributions()}
    pinned_names = names(list(pinned))
    assert {pin for pin in here - pinned if pin.partition("==")[0] in pinned_names} == set()


def test_the_image_and_the_newcomer_get_the_same_uv() -> None:
    """The Dockerfile and .ci/uv install one version of uv."""
    assert version_in("Dockerfile") == version_in(".ci/uv")


def test_no_file_names_the_host_of_a_package_registry() -> None:
    """Where packages come from is each machine's own setting."""
    found = [(str(path), host) for path in files() for host in HOSTS if host in (ROOT / path).read_bytes().lower()]
    assert found == []


def test_no_lock_that_records_hosts_is_kept() -> None:
    """Locks of uv and npm say where each package was fetched from, and stay outside of git."""
    assert [path for path in files() if path.name in LOCKS] == []
