"""Webhooks: a receiver that verifies with the standard's library is told each event, through faults and restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from tests.support.patience import PATIENCE
from tests.support.stored_service import kept
from tests.support.upstream import NOON, Upstream
from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import load, shipped

SECRET = "whsec_" + "bm90IGEgc2VjcmV0IGJ1dCBhIHRlc3Qgb25seQ=="


@dataclass(slots=True)
class Receiver:
    """Another service: it verifies each delivery, notes it, and answers as it is told."""

    statuses: list[int] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        """One delivery."""
        body = await request.text()
        headers = {name: request.headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
        verifier = Webhook(SECRET)
        assert (
            verifier.sign(headers["webhook-id"], _moment(headers["webhook-timestamp"]), body)
            == headers["webhook-signature"]
        )
        status = self.statuses.pop(0) if self.statuses else 204
        if status < 300:
            self.taken.append(json.loads(body))
            self.ids.append(headers["webhook-id"])
        return web.Response(status=status)

    async def until(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """The events of a type, when there are so many."""
        async with asyncio.timeout(PATIENCE):
            while len(found := [each for each in self.taken if each["type"] == kind]) < count:  # noqa: ASYNC110 - no bell
                await asyncio.sleep(0.02)
        return found


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


@asynccontextmanager
async def receiver(*statuses: int) -> AsyncIterator[Receiver]:
    """A receiver on a free port, which answers `statuses` first."""
    made = Receiver(list(statuses))
    app = web.Application()
    app.add_routes([web.post("/hook", made.handle)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield made
    finally:
        await runner.cleanup()


def hook(url: str, **more: object) -> dict[str, Any]:
    """The settings of one hook, on this machine on purpose."""
    return {"webhooks": {"desk": {"url": url, "secret": SECRET, "private": True, **more}}}


async def test_what_happens_is_told_once_signed_and_in_order(tmp_path: Path) -> None:
    """A new number, with the quote as the API gives it."""
    async with Upstream() as upstream, receiver() as desk:
        upstream.trio()
        async with kept(f"sqlite:///{tmp_path}/t.db", upstream.url, **hook(desk.url, symbols=["USD"])) as service:
            (first, *_) = await desk.until("quote.published")
            assert first["data"]["symbol"] == "USD"
            assert first["data"]["price"] == 100.6798
            service.clock.now = NOON + timedelta(minutes=30)
            upstream.trio(usd="100.7001")
            await service.polled()
            told = await desk.until("quote.published", 2)
            assert told[-1]["data"]["price"] == 100.7001
            assert {each["data"]["symbol"] for each in desk.taken} == {"USD"}
            assert len(set(desk.ids)) == len(desk.ids)


async def test_a_receiver_that_fails_is_told_again_under_the_same_id(tmp_path: Path) -> None:
    """After a pause by the service's clock, and after a restart."""
    async with Upstream() as upstream, receiver(500) as desk:
        upstream.trio()
        store = f"sqlite:///{tmp_path}/t.db"
        flags = hook(desk.url, symbols=["USD"], events=["quote.published"])
        async with kept(store, upstream.url, **flags) as service:
            await service.until(lambda: service.service.webhooks.outcomes["desk", "failed"] == 1)
            await service.written()
            assert desk.taken == []
            assert await service.metric('ticker_webhook_deliveries_total{name="desk",outcome="failed"}') == 1
        async with kept(store, upstream.url, NOON + timedelta(minutes=1), **flags):
            (told,) = await desk.until("quote.published")
            assert told["data"]["price"] == 100.6798
            assert len(desk.ids) == 1


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"private": False}, "private network"),
        ({"secret": "short"}, "whsec_"),
        ({"events": ["quote.publish"]}, "quote.published"),
        ({"symbols": ["USB"]}, "USD"),
    ],
)
def test_a_wrong_hook_stops_the_start_in_a_sentence(more: dict[str, object], word: str) -> None:
    """With what would be right."""
    with pytest.raises(ConfigurationError, match=word):
        load(shipped(), {}, hook("http://10.0.0.1/hook", **more))
