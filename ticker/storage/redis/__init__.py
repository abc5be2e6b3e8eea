"""`redis://` and its kin: the store that several replicas share. The library is loaded only where a store is one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote

Kind = Literal["server", "sentinel", "cluster"]

# The schemes, and which options each understands beyond the common ones.
SCHEMES: dict[str, Kind] = {
    "redis": "server",
    "rediss": "server",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
}
_PORTS: dict[Kind, int] = {"server": 6379, "sentinel": 26379, "cluster": 6379}
_OPTIONS = ("prefix", "timeout", "ca", "cert", "key", "sentinel_user", "sentinel_password")
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+))(?::([0-9]{1,5}))?")
_PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_TIMEOUT = re.compile(r"([0-9]{1,5})(ms|s)")
_HIGHEST_PORT, _LONGEST_SECONDS = 65535, 30.0


@dataclass(frozen=True, slots=True)
class Address:
    """What the URL says. `prefix` begins every key, so that several services can live in one database."""

    kind: Kind
    tls: bool
    hosts: tuple[tuple[str, int], ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    service: str = ""
    database: int = 0
    prefix: str = "ticker"
    timeout: float = 1.0
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    sentinel_user: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """The address as it may be told: without user, password and options."""
        scheme = ("rediss" if self.tls else "redis") + ("" if self.kind == "server" else f"+{self.kind}")
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        tail = {"server": f"/{self.database}", "sentinel": f"/{self.service}/{self.database}", "cluster": ""}
        return f"{scheme}://{hosts}{tail[self.kind]}"


def address_of(url: str) -> Address:
    """The address that `url` writes. Raises ValueError with what is wrong and the mend, and no part of a password."""
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        raise ValueError(f"no scheme of Redis; there are {', '.join(f'{each}://' for each in SCHEMES)}")
    kind = SCHEMES[scheme]
    rest, _, query = rest.partition("?")
    # A password may hold an @; what comes after the last one may not.
    login, _, place = rest.rpartition("@")
    nodes, _, path = place.partition("/")
    user, _, password = login.partition(":")
    service, database = _path(kind, path)
    return Address(
        kind=kind,
        tls=scheme.startswith("rediss"),
        hosts=_hosts(kind, nodes),
        user=unquote(user) or None,
        password=unquote(password) or None,
        service=service,
        database=database,
        **_options(query),  # type: ignore[arg-type] # by their names
    )


def _hosts(kind: Kind, nodes: str) -> tuple[tuple[str, int], ...]:
    found = [_HOST.fullmatch(node) for node in nodes.split(",")]
    hosts = tuple((each[1] or each[2], int(each[3] or _PORTS[kind])) for each in found if each)
    if len(hosts) < len(found):
        raise ValueError("no host:port in the address; in a password write ? as %3F")
    if not all(0 < port <= _HIGHEST_PORT for _, port in hosts):
        raise ValueError(f"a port is from 1 to {_HIGHEST_PORT}")
    if kind == "server" and len(hosts) > 1:
        raise ValueError("several hosts are Sentinels (redis+sentinel://) or a Cluster's nodes (redis+cluster://)")
    return hosts


def _path(kind: Kind, path: str) -> tuple[str, int]:
    """The Sentinels' name for the primary, and the number of the database."""
    parts = [unquote(part) for part in path.rstrip("/").split("/")] if path.rstrip("/") else []
    service = parts.pop(0) if kind == "sentinel" and parts else ""
    if kind == "sentinel" and not service:
        raise ValueError("name what the Sentinels watch: redis+sentinel://host:26379,host:26379/SERVICE/0")
    if kind == "cluster" and parts not in ([], ["0"]):
        raise ValueError("a Cluster has one database only: leave the path away")
    if len(parts) > 1 or not all(re.fullmatch("[0-9]{1,5}", part) for part in parts):
        raise ValueError("the path is the number of a database: redis://host:6379/0")
    return service, int(parts[0]) if parts else 0


def _options(query: str) -> dict[str, object]:
    told: dict[str, object] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise ValueError(f"no option {name!r} of a redis address; there are {', '.join(_OPTIONS)}")
        told[name] = _seconds(value) if name == "timeout" else value
    if not _PREFIX.fullmatch(str(told.get("prefix", "ticker"))):
        raise ValueError("prefix: letters, digits, '.', '_' and '-', 40 at most")
    return told


def _seconds(value: str) -> float:
    found = _TIMEOUT.fullmatch(value)
    seconds = int(found[1]) / (1000 if found[2] == "ms" else 1) if found else 0.0
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise ValueError("timeout: write 500ms or 2s, 30s at most")
    return seconds
