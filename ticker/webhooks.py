"""Webhooks: what happens on the board is told to other services, signed as Standard Webhooks asks.

Only the one that polls sends. Each event has an id of its own, made of what happened and the version in which it did,
so that a receiver can drop a repetition: an event is told at least once, through restarts and changes of the leader,
and for a day where the receiver fails. What waits is kept in the store; a receiver that hangs holds up nobody else.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from babel import Locale
from standardwebhooks import Webhook

from ticker.corrections import Correction
from ticker.log import Log
from ticker.quotes import Quote, Snapshot, Status
from ticker.rendering.representation import to_json_text
from ticker.rendering.schemas import CorrectionSchema, QuoteSchema, utc
from ticker.settings.models import WebhookSettings
from ticker.storage.base import RecordEntry, Store, StoreError
from ticker.storage.history import Read
from ticker.storage.writer import StoreWriter

log = Log(__name__)

# The kind of what waits in the store; its "symbol" is the hook's name.
OUTBOX = "webhook"
# How long a failed delivery waits for the next: from seconds to hours, for a day in all.
PAUSES = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800)
_LIFE = timedelta(days=1)
_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
_LOOK_SECONDS = 0.5
_MOST = 1000
_ENGLISH = Locale("en")


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """Something that happened: its type, what it is about, and an id that is the same wherever it is made."""

    id: str
    type: str
    symbol: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to one hook: its body, how often it was tried, and when it is tried next."""

    id: str
    body: str
    created: datetime
    tries: int = 0
    due: datetime | None = None
    done: bool = False


def events_of(before: Snapshot, after: Snapshot) -> list[WebhookEvent]:
    """What happened between two snapshots, by instrument: pure."""
    was = {quote.symbol: quote for quote in before.quotes}
    found = []
    for quote in after.quotes:
        former = was.get(quote.symbol, Quote(quote.instrument))
        found += [_event(kind, quote, after) for kind in _kinds(former, quote)]
    return found


def _kinds(was: Quote, now: Quote) -> list[str]:
    kinds = []
    new = now.price is not None and (now.price, now.as_of) != (was.price, was.as_of)
    if new:
        kinds.append("quote.published")
    if now.upcoming is not None and (was.upcoming is None or was.upcoming.price != now.upcoming.price):
        kinds.append("quote.upcoming")
    if now.reason is not None and str(now.reason) in {"move", "disagree", "unit"} and now.reason != was.reason:
        kinds.append("quote.held")
    if was.status is Status.FRESH and now.status is not Status.FRESH:
        kinds.append("quote.stale")
    if was.status is not Status.FRESH and now.status is Status.FRESH and was.price is not None:
        kinds.append("quote.recovered")
    if was.override != now.override:
        kinds.append("override")
    return kinds


def _event(kind: str, quote: Quote, snapshot: Snapshot) -> WebhookEvent:
    data = QuoteSchema.of(quote, _ENGLISH, demo=snapshot.demo).model_dump()
    return WebhookEvent(f"{kind}.{quote.symbol}.{snapshot.version}", kind, quote.symbol, snapshot.generated_at, data)


def event_of_correction(correction: Correction, at: datetime) -> WebhookEvent:
    """The event that tells an entry of the public record."""
    ended = "" if correction.until is None else f".{int(correction.until.timestamp() * 1000)}"
    data = CorrectionSchema.read(correction, from_=correction.since, to=correction.until).model_dump()
    return WebhookEvent(
        f"correction.{correction.symbol}.{correction.id}{ended}", "correction", correction.symbol, at, data
    )


class PublicResolver(AbstractResolver):
    """Looks names up, and gives only addresses of the public internet: a hook is no way into our own network."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:  # noqa: ANN401 - aiohttp's
        """The public addresses of `host`. Raises OSError where it has none."""
        found = await self._resolver.resolve(host, port, family)
        public = [each for each in found if ip_address(each["host"]).is_global]
        if not public:
            raise OSError(f"{host} has no public address")
        return public

    async def close(self) -> None:
        """Let go."""
        await self._resolver.close()


class Webhooks:
    """Tells events to the configured hooks. `leads` says whether this service is the one that does."""

    def __init__(
        self,
        hooks: Mapping[str, WebhookSettings],
        store_writer: StoreWriter,
        read: Read,
        clock: Callable[[], datetime],
        leads: Callable[[], bool],
    ) -> None:
        self._hooks = dict(hooks)
        self._store_writer = store_writer
        self._read = read
        self._clock = clock
        self._leads = leads
        self._waiting: dict[str, dict[str, Delivery]] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        # How deliveries ended, by hook and outcome, for `/metrics`.
        self.outcomes: Counter[tuple[str, str]] = Counter()

    @property
    def names(self) -> Sequence[str]:
        """The hooks that are configured."""
        return tuple(self._hooks)

    def tell(self, events: Iterable[WebhookEvent]) -> None:
        """Queue `events` for whoever wants them."""
        entries = []
        for event in events:
            for name, hook in self._hooks.items():
                wanted = event.type in hook.events and (not hook.symbols or event.symbol in hook.symbols)
                if wanted and event.id not in self._waiting.get(name, {}):
                    body = {"type": event.type, "timestamp": utc(event.at), "data": dict(event.data)}
                    new = Delivery(event.id, to_json_text(body), self._clock())
                    self._waiting.setdefault(name, {})[event.id] = new
                    entries.append(_entry(name, new))
        if entries:
            self._store_writer.record(entries)

    async def run(self) -> None:
        """Send what is due, for as long as this service leads."""
        if not self._hooks:
            return
        led = False
        try:
            while True:
                leads = self._leads()
                if leads and not led:
                    await self._take_over()
                led = leads
                if leads:
                    self._send_due()
                else:
                    self._waiting.clear()
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            for task in self._sending.values():
                task.cancel()
            await asyncio.gather(*self._sending.values(), return_exceptions=True)

    async def _take_over(self) -> None:
        """What was left undone by whoever led before, in this process or another."""
        since = self._clock() - _LIFE

        def ask(store: Store) -> dict[str, list[RecordEntry]]:
            return {name: store.entries(OUTBOX, [name], since, None, _MOST) for name in self._hooks}

        with suppress(StoreError):
            for name, entries in (await self._read(ask)).items():
                waiting = self._waiting.setdefault(name, {})
                for each in entries:
                    delivery = msgspec.json.decode(each.text, type=Delivery)
                    if not delivery.done:
                        waiting.setdefault(delivery.id, delivery)

    def _send_due(self) -> None:
        now = self._clock()
        for name, waiting in self._waiting.items():
            busy = name in self._sending and not self._sending[name].done()
            due = [each for each in waiting.values() if each.due is None or each.due <= now]
            if due and not busy:
                first = min(due, key=lambda each: (each.created, each.id))
                self._sending[name] = asyncio.create_task(self._send(name, first))

    async def _send(self, name: str, delivery: Delivery) -> None:
        """One attempt; one hook has one under way at a time, so that events arrive in their order."""
        hook, now = self._hooks[name], self._clock()
        failure = await self._post(hook, delivery)
        if failure is None:
            self.outcomes[name, "delivered"] += 1
            done = replace(delivery, done=True, tries=delivery.tries + 1)
        elif now - delivery.created >= _LIFE or delivery.tries + 1 > len(PAUSES):
            self.outcomes[name, "dropped"] += 1
            log.warning("webhook given up", name=name, event_id=delivery.id, reason=failure)
            done = replace(delivery, done=True, tries=delivery.tries + 1)
        else:
            self.outcomes[name, "failed"] += 1
            if delivery.tries == 0:
                log.warning("webhook failed", name=name, event_id=delivery.id, reason=failure)
            pause = timedelta(seconds=PAUSES[min(delivery.tries, len(PAUSES) - 1)])
            done = replace(delivery, tries=delivery.tries + 1, due=now + pause)
        waiting = self._waiting.get(name, {})
        if done.done:
            waiting.pop(delivery.id, None)
        else:
            waiting[delivery.id] = done
        self._store_writer.record([_entry(name, done)])

    async def _post(self, hook: WebhookSettings, delivery: Delivery) -> str | None:
        """Why the receiver did not take it; None where it did."""
        # The library takes the clock's own hours for UTC, whatever zone they are in.
        at = self._clock().astimezone(UTC)
        signature = Webhook(hook.secret.get_secret_value()).sign(delivery.id, at, delivery.body)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }
        connector = aiohttp.TCPConnector(resolver=None if hook.private else PublicResolver(), limit=1)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, trust_env=False) as session,
                session.post(hook.url, data=delivery.body.encode(), headers=headers, allow_redirects=False) as answer,
            ):
                return None if 200 <= answer.status < 300 else f"http {answer.status}"  # noqa: PLR2004 - HTTP's success
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return f"{type(error).__name__}"


def _entry(name: str, delivery: Delivery) -> RecordEntry:
    return RecordEntry(OUTBOX, name, delivery.id, delivery.created, msgspec.json.encode(delivery).decode())
