"""Faults of the Redis that replicas share."""

from __future__ import annotations

from tests.support.defences import Fault, Mutation

_FAULTS = "tests/faults/test_redis.py"

REDIS: tuple[Fault, ...] = (
    Fault(
        "Redis hangs",
        "SIGSTOP",
        "every replica polls for itself within its share of the budget; history 503 in bounded time, then whole",
        f"{_FAULTS}::test_a_redis_that_hangs_delays_no_number",
        Mutation("ticker.replicas.lease:Replica._missed", "self._become(Role.STANDALONE, error.detail)", "pass"),
    ),
    Fault(
        "Redis hangs at the start",
        "SIGSTOP, and a time-out of ten seconds in its address",
        "the port opens within a second; not ready, `Retry-After`, `—`; the last numbers as soon as it answers",
        f"{_FAULTS}::test_a_store_that_hangs_at_the_start_holds_nobody_up",
        Mutation("ticker.storage.writer:StoreWriter.restore", "asked.result(_START_SECONDS)", "asked.result()"),
    ),
    Fault(
        "Redis spoilt",
        "junk, the last number there is or 10⁵ brackets in lease, editions and history",
        "nothing; what is no row of ours is replaced or left out",
        f"{_FAULTS}::test_what_another_program_writes_there_stops_nobody[lease-fence-x]",
        Mutation(
            "ticker/storage/redis/lua/claim.lua",
            "whole(held[2])",
            "tonumber(held[2])",
        ),
    ),
    Fault(
        "Redis restarted empty",
        "killed, nothing on its disk",
        "nothing; what the replicas hold is in it again within seconds",
        f"{_FAULTS}::test_a_redis_that_came_back_empty_is_told_all_again",
        Mutation(
            "ticker.storage.writer:WriteQueue.again",
            "self._rows.extendleft(row for row in reversed(self._recent) if row not in waiting)",
            "pass",
        ),
    ),
    Fault(
        "Redis full",
        "`maxmemory` under `noeviction`",
        "every replica the newest numbers; history is written when there is room",
        f"{_FAULTS}::test_a_full_redis_keeps_the_replicas_together",
        Mutation("ticker/storage/redis/lua/publish.lua", "#!lua flags=allow-oom\n", ""),
    ),
    Fault(
        "partition",
        "a link to Redis that drops all and delivers it late",
        "both sides go on; healed, all show the newest, no lower version than before; history has both",
        f"{_FAULTS}::test_a_leader_that_is_cut_off_takes_nothing_back",
        Mutation(
            "ticker.replicas.coordinator:ReplicaCoordinator._show",
            "self._poller.forget()",
            "self._poller.publish(now)",
        ),
    ),
    Fault(
        "Redis' primary dies",
        "kill, a Sentinel, a replica",
        "nothing; the next primary is written to and told again what the last may not have passed on",
        "tests/storage/test_redis.py::test_sentinels_name_the_primary_and_its_successor",
        Mutation("ticker.storage.redis.store:Redis.open", "before not in (None, self._known)", "False"),
    ),
    Fault(
        "Redis that never ends a reply",
        "a byte every 20 ms, silence, a line without an end",
        "given up after twice the time-out of the address; the service starts and serves",
        "tests/storage/test_redis_replies.py::test_a_reply_is_bounded_in_time_and_size[drip]",
        Mutation("ticker.storage.redis.connection:_REPLY_TIMEOUTS", "2", "50"),
    ),
    Fault(
        "Redis whose reply is too large",
        "five gigabytes as fast as they are taken, lists in lists",
        "given up at 16 MB",
        "tests/storage/test_redis_replies.py::test_a_reply_is_bounded_in_time_and_size[huge]",
        Mutation(
            "ticker.storage.redis.connection:BoundedSocket.recv", "self._latest is not None and self._room < 0", "False"
        ),
    ),
)
