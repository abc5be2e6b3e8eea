from __future__ import annotations

import pytest

from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import load, shipped
from ticker.storage import STORES
from ticker.storage.redis import SCHEMES, Address, address_of


@pytest.mark.parametrize(
    ("url", "address", "told"),
    [
        ("redis://host", Address("server", tls=False, hosts=(("host", 6379),)), "redis://host:6379/0"),
        ("redis://[::1]:7/2", Address("server", tls=False, hosts=(("::1", 7),), database=2), "redis://[::1]:7/2"),
        (
            "rediss://me:p%2F@s:w@host/1?ca=/etc/ca.pem&prefix=site&timeout=500ms",
            Address(
                "server",
                tls=True,
                hosts=(("host", 6379),),
                user="me",
                password="p/@s:w",  # noqa: S106 - a test's
                database=1,
                prefix="site",
                timeout=0.5,
                ca="/etc/ca.pem",
            ),
            "rediss://host:6379/1",
        ),
        (
            "redis+sentinel://:word@one,two:7/prime/3?sentinel_user=s&sentinel_password=tail",
            Address(
                "sentinel",
                tls=False,
                hosts=(("one", 26379), ("two", 7)),
                password="word",  # noqa: S106 - a test's
                service="prime",
                database=3,
                sentinel_user="s",
                sentinel_password="tail",  # noqa: S106 - a test's
            ),
            "redis+sentinel://one:26379,two:7/prime/3",
        ),
        (
            "rediss+cluster://one,two:7",
            Address("cluster", tls=True, hosts=(("one", 6379), ("two", 7))),
            "rediss+cluster://one:6379,two:7",
        ),
    ],
)
def test_an_address_is_what_its_url_writes(url: str, address: Address, told: str) -> None:
    """Every part has its place, and what may be told of it holds neither user nor password."""
    assert address_of(url) == address
    assert str(address) == told
    assert load(shipped(), {}, {"store.url": url}).settings.store.url == url
    for secret in filter(None, (address.password, address.sentinel_password)):
        assert secret not in f"{address} {address!r}"


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("redis://", "host:port"),
        ("redis://host:0", "a port is from 1 to 65535"),
        ("redis://host:70000", "a port is from 1 to 65535"),
        ("redis://me:with?mark@host", "%3F"),
        ("redis://one,two", "redis+sentinel://"),
        ("redis://host/first", "number of a database"),
        ("redis+sentinel://host", "SERVICE"),
        ("redis+cluster://host/1", "one database only"),
        ("redis://host?tls=1", "no option 'tls'"),
        ("redis://host?timeout=1", "500ms"),
        ("redis://host?timeout=90s", "30s at most"),
        ("redis://host?prefix={a}", "prefix"),
        ("redis+unix:///run/redis", "redis+cluster://"),
        ("postgres://host", "redis+sentinel://"),
        ("sqlite://", "sqlite:///FILE"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_the_mend(url: str, mend: str) -> None:
    """At the start, and not when the first row is to be kept."""
    with pytest.raises(ConfigurationError, match="url") as refused:
        load(shipped(), {}, {"store.url": url})
    assert mend in str(refused.value)


def test_the_list_of_stores_has_every_scheme_of_redis() -> None:
    """The list does without this room, which only such a store loads."""
    assert STORES.keys() == {"memory", "sqlite"} | SCHEMES.keys()
