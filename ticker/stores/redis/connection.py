"""The library's client for an address, every wait in it bounded; what goes wrong is a StoreError with the mend."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import RedisClusterException
from redis.retry import Retry
from redis.sentinel import Sentinel

from ticker.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticker.stores.redis.address import Address

Client = Any  # redis.Redis | redis.RedisCluster: their methods are the same, their types have no common name


def connected(address: Address) -> Client:
    """A client that connects when it is asked something. Of a Cluster the nodes are asked for now."""
    options = _options(address)
    if address.kind == "server":
        (host, port) = address.hosts[0]
        return redis.Redis(host, port, address.database, **options)
    if address.kind == "cluster":
        nodes = [ClusterNode(host, port) for host, port in address.hosts]  # type: ignore[no-untyped-call] # the library's
        return redis.RedisCluster(startup_nodes=nodes, **options)
    login = {"username": address.sentinel_user, "password": address.sentinel_password}
    sentinels: Client = Sentinel(address.hosts, sentinel_kwargs={**options, **login}, **options)  # type: ignore[no-untyped-call] # the library's own
    return sentinels.master_for(address.service, db=address.database)


def _options(address: Address) -> dict[str, Any]:
    tls = {
        "ssl": True,
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


@contextmanager
def told(address: Address) -> Iterator[None]:
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
