"""`ticker override`: the editor's hand on running services, through the store they share."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from typer.testing import CliRunner

from tests.cli.running import done, ready, serving
from tests.support.patience import PATIENCE
from tests.support.upstreams.server import listening
from ticker.cli.commands import app

NOTE = "The Bank publishes a wrong table"


async def quote(session: ClientSession, url: str, symbol: str = "USD") -> dict[str, Any]:
    """What the service says."""
    answer = await session.get(f"{url}/v1/quotes/{symbol}?lang=en")
    found: dict[str, Any] = json.loads(await answer.text())
    return found


async def follows(session: ClientSession, url: str, mode: str | None) -> dict[str, Any]:
    """Wait until the service shows an override of `mode`."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await quote(session, url)
            if (found["override"] or {}).get("mode") == mode:
                return found
            await asyncio.sleep(0.05)


async def override(folder: Path, *arguments: str) -> tuple[int | None, str, str]:
    """The command, over the store in `folder`."""
    return await done(folder, "override", *arguments, "--store", "sqlite:///var/t.db")


async def test_an_editor_sets_a_price_hides_freezes_and_ends_on_every_replica(tmp_path: Path) -> None:
    """Within two seconds on the leader and on the other, after a restart too, and gone when it is ended."""
    async with listening(lambda: datetime.now(UTC)) as url, ClientSession() as session:
        serve = ("serve", "--port", "0", "--upstream", url, "--store", "sqlite:///var/t.db")
        async with serving(tmp_path, *serve) as (_, second):
            async with serving(tmp_path, *serve) as (_, first):
                for one in (first, second):
                    await ready(session, one)
                before = await quote(session, first)
                code, out, err = await override(tmp_path, "USD", "--price", "99.5", "--for", "2h", "--note", NOTE)
                assert code == 0, err
                assert "USD is shown as 99.5 until" in out
                for one in (first, second):
                    found = await follows(session, one, "price")
                    assert (found["price"], found["source"], found["price_type"]) == (99.5, "override", None)
                    assert found["override"]["note"] == NOTE
                    assert found["status"] == "fresh"
                widget = await (await session.get(f"{first}/widget?lang=en&symbols=USD")).text()
                assert ">99.50</data>" in widget
                assert NOTE in widget
                metrics = await (await session.get(f"{first}/metrics")).text()
                assert 'ticker_quote_override{mode="price",symbol="USD"} 1.0' in metrics
            async with serving(tmp_path, *serve) as (_, third):
                assert (await follows(session, third, "price"))["price"] == 99.5
                await override(tmp_path, "USD", "--hide", "--for", "2h", "--note", NOTE)
                hidden = await follows(session, third, "hide")
                assert (hidden["price"], hidden["status"]) == (None, "unavailable")
                await override(tmp_path, "USD", "--end")
                ended = await follows(session, third, None)
                assert ended["price"] == before["price"]
                await override(tmp_path, "USD", "--freeze", "--for", "2h", "--note", NOTE)
                frozen = await follows(session, second, "freeze")
                assert frozen["price"] == before["price"]
        code, out, _ = await override(tmp_path, "--list", "--all", "--json")
        assert [each["mode"] for each in json.loads(out)] == ["price", "hide", "freeze"]


async def test_an_override_ends_by_itself(tmp_path: Path) -> None:
    """When its time is over the decided number is shown again, under a higher version."""
    async with listening(lambda: datetime.now(UTC)) as url, ClientSession() as session:
        serve = ("serve", "--port", "0", "--upstream", url, "--store", "sqlite:///var/t.db")
        async with serving(tmp_path, *serve) as (_, one):
            await ready(session, one)
            # For longer where it was over before the service, on a machine that stutters, has shown it.
            for seconds in (2, 8, 32):
                await override(tmp_path, "USD", "--hide", "--for", f"{seconds}s", "--note", NOTE)
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await follows(session, one, "hide")
                    break
            held = json.loads(await (await session.get(f"{one}/v1/quotes")).text())["version"]
            assert (await follows(session, one, None))["price"] is not None
            assert json.loads(await (await session.get(f"{one}/v1/quotes")).text())["version"] > held


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("USB", "--hide", "--for", "1h", "--note", "x"), "USD"),
        (("USD", "--hide", "--note", "x"), "--for 2h"),
        (("USD", "--hide", "--for", "8d", "--note", "x"), "7 days"),
        (("USD", "--hide", "--for", "1h"), "note"),
        (("USD", "--price", "100000", "--for", "1h", "--note", "x"), "between"),
        (("USD", "--price", "many", "--for", "1h", "--note", "x"), "no number"),
        (("USD", "--price", "NaN", "--for", "1h", "--note", "x"), "no number"),
        (("USD", "--hide", "--freeze", "--for", "1h", "--note", "x"), "one of"),
        (("USD", "--freeze", "--for", "1h", "--note", "x"), "no number of USD to freeze"),
        (("USD", "--end"), "no override holds USD"),
        (("--hide", "--for", "1h", "--note", "x"), "name the instrument"),
    ],
)
def test_a_wrong_override_is_refused_in_a_sentence(tmp_path: Path, arguments: tuple[str, ...], word: str) -> None:
    """With exit code 2, and nothing has changed."""
    store = ("--store", f"sqlite:///{tmp_path}/t.db")
    refused = CliRunner(env={"COLUMNS": "240"}).invoke(app, ("override", *arguments, *store))
    assert refused.exit_code == 2
    assert word in " ".join(refused.output.replace("│", " ").split())
    listed = CliRunner().invoke(app, ("override", "--list", *store))
    assert (listed.exit_code, listed.output.strip()) == (0, "no override is in force")


def test_memory_is_no_store_for_an_override() -> None:
    """It is each process's own; the command says which to give."""
    refused = CliRunner().invoke(app, ("override", "--list", "--store", "memory://"))
    assert refused.exit_code == 2
    assert "--store" in refused.output
