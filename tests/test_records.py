"""Evidence and corrections: what the service writes down about itself while it publishes."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.support.stored_service import Kept, kept
from tests.support.upstream import NOON, Upstream
from tests.support.upstreams.server import listening
from ticker.cli.commands import app

VERDICTS = {"spoke", "agrees", "dissents", "held", "refused", "late", "silent"}


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A new store's address."""
    return f"sqlite:///{tmp_path}/t.db"


async def evidence(service: Kept, query: str = "", symbol: str = "USD") -> dict[str, Any]:
    """What the service says of why it shows a number."""
    await service.written()
    answer = await service.client.get(f"/v1/quotes/{symbol}/evidence{query}")
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = json.loads(await answer.text(), parse_float=Decimal)
    return found


async def test_evidence_names_each_source_its_raw_number_and_the_rule(store: str) -> None:
    """As it was sent, as we read it, the bytes it came in, the verdict, and the named rule that decided."""
    async with Upstream() as upstream:
        upstream.trio()
        async with kept(store, upstream.url) as service:
            found = await evidence(service)
            assert found["price"] == Decimal("100.6798")
            assert found["rule"]["name"] == "copies agree"
            assert found["rule"]["says"]
            sources = {each["source"]: each for each in found["sources"]}
            bank = sources["cbr"]
            assert (bank["verdict"], bank["raw"], bank["nominal"]) == ("spoke", "100,6798", 1)
            assert len(bank["answer"]["sha256"]) == 64
            assert sources["cbr_mirror"]["verdict"] == "agrees"
            assert {each["verdict"] for each in sources.values()} <= VERDICTS


async def test_evidence_of_a_moment_is_the_one_that_decided_then(store: str) -> None:
    """Asked for later, and before the first it says since when there is any."""
    async with Upstream() as upstream:
        upstream.trio()
        async with kept(store, upstream.url) as service:
            first = await evidence(service)
            service.clock.now = NOON + timedelta(hours=1)
            upstream.trio(usd="100.7")
            await service.polled()
            now = await evidence(service)
            assert now["version"] > first["version"]
            then = await evidence(service, "?at=2024-11-22T12:30:00%2B03:00")
            assert then["digest"] == first["digest"]
            answer = await service.client.get("/v1/quotes/USD/evidence?at=2024-11-01")
            assert answer.status == 404
            assert "kept since 2024-11-22" in (await answer.json(content_type=None))["detail"]


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        ("/v1/quotes/USB/evidence", 404, "symbol"),
        ("/v1/quotes/USD/evidence?at=never", 400, "at"),
        ("/v1/quotes/USD/evidence?lang=en", 400, "lang"),
        ("/v1/corrections?symbol=USB", 404, "symbol"),
        ("/v1/corrections?limit=0", 400, "limit"),
        ("/v1/corrections?from=2024-11-20&to=2024-11-19", 400, "from"),
    ],
)
async def test_a_wrong_question_is_named(store: str, path: str, status: int, parameter: str) -> None:
    """As everywhere in the API."""
    async with Upstream() as upstream:
        upstream.trio()
        async with kept(store, upstream.url) as service:
            answer = await service.client.get(path)
            assert answer.status == status
            assert (await answer.json(content_type=None))["parameter"] == parameter


async def test_verify_recomputes_the_number_and_names_what_was_changed(store: str, tmp_path: Path) -> None:
    """A record as it was told follows; one with any other number in it does not."""
    async with Upstream() as upstream:
        upstream.trio()
        async with kept(store, upstream.url) as service:
            await service.written()
            text = await (await service.client.get("/v1/quotes/USD/evidence")).text()
    file = tmp_path / "evidence.json"
    file.write_text(text)
    done = CliRunner().invoke(app, ("verify", str(file)))
    assert done.exit_code == 0, done.output
    assert "price: 100.6798 follows from the evidence" in done.output
    for old, new in (("100,6798", "100,6799"), ("100.6798", "100.6797"), ("copies agree", "alone")):
        file.write_text(text.replace(old, new, 1))
        changed = CliRunner().invoke(app, ("verify", str(file)))
        assert changed.exit_code == 1
        assert "digest" in changed.output


async def test_every_number_of_a_living_world_follows_from_its_evidence(store: str, tmp_path: Path) -> None:
    """With the European Central Bank's quotient, the crosses and both markets heard."""
    async with listening(lambda: NOON) as url, kept(store, url, NOON) as service:
        await service.polled()
        for symbol in ("USD", "EUR", "OIL"):
            await service.written()
            text = await (await service.client.get(f"/v1/quotes/{symbol}/evidence")).text()
            file = tmp_path / "evidence.json"
            file.write_text(text)
            done = CliRunner().invoke(app, ("verify", str(file)))
            assert done.exit_code == 0, done.output


@given(st.data())
def test_a_flipped_character_anywhere_is_noticed(data: st.DataObject) -> None:
    """Of a record that follows, no other text with the same digest does."""
    text = json.dumps(RECORD)
    place = data.draw(st.integers(0, len(text) - 1))
    other = chr(data.draw(st.integers(48, 122)))
    changed = text[:place] + other + text[place + 1 :]
    try:
        tree = json.loads(changed, parse_float=Decimal)
    except ValueError:
        return
    if not isinstance(tree, dict) or tree == json.loads(text, parse_float=Decimal):
        return
    from ticker.evidence import digest  # noqa: PLC0415 - for this alone

    try:
        assert digest(tree) != tree.get("digest")
    except (KeyError, TypeError, AttributeError):
        return


RECORD = {
    "symbol": "USD",
    "version": 1732266000004,
    "price": "100.6798",
    "as_of": "2024-11-22T00:00:00+03:00",
    "rule": {"name": "alone", "says": "One source."},
    "sources": [{"source": "cbr", "verdict": "spoke", "price": "100.6798", "checks": []}],
    "digest": "0" * 64,
}


async def test_a_re_issued_table_is_in_the_record(store: str) -> None:
    """What stood, what was right, from when to when, and how that was found out; on the feed and in the metric too."""
    async with Upstream() as upstream:
        upstream.trio()
        async with kept(store, upstream.url) as service:
            await service.polled()
            service.clock.now = NOON + timedelta(minutes=30)
            upstream.trio(usd="100.7001")
            await service.polled()
            await service.written()
            answer = await service.client.get("/v1/corrections?symbol=USD&from=2024-11-22")
            told = json.loads(await answer.text(), parse_float=Decimal)
            (entry,) = [each for each in told["corrections"] if each["kind"] == "wrong"]
            assert (entry["shown"], entry["right"]) == (Decimal("100.6798"), Decimal("100.7001"))
            assert (entry["from"], entry["to"]) == ("2024-11-22T09:00:00Z", "2024-11-22T09:30:00Z")
            assert (entry["seconds"], entry["found_by"], entry["material"]) == (1800, "re-issue", True)
            assert told["summary"]["USD"]["wrong"] == 1800
            feed = await (await service.client.get("/v1/corrections.atom")).text()
            assert "USD: wrong, shown 100.6798, right 100.7001 (1800 s)" in feed
            assert await service.metric('ticker_corrections_total{kind="wrong",symbol="USD"}') == 1


async def test_a_table_that_did_not_come_is_recorded_as_late_until_it_does(store: str) -> None:
    """From the midnight at which it should have been in force; across a restart."""
    async with Upstream() as upstream:
        upstream.trio()
        async with kept(store, upstream.url) as service:
            await service.polled()
            service.clock.now = NOON + timedelta(hours=20)
            service.service.poller.age(service.clock.now)
            await service.written()
            told = json.loads(await (await service.client.get("/v1/corrections?symbol=USD")).text())
            (entry,) = told["corrections"]
            assert (entry["kind"], entry["from"], entry["to"]) == ("late", "2024-11-22T21:00:00Z", None)


async def test_a_number_that_time_has_made_old_says_so_in_its_evidence_whoever_saw_it_first(store: str) -> None:
    """A reader asks in the second in which Brent is late, before the service has looked itself."""
    async with Upstream() as upstream:
        upstream.trio()
        async with kept(store, upstream.url) as service:
            await service.polled()
            await upstream.stop()
            service.clock.now = NOON + timedelta(hours=2)
            answer = await service.client.get("/v1/quotes/OIL")
            assert json.loads(await answer.text())["status"] == "stale"
            service.service.poller.age(service.clock.now)
            await service.written()
            told = json.loads(await (await service.client.get("/v1/quotes/OIL/evidence")).text())
            assert (told["status"], told["decided_at"]) == ("stale", "2024-11-22T14:00:00+03:00")
            await upstream.start()


async def test_a_day_without_a_fault_leaves_no_entry(store: str) -> None:
    """Nobody is accused of anything."""
    async with Upstream() as upstream:
        upstream.trio()
        async with kept(store, upstream.url) as service:
            for minutes in range(10):
                service.clock.now = NOON + timedelta(minutes=minutes)
                await service.polled()
            await service.written()
            told = json.loads(await (await service.client.get("/v1/corrections")).text())
            assert [each for each in told["corrections"] if each["symbol"] != "OIL"] == []
