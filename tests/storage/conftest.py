"""Stores of each kind. Another kind is a line in `KINDS`; every test of `Store` and `Shared` then runs over it too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support.redis_servers import Server
from ticker.storage import of_url
from ticker.storage.base import Store

Pair = tuple["Store", "Store"]


@contextmanager
def memory(_folder: Path, _request: pytest.FixtureRequest) -> Iterator[Pair]:
    """One process has one memory: both replicas are handed the same store."""
    store = of_url("memory://")
    yield store, store
    store.close()


@contextmanager
def sqlite(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two stores over one file, as two processes have them."""
    first, second = (of_url(f"sqlite:///{folder}/var/ticker.db") for _ in range(2))
    yield first, second
    first.close()
    second.close()


@contextmanager
def redis_keys(_folder: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two stores over keys of their own in one server, as two machines have them."""
    server: Server = request.getfixturevalue("redis")
    url = server.fresh()
    first, second = of_url(url), of_url(url)
    yield first, second
    first.close()
    second.close()


# What gives two replicas' stores over one empty place, not opened yet.
KINDS: dict[str, Callable[[Path, pytest.FixtureRequest], AbstractContextManager[Pair]]] = {
    "memory": memory,
    "sqlite": sqlite,
    "redis": redis_keys,
}


@pytest.fixture(params=["memory", "sqlite", pytest.param("redis", marks=pytest.mark.programs)])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """Two replicas' stores over one new place."""
    with KINDS[request.param](tmp_path, request) as stores:
        assert stores[0].open()
        stores[1].open()
        yield stores


@pytest.fixture
def store(pair: Pair) -> Store:
    """A new store of each kind."""
    return pair[0]
