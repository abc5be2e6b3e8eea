from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.project_files import ROOT
from ticker.storage import of_url
from ticker.storage.base import Message, Store, holder_is_gone, holder_name, next_version

# Long enough never to run out within a test, and short enough to be waited for.
LONG, SHORT = 60.0, 0.3


def edition(version: int, fence: int = 0, part: str = "quotes") -> Message:
    """A text that tells its own version."""
    return Message(part, version, fence, f"{part} {version}")


def taken(store: Store, holder: str, ttl: float = LONG) -> int:
    """Claim until the lease is `holder`'s; its fence."""
    latest = time.monotonic() + PATIENCE
    while (lease := store.claim("name", holder, ttl)).holder != holder:
        assert time.monotonic() < latest
        time.sleep(0.02)
    return lease.fence


def test_one_of_two_has_the_lease_and_keeps_it(pair: tuple[Store, Store]) -> None:
    """Who came first renews it under the same fence; the other is told who has it."""
    first = pair[0].claim("name", "a", LONG)
    assert first.holder == "a"
    assert pair[1].claim("name", "b", LONG).holder == "a"
    assert pair[0].claim("name", "a", LONG).fence == first.fence == pair[1].claim("name", "b", LONG).fence


def test_many_who_come_at_once_find_one_holder(pair: tuple[Store, Store]) -> None:
    """Whoever had to wait for its turn does not take the lease from the one before."""
    told: list[str] = []

    def claim(number: int) -> None:
        told.extend(pair[number % 2].claim("name", str(number), LONG).holder for _ in range(20))

    threads = [threading.Thread(target=claim, args=[number]) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(told) == 120
    assert len(set(told)) == 1


def test_names_do_not_share_a_lease(pair: tuple[Store, Store]) -> None:
    """A service over a stand-in upstream takes nothing from the one over the real ones."""
    assert pair[0].claim("name", "a", LONG).holder == "a"
    assert pair[1].claim("name over a stand-in", "b", LONG).holder == "b"


def test_a_lease_that_is_not_renewed_runs_out_and_its_fence_is_old(pair: tuple[Store, Store]) -> None:
    """The next holder has a higher fence, and the former one gets its own back only as a newcomer."""
    first = taken(pair[0], "a", SHORT)
    second = taken(pair[1], "b", SHORT)
    assert second > first
    assert taken(pair[0], "a", SHORT) > second


def test_a_lease_let_go_is_free_at_once(pair: tuple[Store, Store]) -> None:
    """Only its holder can let go of it."""
    first = taken(pair[0], "a")
    pair[1].release("name", "b")
    assert pair[1].claim("name", "b", LONG).holder == "a"
    pair[0].release("name", "a")
    lease = pair[1].claim("name", "b", LONG)
    assert lease.holder == "b"
    assert lease.fence > first


def test_the_living_are_counted(pair: tuple[Store, Store]) -> None:
    """Whoever claims is alive for three times its ttl, or until it says good-bye."""
    pair[0].claim("name", "a", LONG)
    assert pair[1].claim("name", "b", LONG).replicas == 2
    assert pair[0].claim("name", "c", LONG).replicas == 3
    pair[1].release("name", "b")
    assert pair[0].claim("name", "a", LONG).replicas == 2
    pair[0].claim("other", "d", SHORT)
    latest = time.monotonic() + PATIENCE
    while pair[0].claim("other", "a", SHORT).replicas > 1:
        assert time.monotonic() < latest
        time.sleep(0.05)


def test_a_newer_edition_replaces_an_older_one_and_never_the_other_way(pair: tuple[Store, Store]) -> None:
    """The highest version is what every replica is told, whoever wrote last."""
    fence = taken(pair[0], "a")
    assert pair[0].publish("name", edition(7, fence))
    for old in (6, 7):
        assert not pair[1].publish("name", edition(old, fence))
    assert pair[1].newer("name", {"quotes": 6}, 0) == [edition(7, fence)]
    assert pair[1].newer("name", {"quotes": 7}, 0) == []
    assert pair[1].newer("other", {"quotes": 0}, 0) == []


def test_a_holder_of_before_overwrites_nobody(pair: tuple[Store, Store]) -> None:
    """A leader that slept through the end of its lease is refused, its version ever so new."""
    old = taken(pair[0], "a", SHORT)
    new = taken(pair[1], "b", LONG)
    assert not pair[0].publish("name", edition(9, old))
    assert pair[1].publish("name", edition(5, new))
    assert not pair[0].publish("name", edition(9, old))
    assert pair[0].newer("name", {"quotes": 0}, 0) == [edition(5, new)]


def test_what_nobody_leads_may_be_told(pair: tuple[Store, Store]) -> None:
    """Where the store has lost the lease, what a replica still knows is taken."""
    assert pair[0].publish("name", edition(5, 1))
    assert pair[1].newer("name", {"quotes": -1}, 0) == [edition(5, 1)]


def test_parts_are_told_apart(pair: tuple[Store, Store]) -> None:
    """Each part has a version of its own, and one that is not asked for is not told."""
    assert pair[0].publish("name", edition(5))
    assert pair[0].publish("name", edition(3, part="sources"))
    assert pair[1].newer("name", {"quotes": 5, "sources": 0}, 0) == [edition(3, part="sources")]
    assert {each.part for each in pair[1].newer("name", {"quotes": 0, "sources": 0}, 0)} == {"quotes", "sources"}
    assert pair[1].newer("name", {"quotes": 5}, 0) == []


def test_who_waits_is_told_as_it_happens(pair: tuple[Store, Store]) -> None:
    """What is published while another waits ends its waiting; where nothing comes, waiting ends by itself."""
    told: list[Message] = []

    def wait() -> None:
        told.extend(pair[1].newer("name", {"quotes": 0}, PATIENCE))

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert pair[0].publish("name", edition(1))
    waiting.join(PATIENCE)
    assert told == [edition(1)]
    assert pair[1].newer("name", {"quotes": 1}, 0.05) == []


def test_what_is_told_between_two_waits_is_not_missed(pair: tuple[Store, Store]) -> None:
    """A replica waits in short turns; the kept edition is the truth."""
    assert pair[1].newer("name", {"quotes": 0}, 0.01) == []
    for version in range(1, 4):
        pair[0].publish("name", edition(version))
    assert pair[1].newer("name", {"quotes": 0}, PATIENCE) == [edition(3)]


def test_a_fence_grows_though_the_store_has_forgotten_the_last_one() -> None:
    """A store that was emptied hands out none that a sleeper may still have."""
    assert next_version(0, 1_700_000_000.5) == 1_700_000_000_500
    assert next_version(1_900_000_000_000, 1_700_000_000.5) == 1_900_000_000_001


def test_what_is_shared_outlives_a_deleted_file(tmp_path: Path) -> None:
    """Replicas over a file that was deleted under them meet again in the new one."""
    first, second = (of_url(f"sqlite:///{tmp_path}/ticker.db") for _ in range(2))
    taken(first, "a")
    for file in tmp_path.iterdir():
        file.unlink()
    fence = taken(first, "a")
    assert second.claim("name", "b", LONG).holder == "a"
    assert first.publish("name", edition(1, fence))
    assert second.newer("name", {"quotes": 0}, 0) == [edition(1, fence)]
    first.close()
    second.close()


def test_the_lease_of_a_process_that_died_on_this_machine_is_free_at_once(tmp_path: Path) -> None:
    """Nobody waits for a time to run out that cannot be used any more."""
    code = "from ticker.storage.base import holder_name; print(holder_name())"
    dead = subprocess.run((sys.executable, "-c", code), cwd=ROOT, capture_output=True, text=True, check=True)
    store = of_url(f"sqlite:///{tmp_path}/ticker.db")
    assert store.claim("name", dead.stdout.strip(), LONG).holder == dead.stdout.strip()
    assert store.claim("name", holder_name(), LONG).holder != dead.stdout.strip()
    store.close()


def test_who_runs_is_not_gone_and_who_ran_elsewhere_may_be_running() -> None:
    """Only of its own machine a replica can tell."""
    own = holder_name()
    place, number, began, chance = own.rsplit("/", 3)
    assert not holder_is_gone(own)
    assert holder_is_gone(f"{place}/{number}/{int(began) + 1}/{chance}")
    assert not holder_is_gone(f"elsewhere/{number}/{int(began) + 1}/{chance}")
    assert not holder_is_gone("a")
    assert holder_name() != own
