"""New configurations under load, as `systemctl reload` brings them."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from tests.ops.load import Load, readers
from tests.ops.process import Process, answers, running, samples, until
from tests.ops.world import turning, write

RELOADS = 30
MEMORY = "process_resident_memory_bytes"


async def reload(process: Process, config: Path, number: int) -> None:
    """The `number`th reload: the even ones are good, and differ from one another, the odd ones are bad."""
    good = number % 2 == 0
    write(config, decimals=2 + number // 2 % 2, more="" if good else "[sources.moex2]\n")
    event = "configuration reloaded" if good else "configuration refused, the old one stays"
    before = process.count(event)
    process.send(signal.SIGHUP)
    await process.said(event, before + 1)


async def storm(folder: Path, reloads: int) -> tuple[Load, list[float], dict[str, float]]:
    """`reloads` under the load of eight readers: what they saw, the memory in bytes, the metrics at the end."""
    config, memory = write(folder / "ticker.toml"), []
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{process.url}/readyz"))
        asked = len(world.upstream.hits())
        async with readers(process.url, 8) as load:
            for number in range(reloads):
                await reload(process, config, number)
                memory.append((await samples(session, process.metrics))[MEMORY])

        async def refusal_is_told() -> bool:
            # Metrics are made at most once a second.
            return (await samples(session, process.metrics))["ticker_config_reload_success"] == 0

        await until(refusal_is_told)
        last = await samples(session, process.metrics)
        last["asked"] = len(world.upstream.hits()) - asked
    return load, memory, last


def refusal(process: Process) -> Mapping[str, Any]:
    """The line that tells why the new configuration is refused; a poll may have written others since."""
    return next(line for line in process.lines if line["event"] == "configuration refused, the old one stays")


async def test_reloads_under_load_drop_neither_a_request_nor_a_quote(tmp_path: Path) -> None:
    """Good and bad configurations in turn: every answer is whole, memory is flat, the last refusal can be seen."""
    load, memory, last = await storm(tmp_path, RELOADS)
    assert load.failures == []
    assert load.lost == []
    assert load.refused == 0
    assert load.answers > RELOADS
    assert memory[-1] < memory[RELOADS // 3] * 1.05
    assert last["ticker_config_reload_success"] == 0


async def test_an_address_cannot_be_moved_by_a_reload(tmp_path: Path) -> None:
    """A new port is refused, with the key and the mend in the log; the old one goes on."""
    config = write(tmp_path / "ticker.toml", more='[server]\nhost = "127.0.0.1"\n')
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        write(config, more='[server]\nhost = "127.0.0.2"\n')
        process.send(signal.SIGHUP)
        await process.said("configuration refused, the old one stays")
        assert "server.host cannot change while the service runs" in refusal(process)["error"]
        assert await answers(session, f"{process.url}/healthz")


async def test_a_new_instrument_is_polled_at_once_and_a_removed_one_is_gone(tmp_path: Path) -> None:
    """An hour's cadence does not keep a new number waiting, and what was known stays without being asked again."""
    config = write(tmp_path / "ticker.toml", every="1h")
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{process.url}/readyz"))
        before = len(world.upstream.hits("/moex"))
        text = write(config, every="1h", more='\n[instruments.EUR]\nsources = ["cbr"]\n').read_text()
        config.write_text(text.replace('sources = ["moex", "yahoo"]', 'sources = ["moex"]'))
        process.send(signal.SIGHUP)
        await process.said("configuration reloaded")
        await until(lambda: shows(session, process.url, "EUR"))
        assert len(world.upstream.hits("/moex")) == before
        names = (await samples(session, process.metrics)).keys()
        assert not any('source="yahoo"' in name for name in names)


async def shows(session: aiohttp.ClientSession, url: str, symbol: str) -> bool:
    """Whether there is a number for `symbol`."""
    async with session.get(f"{url}/v1/quotes/{symbol}") as response:
        return (await response.json()).get("price") is not None
