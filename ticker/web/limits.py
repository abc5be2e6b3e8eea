"""How often one client may ask: a token bucket each, in bounded memory (draft-ietf-httpapi-ratelimit-headers)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil

from aiohttp import web
from aiohttp.typedefs import Handler

from ticker.web.context import CONTEXT
from ticker.web.problems import Problem

# Clients remembered. Above it those who asked longest ago begin anew, with a full bucket.
_MOST = 10_000
_WINDOW = 60.0
# Probes and scrapers come from our own side and must not be turned away.
FREE = ("/healthz", "/readyz", "/metrics")
# An IPv6 client has a whole network of addresses.
_V6_PREFIX = 64
# What `dress` puts on the answer, errors included.
FIELDS = web.RequestKey("fields", dict[str, str])


class Limiter:
    """`rate` requests a minute for each client, all of them at once where it likes; 0 is no limit."""

    def __init__(self, rate: int, trusted: Sequence[str] = ()) -> None:
        """`trusted` are the networks of proxies whose word about the client is taken."""
        self.rate = rate
        self._trusted = [ip_network(each, strict=False) for each in trusted]
        self._buckets: dict[str, tuple[float, datetime]] = {}

    def take(self, client: str, now: datetime) -> float:
        """Take one token of the client's; how many are left, negative where there was none to take."""
        left, since = self._buckets.pop(client, (float(self.rate), now))
        left = min(self.rate, left + max(0.0, (now - since).total_seconds()) * self.rate / _WINDOW)
        after = left - 1
        # Taken out and put in again: the first of the dictionary is who asked longest ago.
        self._buckets[client] = (after if after >= 0 else left, now)
        if len(self._buckets) > _MOST:
            del self._buckets[next(iter(self._buckets))]
        return after

    def wait(self, left: float) -> int:
        """Whole seconds until a client whose `take` gave `left`, negative, has a token again."""
        return max(1, ceil(-left * _WINDOW / self.rate))

    def fields(self, left: float) -> dict[str, str]:
        """The header fields that tell a client where it stands."""
        whole = max(0, int(left))
        full = ceil((self.rate - max(left, 0.0)) * _WINDOW / self.rate)
        return {
            "RateLimit-Policy": f'"default";q={self.rate};w={_WINDOW:.0f}',
            "RateLimit": f'"default";r={whole};t={full}',
        }

    def client(self, peer: str | None, headers: Mapping[str, str]) -> str:
        """Who asks: the peer, or behind trusted proxies the last address that none of them vouches for."""
        chain = [part.strip() for part in headers.get("X-Forwarded-For", "")[:1024].split(",") if part.strip()]
        found = peer or "unknown"
        while self._is_trusted(found) and chain:
            found = chain.pop()
        address = _address(found)
        # What is no address came from nobody whom we trust; it is the proxy's to answer for.
        return (peer or "unknown") if address is None else network_of(found)

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def network_of(text: str) -> str:
    """Who counts as one client: an IPv4 address, the network of an IPv6 one, else `text` as it is."""
    address = _address(text)
    if address is None or address.version == 4:  # noqa: PLR2004 - IPv4
        return text if address is None else str(address)
    return str(ip_network((address, _V6_PREFIX), strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@web.middleware
async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse with 429 who has asked too often; tell everybody else how much is left."""
    context = request.app[CONTEXT]
    limiter = context.limiter
    if not limiter.rate or request.path in FREE or request.method == "OPTIONS":
        return await handler(request)
    left = limiter.take(limiter.client(request.remote, request.headers), context.clock())
    fields = request[FIELDS] = limiter.fields(left)
    if left < 0:
        wait = limiter.wait(left)
        fields["Retry-After"] = str(wait)
        raise Problem(429, f"more than {limiter.rate} requests a minute; ask again in {wait} s")
    return await handler(request)


# Whose turn it is: of what is not ready one request is begun each time round the loop, and each client has its turn.
#
# What has been answered before is sent where its bytes come in and waits for nobody (`express`, `current`). All that
# is left takes milliseconds: a page, a language, an address that nobody has asked for yet. A hundred of them that
# come together were begun together, and who asked for the header stood behind them all. In turns they stand behind
# one.


class Turns:
    """Lets the first in at once, and one more each time round the loop: the next client's, of each the oldest."""

    def __init__(self) -> None:
        self._taken = False
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    async def wait(self, client: str) -> None:
        """Wait for the turn of `client`, where somebody has had one this time round."""
        loop = asyncio.get_running_loop()
        if not self._taken:
            self._taken = True
            loop.call_soon(self._next, loop)
            return
        mine = loop.create_future()
        self._lines.setdefault(client, deque()).append(mine)
        await mine

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        """Nobody left is nobody taken: whoever has hung up is passed over."""
        while self._lines:
            client = next(iter(self._lines))
            line = self._lines.pop(client)
            turn = line.popleft()
            if line:
                # Behind the others.
                self._lines[client] = line
            if not turn.done():
                turn.set_result(None)
                loop.call_soon(self._next, loop)
                return
        self._taken = False


TURNS = web.AppKey("turns", Turns)


@web.middleware
async def in_turn(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Begin when it is the client's turn; probes and scrapers begin at once."""
    context = request.app[CONTEXT]
    if request.path not in FREE:
        await request.app[TURNS].wait(context.limiter.client(request.remote, request.headers))
    return await handler(request)
