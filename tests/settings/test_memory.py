"""What has been found good is known to the next start; whatever is not as it was written counts for nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from tests.settings.configurations import CONFIGURATIONS
from ticker.settings.errors import ConfigurationError
from ticker.settings.load import load, recall, shipped
from ticker.settings.memory import Memory, memory_of
from ticker.settings.validation import validated

KEY = "TICKER_SOURCES__EIA__API_KEY"


@pytest.fixture
def flags(tmp_path: Path) -> dict[str, Any]:
    """A store in a folder of its own."""
    return {"store.url": f"sqlite:///{tmp_path}/t.db"}


@pytest.fixture
def known(flags: Mapping[str, Any], tmp_path: Path) -> Path:
    """The file that a start with the shipped configuration and one key has left."""
    _, remember = recall(shipped(), {KEY: "s3cret"}, flags)
    assert remember is not None
    remember()
    return tmp_path / "t.db.settings"


def looked_through(environment: Mapping[str, str], flags: Mapping[str, Any]) -> bool:
    """Whether a start has to validate; what it takes is what `load` gives either way."""
    loaded, remember = recall(shipped(), environment, flags)
    assert loaded.settings == load(shipped(), environment, flags).settings
    return remember is not None


@bounded(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(CONFIGURATIONS)
def test_what_is_recalled_is_what_was_validated(tmp_path: Path, tree: dict[str, Any]) -> None:
    """Field for field and type for type; and no secret has been written."""
    file, settings = tmp_path / "settings", validated(tree)
    memory = Memory(file, tree)
    memory.remember(settings)
    assert b"s3cret" not in file.read_bytes()
    assert memory.recall() == settings
    assert repr(memory.recall()) == repr(settings)


@given(st.text(), st.integers(0, 65535))
def test_every_host_and_port_is_what_the_rules_let_through(host: str, port: int) -> None:
    """They are not remembered: a start that is told another address is the same start."""
    tree = {"server": {"host": host, "port": port}, "instruments": {"A": {"base": "A", "quote": "B", "sources": ["c"]}}}
    server = validated(tree).server
    assert (server.host, server.port) == (host, port)


@pytest.mark.usefixtures("known")
def test_the_next_start_takes_what_the_last_has_found(flags: dict[str, Any]) -> None:
    """Wherever it listens, and with the key that it is given."""
    loaded, remember = recall(shipped(), {KEY: "s3cret"}, {**flags, "server.port": 1, "server.host": "::1"})
    assert remember is None
    again = load(shipped(), {KEY: "s3cret"}, {**flags, "server.port": 1, "server.host": "::1"})
    assert loaded == replace(again, sound=True)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("environment", "more"),
    [
        ({KEY: "another"}, {}),
        ({}, {}),
        ({KEY: "s3cret", "TICKER_SERVER__DRAIN": "1s"}, {}),
        ({KEY: "s3cret"}, {"server.rate_limit": 2}),
        ({KEY: "s3cret"}, {"server.metrics_port": 9100}),
        ({KEY: "s3cret"}, {"store.raw": "91d"}),
    ],
)
def test_other_layers_are_looked_through(
    flags: dict[str, Any], environment: dict[str, str], more: dict[str, Any]
) -> None:
    """Another key, variable or flag is another configuration."""
    assert not looked_through({KEY: "s3cret"}, flags)
    assert looked_through(environment, {**flags, **more})


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("port", [-1, 65536, "8080", 8080.5, True])
def test_a_port_that_the_rules_refuse_is_refused(flags: dict[str, Any], port: object) -> None:
    """What is left out of the memory is looked at all the same."""
    _, remember = recall(shipped(), {KEY: "s3cret"}, flags)
    assert remember is None
    try:
        loaded, remember = recall(shipped(), {KEY: "s3cret"}, {**flags, "server.port": port})
    except ConfigurationError:
        return
    assert remember is not None
    assert loaded.settings.server.port == int(str(port).replace("True", "1"))


def broken(known: Path, how: str) -> None:
    """Make of the file what nobody meant to write."""
    whole = known.read_bytes()
    if how == "torn":
        known.write_bytes(whole[: len(whole) // 2])
    elif how == "changed":
        known.write_bytes(whole.replace(b'"rate_limit": 0', b'"rate_limit": 9'))
    elif how == "empty":
        known.write_bytes(b"")
    elif how == "others may write":
        known.chmod(0o622)
    else:
        known.unlink()
        _another(known, how, whole)


def _another(known: Path, how: str, whole: bytes) -> None:
    if how == "folder":
        known.mkdir()
    elif how == "pipe":
        os.mkfifo(known)
    else:
        (known.parent / "elsewhere").write_bytes(whole)
        known.symlink_to(known.parent / "elsewhere")


@pytest.mark.parametrize("how", ["torn", "changed", "empty", "others may write", "folder", "pipe", "link"])
def test_what_is_not_as_it_was_written_counts_for_nothing(flags: dict[str, Any], known: Path, how: str) -> None:
    """The start looks through its configuration, and neither fails nor waits."""
    assert not looked_through({KEY: "s3cret"}, flags)
    broken(known, how)
    assert looked_through({KEY: "s3cret"}, flags)


def test_only_its_owner_reads_the_file(known: Path) -> None:
    """And nothing is left beside it."""
    assert known.stat().st_mode & 0o777 == 0o600
    assert list(known.parent.iterdir()) == [known]


@pytest.mark.parametrize("name", ["none/settings", "a\0b", "a" * 300])
def test_a_folder_that_cannot_be_written_to_is_no_fault(tmp_path: Path, name: str) -> None:
    """Nor is a name that no file has: the next start looks through it all again."""
    memory = Memory(tmp_path / name, {})
    memory.remember(load(shipped(), {}, {}).settings)
    assert memory.recall() is None
    assert not list(tmp_path.iterdir())


def test_an_address_with_a_password_is_not_kept(tmp_path: Path) -> None:
    """Where a key stands in an address, as some upstreams want it, nothing at all is written."""
    flags = {"store.url": f"sqlite:///{tmp_path}/t.db", "sources.eia.base_url": "https://host/a?token=s3cret"}
    _, remember = recall(shipped(), {}, flags)
    assert remember is not None
    remember()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "cache", "place"),
    [
        ("sqlite:///var/a.db", "", "var/a.db.settings"),
        ("sqlite:////var/a.db", "/c", "/var/a.db.settings"),
        ("redis://host", "/var/cache/ticker:/other", "/var/cache/ticker/ticker.settings"),
        ("redis://host", "", None),
        ("memory://", "/c", None),
        (1, "", None),
    ],
)
def test_it_lies_beside_the_store(url: object, cache: str, place: str | None) -> None:
    """Of a store elsewhere, in the folder that systemd gives a service for such things."""
    memory = memory_of({"store": {"url": url}}, {"CACHE_DIRECTORY": cache})
    assert (memory.path if memory else None) == (Path(place) if place else None)


@pytest.mark.usefixtures("known")
def test_a_start_over_what_is_known_does_without_pydantic(flags: dict[str, Any]) -> None:
    """It is a quarter of the start, and ten megabytes for as long as the service runs."""
    code = f"""
import sys
from ticker.settings import recall
from ticker.settings.load import shipped
loaded, remember = recall(shipped(), {{{KEY!r}: "s3cret"}}, {flags!r})
assert remember is None
print(*sys.modules)
"""
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert not {"pydantic", "pydantic_core", "difflib"} & set(done.stdout.split())
