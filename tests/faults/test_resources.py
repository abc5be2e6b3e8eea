"""A process that runs short of descriptors, of memory, of the processor: it says so honestly and recovers by itself."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.faults.faces import look
from tests.nginx.test_ssi import nginx, page, right
from tests.ops.process import Process, answers, running, until
from tests.ops.world import turning, write
from tests.support.patience import PATIENCE
from tests.support.upstream import YAHOO

FEW = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")
MEGABYTE = 1 << 20


async def ready(session: aiohttp.ClientSession, process: Process) -> dict[str, Any]:
    """What /readyz says; it must be 200."""
    async with session.get(f"{process.url}/readyz") as response:
        state: dict[str, Any] = await response.json()
        assert response.status == 200, state
    sources: dict[str, Any] = state["sources"]
    return sources


async def fails(session: aiohttp.ClientSession, process: Process, source: str, times: int) -> bool:
    """Whether `source` has failed so often in a row, while the numbers are all there."""
    return bool((await ready(session, process))[source]["failures_in_a_row"] >= times)


@contextmanager
def limited(process: Process, what: int, most: int) -> Iterator[None]:
    """Inside, the running process may have no more than `most` of `what`."""
    pid = process.child.pid
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (most, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, what, before)


async def test_readers_who_hold_every_connection_shut_nobody_out(tmp_path: Path) -> None:
    """64 descriptors, 100 silent clients: probes and readers are answered, and the sources asked all the while."""
    config = write(tmp_path / "t.toml")
    async with turning() as world, AsyncExitStack() as stack, aiohttp.ClientSession() as session:
        process = await stack.enter_async_context(running(config, world.upstream.url, under=FEW))
        await until(lambda: answers(session, f"{process.url}/readyz"))
        host, port = process.url.removeprefix("http://").split(":")
        # Few descriptors are still some: readers at the same time do not throw one another out.
        readers = [await asyncio.open_connection(host, int(port)) for _ in range(8)]
        for heard, writer in readers:
            stack.callback(writer.close)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await heard.readline()).startswith(b"HTTP/1.1 200")
        for _ in range(100):
            _, writer = await asyncio.open_connection(host, int(port))
            stack.callback(writer.close)
        before = len(world.upstream.hits("/moex"))
        for _ in range(10):
            async with aiohttp.ClientSession() as reader:
                assert (await look(reader, process.url, process.metrics)).ready == 200
        async with asyncio.timeout(PATIENCE):
            await world.upstream.seen("/moex", before + 2)
        assert not [line for line in process.lines if line["level"] in {"error", "critical"}]


async def test_without_a_descriptor_left_the_numbers_stay_and_all_comes_back(tmp_path: Path) -> None:
    """No source can be asked and nobody let in: who is connected reads on, told of `connect`; then all is well."""
    async with turning() as world, running(write(tmp_path / "t.toml"), world.upstream.url) as process:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            await until(lambda: answers(session, f"{process.url}/readyz"))
            world.upstream.fail("/", "close")  # so that every poll needs a connection of its own
            await until(lambda: fails(session, process, "cbr", 1))
            with limited(process, resource.RLIMIT_NOFILE, 3):
                world.upstream.heal("/")
                await until(lambda: fails(session, process, "cbr", 4))
                assert (await ready(session, process))["cbr"]["reason"] == "connect"
                assert await answers(session, f"{process.url}/healthz")
        async with aiohttp.ClientSession() as session:
            await process.said("source is back", 2)
            assert (await look(session, process.url, process.metrics)).ready == 200


async def test_an_answer_too_big_for_memory_is_one_failed_poll(tmp_path: Path) -> None:
    """With eight megabytes left a source sends what takes thirty as text: that poll fails, and nothing else does."""
    async with turning() as world, running(write(tmp_path / "t.toml"), world.upstream.url) as process:
        async with aiohttp.ClientSession() as session:
            await until(lambda: answers(session, f"{process.url}/readyz"))
            # What is loaded when it is first asked for has been asked for by the time that memory runs short.
            await look(session, process.url, process.metrics)
            world.frozen = True
            world.upstream.answer(YAHOO, body=b'{"chart": "' + "\N{BAR CHART}".encode() + b"a" * 3_600_000 + b'"}')
            with limited(process, resource.RLIMIT_DATA, data(process) + 8 * MEGABYTE):
                await until(lambda: fails(session, process, "yahoo", 2))
                assert (await look(session, process.url, process.metrics)).ready == 200
                assert "MemoryError" in next(line["detail"] for line in process.lines if line.get("source") == "yahoo")
            world.frozen = False
            await process.said("source is back")
            assert (await look(session, process.url, process.metrics)).ready == 200


CGROUPS = Path("/sys/fs/cgroup/memory")
# The least that is shipped: Kubernetes' limit; systemd's MemoryMax is twice that.
SHIPPED_MEGABYTES = 256
LANGUAGES = ("ar", "cs", "de", "el", "en", "es", "et", "fa", "fr", "he", "hi", "hu", "it", "ja", "ko", "ru", "zh")


@contextmanager
def cgroup(process: Process, megabytes: int) -> Iterator[Path]:
    """Inside, the kernel ends the process where it takes more."""
    group = CGROUPS / f"ticker-test-{process.child.pid}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(megabytes * MEGABYTE))
        (group / "cgroup.procs").write_text(str(process.child.pid))
        yield group
    finally:
        (CGROUPS / "cgroup.procs").write_text(str(process.child.pid))
        group.rmdir()


@pytest.mark.programs
async def test_the_memory_that_is_shipped_is_enough_where_the_kernel_keeps_to_it(tmp_path: Path) -> None:
    """In a cgroup with Kubernetes' limit: every page in seventeen languages, streams and scrapes never reach it."""
    if not (CGROUPS / "memory.limit_in_bytes").exists():
        pytest.skip("the kernel has no memory cgroup of the first version")
    async with turning() as world, running(write(tmp_path / "t.toml"), world.upstream.url) as process:
        async with aiohttp.ClientSession() as session:
            await until(lambda: answers(session, f"{process.url}/readyz"))
            with cgroup(process, SHIPPED_MEGABYTES) as group:
                streams = [await session.get(f"{process.url}/v1/stream") for _ in range(50)]
                for lang in LANGUAGES:
                    for path in ("/", "/docs", "/widget", "/v1/quotes", "/sparkline/OIL.svg"):
                        assert await answers(session, f"{process.url}{path}?lang={lang}")
                for stream in streams:
                    stream.close()
                assert (group / "memory.failcnt").read_text().strip() == "0"
                assert "oom_kill 0" in (group / "memory.oom_control").read_text()
                assert await answers(session, f"{process.url}/healthz")


async def test_stopped_behind_nginx_no_page_waits_or_loses_its_numbers(tmp_path: Path) -> None:
    """SIGSTOP, past every max-age and before the numbers end: every page is whole while nobody answers nginx."""
    config = write(tmp_path / "t.toml", every="3s", grace=120)
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{process.url}/readyz"))
        async with nginx(tmp_path, int(process.url.rpartition(":")[2])) as url:
            await until(lambda: kept(url, tmp_path / "cache"))
            process.send(signal.SIGSTOP)
            for _ in range(10):
                assert right(await page(url))
                await asyncio.sleep(0.4)  # nginx has no clock of ours, and four seconds are past every max-age here
            process.send(signal.SIGCONT)
            await until(lambda: answers(session, f"{process.url}/readyz"))


async def kept(url: str, cache: Path) -> bool:
    """Whether the page is right and nginx has kept something of it."""
    return right(await page(url)) and cached(cache)


def cached(folder: Path) -> bool:
    """Whether nginx has kept anything there."""
    return any(path.is_file() for path in folder.rglob("*"))


def data(process: Process) -> int:
    """How many bytes of its own the process can write, as Linux tells."""
    status = Path(f"/proc/{process.child.pid}/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("VmData:")[2].split()[0])
