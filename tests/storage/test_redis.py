"""What only Redis does: fail in its own ways, be run in its own ways. A real server each time."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.storage.rows import DAY, FRIDAY, fixing
from tests.support.patience import PATIENCE
from tests.support.project_files import ROOT
from tests.support.redis_servers import Server, behind_tls, cluster, redis_server, until, watched
from ticker.storage import of_url
from ticker.storage.base import Message, Query, Store, StoreError

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

README = (ROOT / "config" / "README.md").read_text(encoding="utf-8")


def lines(store: Store) -> list[str]:
    """The prices of the dollar, oldest first."""
    span = Query("USD", ("cbr",), FRIDAY - 9 * DAY, FRIDAY + 9 * DAY, 100, None, DAY)
    return [point.price for point in store.series(span)]


def used(store: Store) -> None:
    """Everything a replica does, done once."""
    store.open()
    assert store.write([fixing(), fixing(FRIDAY + DAY, "101")], {"name": "text"}) == 2
    assert store.saved("name") == "text"
    assert lines(store) == ["100.6798", "101"]
    assert store.since(None) == FRIDAY
    assert set(store.standing([("USD", "cbr")], FRIDAY)) == {("USD", "cbr")}
    fence = store.claim("name", "a", 5).fence
    assert store.newer("name", {"quotes": 0}, 0.01) == []
    assert store.publish("name", Message("quotes", 1, fence, "one"))
    assert [each.text for each in store.newer("name", {"quotes": 0}, 5)] == ["one"]
    store.release("name", "a")


def test_behind_tls(tmp_path: Path) -> None:
    """With the authority that signed it named, the server is trusted; without, it is not, and the mend says so."""
    with behind_tls(tmp_path) as server:
        with closing(of_url(f"{server.url}?ca={tmp_path}/ca.pem")) as store:
            used(store)
        with closing(of_url(server.url)) as stranger, pytest.raises(StoreError, match="CERTIFICATE") as refused:
            stranger.open()
        assert "?ca=" in refused.value.mend
        with closing(of_url(server.url.replace("rediss", "redis"))) as plain, pytest.raises(StoreError):
            plain.open()


def test_a_user_with_the_rights_that_the_readme_names(redis: Server) -> None:
    """No more is needed; and no error tells the password."""
    rights = next(line for line in README.splitlines() if line.startswith("ACL SETUSER ticker")).split()[3:]
    assert redis.tell("ACL", "SETUSER", "ticker", *(">s3cret/@" if word == ">PASSWORD" else word for word in rights))
    place = redis.url.partition("://")[2]
    with closing(of_url(f"redis://ticker:s3cret/@@{place}")) as store:
        used(store)
    with closing(of_url(f"redis://ticker:wr0ng@{place}")) as wrong, pytest.raises(StoreError) as refused:
        wrong.open()
    assert "redis://user:password@host" in refused.value.mend
    assert "wr0ng" not in f"{refused.value.detail} {refused.value.mend}"
    with (
        closing(of_url(f"redis://ticker:s3cret/@@{place}?prefix=other")) as other,
        pytest.raises(StoreError) as stopped,
    ):
        other.open()
    assert "README" in stopped.value.mend


def test_sentinels_name_the_primary_and_its_successor(tmp_path: Path) -> None:
    """When the primary has died, the next one is written to, and whoever keeps the store is told to tell all again."""
    with watched(tmp_path) as (url, primary, replica), closing(of_url(url)) as store:
        used(store)
        until(lambda: "saved" in replica.tell("KEYS", "*saved"))
        primary.kill()
        until(lambda: is_new(store))
        assert lines(store) == ["100.6798", "101"]
        assert store.write([fixing(FRIDAY + 2 * DAY, "102")], {}) == 1
        assert store.claim("name", "b", 5).holder == "b"


def is_new(store: Store) -> bool:
    """Whether it can be opened and says that it may have lost something."""
    try:
        return store.open()
    except StoreError:
        return False


def test_all_of_one_service_stands_in_one_place_of_a_cluster() -> None:
    """Three nodes; a write is all or nothing there too. Without them, the error says what to start."""
    with cluster() as (url, nodes), closing(of_url(url)) as store:
        used(store)
        assert sorted(node.tell("DBSIZE") == ":0\r\n" for node in nodes) == [False, True, True]
        for node in nodes:
            node.kill()
        with pytest.raises(StoreError) as gone:
            store.saved("name")
        assert gone.value.mend.startswith("start")


def test_what_is_full_takes_no_row_and_leads_on(redis: Server) -> None:
    """At maxmemory a write is refused whole; reading, the lease and the feed go on; then all is as before."""
    with redis_server() as server, closing(of_url(server.url)) as store:
        used(store)
        server.tell("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreError, match="maxmemory") as full:
            store.write([fixing(FRIDAY + 2 * DAY, "102")], {"name": "other"})
        assert "maxmemory" in full.value.mend
        assert (lines(store), store.saved("name")) == (["100.6798", "101"], "text")
        fence = store.claim("name", "b", 5).fence
        assert store.publish("name", Message("quotes", 2, fence, "two"))
        server.tell("CONFIG", "SET", "maxmemory", "0")
        assert store.write([fixing(FRIDAY + 2 * DAY, "102")], {"name": "other"}) == 1
    assert redis.tell("PING") == "+PONG\r\n"


def test_a_replica_is_read_and_not_written(redis: Server) -> None:
    """What is there is told; the mend names the primary."""
    with redis_server("--replicaof", "127.0.0.1", str(redis.port)) as server:
        url = redis.fresh()
        with closing(of_url(url)) as first, closing(of_url(url.replace(redis.url, server.url))) as second:
            used(first)
            until(lambda: second.saved("name") == "text")
            assert lines(second) == ["100.6798", "101"]
            for act in (lambda: second.write([fixing(price="1")], {}), lambda: second.claim("name", "b", 5)):
                with pytest.raises(StoreError) as refused:
                    act()
                assert "primary" in refused.value.mend


def test_a_server_that_hangs_holds_nobody_up() -> None:
    """Who asks waits for the time-out of the address; who asks next is told without one; then it is as before."""
    with redis_server() as server, closing(of_url(f"{server.url}?timeout=200ms")) as store:
        used(store)
        server.pause()
        began = time.monotonic()
        with pytest.raises(StoreError, match="no answer in time") as hung:
            store.saved("name")
        assert hung.value.mend
        with pytest.raises(StoreError, match="no answer in time"):
            store.newer("name", {"quotes": 0}, 60)
        assert time.monotonic() - began < PATIENCE
        server.go_on()
        until(lambda: not fails(store))


def fails(store: Store) -> bool:
    """Whether it cannot be read."""
    try:
        return store.saved("name") != "text"
    except StoreError:
        return True


def test_each_replica_learns_that_a_server_came_back_empty() -> None:
    """Once: whoever opens first, every one of them has something to tell again."""
    with redis_server() as server, closing(of_url(server.url)) as first, closing(of_url(server.url)) as second:
        assert [first.open(), second.open(), first.open()] == [True, False, False]
        before = first.claim("name", "a", 60).fence
        server.restart()
        assert [first.open(), second.open(), first.open(), second.open()] == [True, True, False, False]
        assert first.claim("name", "a", 60).fence > before


def test_who_has_not_been_heard_of_is_told(redis: Server) -> None:
    """After the length of a lease, while it still counts; who said good-bye, or is known to be dead, is not missed."""
    code = "from ticker.storage.base import holder_name; print(holder_name())"
    dead = subprocess.run((sys.executable, "-c", code), cwd=ROOT, capture_output=True, text=True, check=True)
    with closing(of_url(redis.fresh())) as store:
        for holder in ("a", "b", "c", dead.stdout.strip()):
            assert store.claim("name", holder, 0.4).silent == 0
        store.release("name", "c")
        until(lambda: store.claim("name", "a", 0.4).silent == 1)
        assert store.claim("name", "a", 0.4).replicas == 3
        until(lambda: store.claim("name", "a", 0.4).replicas == 1)
        assert store.claim("name", "a", 0.4).silent == 0


def test_what_another_program_wrote_there_is_told_and_nothing_half_written(redis: Server) -> None:
    """A key of another kind takes the whole batch back; what is no row or edition of ours is left out, not a number."""
    url = redis.fresh()
    prefix = url.rpartition("=")[2]
    with closing(of_url(url)) as store:
        redis.tell("SET", f"{{{prefix}}}:saved", "theirs")
        with pytest.raises(StoreError, match="WRONGTYPE"):
            store.write([fixing()], {"name": "text"})
        assert lines(store) == []
        redis.tell("ZADD", f"{{{prefix}}}:history:USD:cbr", str(FRIDAY.timestamp() * 1e6), "junk")
        assert lines(store) == []
        redis.tell("DEL", f"{{{prefix}}}:saved")
        store.write([fixing()], {})
        assert lines(store) != []
        redis.tell("HSET", f"{{{prefix}}}:editions:name", "quotes", "junk")
        assert store.newer("name", {"quotes": 0}, 0) == []
        redis.tell("HSET", f"{{{prefix}}}:editions:name", "quotes", "7|1|\udcff".encode("utf-8", "surrogateescape"))
        with pytest.raises(StoreError, match="decode"):
            store.newer("name", {"quotes": 0}, 0)


def test_a_newer_schema_is_refused(redis: Server) -> None:
    """An older ticker does not write into what a newer one has made."""
    url = redis.fresh()
    with closing(of_url(url)) as store:
        store.open()
        redis.tell("HSET", f"{{{url.rpartition('=')[2]}}}:store", "schema", "2")
        with pytest.raises(StoreError, match="newer version") as refused:
            store.open()
        assert "prefix" in refused.value.mend


def test_a_row_that_is_not_whole_reaches_no_server(redis: Server) -> None:
    """Nothing of its batch is kept."""
    with closing(of_url(redis.fresh())) as store:
        with pytest.raises(StoreError, match="publisher"):
            store.write([fixing(), replace(fixing(), publisher=None)], {})  # type: ignore[arg-type]  # what mypy refuses is refused at run time too
        assert lines(store) == []
