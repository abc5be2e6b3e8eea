"""Who a client is, how often one may ask, and whose turn it is. Everything in bounded memory.

The fields of a limited answer are those of draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil

from multidict import CIMultiDict, CIMultiDictProxy

# Clients remembered. Above it those who asked longest ago begin anew, with a full bucket.
_MOST = 10_000
_WINDOW = 60.0
# An IPv6 client has a whole network of addresses.
_V6_PREFIX = 64
# More proxies than that do not stand in a row; what a client writes before them is not read.
_MOST_HOPS = 32

Headers = CIMultiDict[str] | CIMultiDictProxy[str]


class RateLimiter:
    """`rate` requests a minute for each client, all of them at once if it likes; 0 is no limit."""

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

    def client(self, peer: str | None, headers: Headers) -> str:
        """Who asks: the peer, or behind trusted proxies the last address that none of them vouches for.

        Where `X-Forwarded-For` and `Forwarded` (RFC 7239) name different clients, one of them may be the client's own
        invention; then, and where the last word is no address, the peer answers for it.
        """
        own = peer or "unknown"
        if not self._is_trusted(own):
            return network_of(own)
        chains = [chain for chain in (_x_forwarded_for(headers), _forwarded(headers)) if chain]
        named = {network_of(self._last_untrusted(own, chain)) for chain in chains}
        return named.pop() if len(named) == 1 else network_of(own)

    def _last_untrusted(self, peer: str, chain: Sequence[str]) -> str:
        """Walk from the right, from each trusted proxy to whom it says it was asked by."""
        found = peer
        for node in reversed(chain):
            if not self._is_trusted(found):
                break
            if _address(node) is None:
                return peer
            found = node
        return found

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


class FairQueue:
    """Begins one request each time round the loop: the next client's, and of each client the one that waits longest.

    What takes milliseconds (a page, a language, an address that nobody has asked for yet) comes through here; what is
    cached is sent at once. Of a hundred such requests that come together, a reader of the header waits behind one.
    """

    def __init__(self) -> None:
        self._taken = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def wait(self, client: str) -> None:
        """Wait for the turn of `client`, where another request has begun this time round."""
        loop = asyncio.get_running_loop()
        if not self._taken:
            self._taken = True
            loop.call_soon(self._next, loop)
            return
        mine = loop.create_future()
        self._waiting.setdefault(client, deque()).append(mine)
        await mine

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the next one begin, passing over whoever has hung up."""
        while self._waiting:
            client = next(iter(self._waiting))
            line = self._waiting.pop(client)
            turn = line.popleft()
            if line:
                # Behind the other clients.
                self._waiting[client] = line
            if not turn.done():
                turn.set_result(None)
                loop.call_soon(self._next, loop)
                return
        self._taken = False


def network_of(text: str) -> str:
    """Who counts as one client: an IPv4 address, the network of an IPv6 one, else `text` as it is."""
    address = _address(text)
    if address is None or isinstance(address, IPv4Address):
        return text if address is None else str(address)
    return str(ip_network((address, _V6_PREFIX), strict=False))


def _x_forwarded_for(headers: Headers) -> list[str]:
    """The addresses in all lines of `X-Forwarded-For`, the nearest last."""
    return [_bare(part) for part in _last_parts(headers.getall("X-Forwarded-For", []))]


def _forwarded(headers: Headers) -> list[str]:
    """The addresses in all lines of `Forwarded`, the nearest last; "" for an element that names none."""
    found = []
    for element in _last_parts(headers.getall("Forwarded", [])):
        pairs = (pair.partition("=") for pair in element.split(";"))
        found.append(next((_bare(value) for name, _, value in pairs if name.strip().lower() == "for"), ""))
    return found


def _last_parts(lines: Sequence[str]) -> list[str]:
    # By the commas from the right, whatever quotes a client has opened and not closed before them.
    parts = ",".join(lines).rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
    return [part for part in map(str.strip, parts) if part]


def _bare(node: str) -> str:
    """The address of a node, without quotes, brackets and port (RFC 7239, 6): `[2001:db8::1]:4711`, `192.0.2.1:80`."""
    node = node.strip().strip('"')
    if node.startswith("["):
        return node[1:].partition("]")[0]
    return node.partition(":")[0] if node.count(":") == 1 else node


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
