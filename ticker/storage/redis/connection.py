"""The library's client for an address, every wait in it bounded; what goes wrong is a StoreError with the mend."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import RedisClusterException
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelManagedConnection, SentinelManagedSSLConnection

from ticker.storage.base import StoreError
from ticker.storage.redis import Address

Client = Any  # redis.Redis | redis.RedisCluster: their methods are the same, their types have no common name


def connected(address: Address) -> Client:
    """A client that connects when it is asked something. Of a Cluster the nodes are asked for now."""
    options = _options(address)
    if address.kind == "server":
        return _single(address, *address.hosts[0], {**options, "db": address.database})
    if address.kind == "cluster":
        nodes = [ClusterNode(host, port) for host, port in address.hosts]  # type: ignore[no-untyped-call] # the library's
        kind = BoundedTlsConnection if address.tls else BoundedConnection
        # The library takes a class of connections only where it is given a URL.
        host, port = address.hosts[0]
        url = f"redis://[{host}]:{port}" if ":" in host else f"redis://{host}:{port}"
        return redis.RedisCluster(url=url, startup_nodes=nodes, connection_class=kind, **options)
    managed = BoundedManagedTlsConnection if address.tls else BoundedManagedConnection
    sentinels: Client = Sentinel([], **options, connection_class=managed)  # type: ignore[no-untyped-call] # the library's own
    login = {"username": address.sentinel_user, "password": address.sentinel_password}
    sentinels.sentinels = [_single(address, host, port, {**options, **login}) for host, port in address.hosts]
    return sentinels.master_for(address.service, db=address.database)


def _single(address: Address, host: str, port: int, options: dict[str, Any]) -> Client:
    kind = BoundedTlsConnection if address.tls else BoundedConnection
    return redis.Redis.from_pool(redis.ConnectionPool(kind, host=host, port=port, **options))


def _options(address: Address) -> dict[str, Any]:
    tls = {
        "ssl_ca_certs": address.ca,
        "ssl_certfile": address.cert,
        "ssl_keyfile": address.key,
        "ssl_check_hostname": True,
    }
    return {
        "username": address.user,
        "password": address.password,
        "socket_timeout": address.timeout,
        "socket_connect_timeout": address.timeout,
        "decode_responses": True,
        "protocol": 2,
        # A connection that the server has closed in the meantime is made once more; a time-out is not waited for twice.
        "retry": Retry(NoBackoff(), 1, (exceptions.ConnectionError,)),
        "client_name": "ticker",
        **(tls if address.tls else {}),
    }


# The longest reply that is read: the editions of a thousand instruments are a megabyte.
MAX_REPLY_BYTES = 16 * 1024 * 1024
# The library bounds each wait for bytes, and no reply: one that drips is given up after so many times the time-out.
_REPLY_TIMEOUTS = 2


class BoundedSocket:
    """A socket whose reader gets each reply within a time and a size, or an error; all else is `plain`'s."""

    def __init__(self, plain: socket.socket) -> None:
        self._plain = plain
        self._timeout = plain.gettimeout()
        self._latest: float | None = None
        self._room = MAX_REPLY_BYTES

    def begin(self, seconds: float) -> None:
        """A reply is read from now on, for so many seconds at most."""
        self._latest, self._room = time.monotonic() + seconds, MAX_REPLY_BYTES

    def end(self) -> None:
        """No reply is being read: what comes is waited for as the library does."""
        self._latest = None
        self._plain.settimeout(self._timeout)

    def settimeout(self, seconds: float | None) -> None:
        """Wait so long for the next bytes."""
        self._timeout = seconds
        self._plain.settimeout(seconds)

    def recv(self, size: int) -> bytes:
        """The next bytes. Raises TimeoutError and OSError."""
        if self._latest is not None:
            left = self._latest - time.monotonic()
            if left <= 0:
                raise TimeoutError("the reply did not end in time")
            self._plain.settimeout(left if self._timeout is None else min(left, self._timeout))
        data = self._plain.recv(size)
        self._room -= len(data)
        if self._latest is not None and self._room < 0:
            raise OSError(f"a reply of more than {MAX_REPLY_BYTES} bytes")
        return data

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a socket has
        return getattr(self._plain, name)


class BoundedReplies:
    """What the library's connections lack: a bound on the whole of a reply."""

    _bounded: BoundedSocket | None = None

    def _connect(self) -> BoundedSocket:
        self._bounded = BoundedSocket(super()._connect())  # type: ignore[misc] # the library's
        return self._bounded

    def read_response(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - the library's own
        """As the library's own, within the bounds."""
        bounded, patience = self._bounded, named.get("timeout")
        if bounded is None:
            return super().read_response(*args, **named)  # type: ignore[misc] # the library's
        waits = patience if isinstance(patience, (int, float)) else 0.0
        bounded.begin(waits + _REPLY_TIMEOUTS * (self.socket_timeout or 1.0))  # type: ignore[attr-defined] # the same
        try:
            return super().read_response(*args, **named)  # type: ignore[misc] # the same
        finally:
            with suppress(OSError):
                bounded.end()


class BoundedConnection(BoundedReplies, redis.Connection):
    """To one server."""


class BoundedTlsConnection(BoundedReplies, redis.SSLConnection):
    """To one server, by TLS."""


class BoundedManagedConnection(BoundedReplies, SentinelManagedConnection):
    """To the server that the Sentinels name."""


class BoundedManagedTlsConnection(BoundedReplies, SentinelManagedSSLConnection):
    """To the server that the Sentinels name, by TLS."""


@contextmanager
def as_store_error(address: Address) -> Iterator[None]:
    """Whatever goes wrong is a StoreError that names the address, without the password, and the mend."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:  # whatever the library stumbles over; who asked has promised nothing else
        detail = f"{address}: {_reason(error)}"
        raise StoreError(detail, mend_of(error)) from error


def _reason(error: Exception) -> str:
    # Of a script's error the script's place is of no use to anybody.
    text = " ".join(str(error).partition(" script: ")[0].split())[:200] or type(error).__name__
    return "no answer in time" if isinstance(error, (exceptions.TimeoutError, TimeoutError)) else text


def mend_of(error: Exception) -> str:
    """What would help, by the kind of the error first and by what it says where kinds do not tell."""
    text = str(error)
    by_text = next((mend for part, mend in _BY_TEXT.items() if part in text), "")
    return by_text or next((mend for kind, mend in _BY_KIND.items() if isinstance(error, kind)), "")


def is_away(error: BaseException | None) -> bool:
    """Whether nobody answers, so that the next question would only wait as long again."""
    kinds = (exceptions.ConnectionError, exceptions.TimeoutError, RedisClusterException, OSError)
    return isinstance(error, kinds)


_BY_TEXT = {
    "CERTIFICATE_VERIFY_FAILED": "name the authority that signed the server's certificate: ?ca=/path/ca.pem",
    "WRONGPASS": "give the user and the password in the address: redis://user:password@host, or rediss://",
    "NOAUTH": "give the user and the password in the address: redis://user:password@host, or rediss://",
    "MISCONF": "make room on the disk that Redis writes to; what was missed is then written",
    "unexpected symbol near '#'": "run Redis 7 or newer, or Valkey",
    "No master found": "start the Sentinels' primary, or name the service as they do",
}
_BY_KIND: dict[type[Exception], str] = {
    exceptions.AuthenticationError: "give the user and the password in the address: redis://user:password@host",
    exceptions.NoPermissionError: "let the user do what README's Replicas says, on the keys and channels of ticker",
    exceptions.ReadOnlyError: "name the primary and not a replica, or the Sentinels: redis+sentinel://",
    exceptions.OutOfMemoryError: "raise its maxmemory, or lower raw and hourly of [store]; what was missed is written",
    exceptions.BusyLoadingError: "wait: Redis reads its file; what was missed is written when it is done",
    exceptions.TimeoutError: "see why Redis does not answer; what was missed is written when it does",
    exceptions.ConnectionError: "start Redis, or name another with --store or [store] url; what was missed is written",
    exceptions.ClusterDownError: "bring the Cluster's missing nodes back; what was missed is then written",
    exceptions.ResponseError: "if another program has written there, name a prefix of our own: ?prefix=NAME",
    RedisClusterException: "start the Cluster's nodes; what was missed is then written",
}


T = TypeVar("T")

NAMES = ("claim", "entries", "open", "publish", "raw", "release", "sampled", "standing", "thin", "write")
SCRIPTS = {name: (Path(__file__).parent / "lua" / f"{name}.lua").read_text(encoding="utf-8") for name in NAMES}
# So long nobody waits for a server that did not answer: each question would hold a thread for the whole time-out.
_LEFT_ALONE_SECONDS = 0.5


class Wire:
    """The way to the server at `address`; connected with the first question, by whichever thread."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._client: Client | None = None
        self._making = threading.Lock()
        self._away: tuple[float, StoreError] | None = None

    def key(self, *parts: str) -> str:
        """The name of a key or a channel: in braces what tells a Cluster's slot, the same for all of one service."""
        return ":".join((f"{{{self.address.prefix}}}", *parts))

    def run(self, script: str, keys: Sequence[str], values: Sequence[str | int]) -> Any:  # noqa: ANN401 - what it gives
        """What the script of that name gives."""
        return self.ask(lambda client: client.eval(SCRIPTS[script], len(keys), *keys, *values))

    def ask(self, question: Callable[[Client], T]) -> T:
        """The answer. Raises StoreError, at once where the server has just been away."""
        if self._away is not None and time.monotonic() < self._away[0]:
            raise StoreError(self._away[1].detail, self._away[1].mend)
        try:
            with as_store_error(self.address):
                answer = question(self._connected())
        except StoreError as error:
            if is_away(error.__cause__):
                self._away = time.monotonic() + _LEFT_ALONE_SECONDS, error
            raise
        self._away = None
        return answer

    def close(self) -> None:
        """Let go of every connection."""
        with self._making:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _connected(self) -> Client:
        with self._making:
            if self._client is None:
                self._client = connected(self.address)
            return self._client
