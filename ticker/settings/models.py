"""What may be configured: one frozen model that is validated, held by the service, and printed by `ticker check`.

Instruments, checks and calendars are the values that the service works with: pydantic validates those dataclasses
themselves. What only the configuration knows, the schedule of a source for one, is a model here.
"""

import base64
import re
from collections.abc import Callable, Container
from dataclasses import replace
from datetime import timedelta, tzinfo
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from annotated_types import Ge, Le, MinLen
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from ticker import __version__
from ticker.calendars import Calendar, Publication, Session
from ticker.calendars.days import Weekdays
from ticker.fields import Duration, Flag, Positive, Texts, Whole, Zone
from ticker.quotes import Check, Instrument
from ticker.rendering.locales import UnknownLanguageError, normalize_tag
from ticker.settings.errors import redact
from ticker.storage.redis import address_of

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,15}")
# RFC 3986 has none of them; an address becomes a link, a header and code that people copy.
_NOT_IN_AN_ADDRESS = re.compile(r"""[\x00-\x20\x7f"<>\\^`{|}]""")
# What stands in the brackets of a User-Agent: an address of the web or of a mailbox.
_CONTACT = re.compile(r"(?:https?://|mailto:)?[A-Za-z0-9][\w.~:/?#@!$&'*+,;=%-]{2,199}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HIGHEST_PORT = 65_535
_SECRET_BYTES = range(24, 65)

Event = Literal[
    "quote.published",
    "quote.upcoming",
    "quote.held",
    "quote.stale",
    "quote.recovered",
    "correction",
    "override",
]
EVENTS: tuple[Event, ...] = get_args(Event)


def web_address(value: str) -> str:
    """`value`, if it is an absolute http(s) URL with a host and without credentials, without its last slash.

    Raises ValueError for anything else, as the other functions here do.
    """
    return link(value).rstrip("/")


def link(value: str) -> str:
    """As `web_address`, but as its publisher writes it: with its last slash."""
    if found := _NOT_IN_AN_ADDRESS.search(value):
        raise ValueError(
            f"{redact(value)!r} has a {found[0]!r}, which no address has: write it as %{ord(found[0]):02X}"
        )
    parts = urlsplit(value)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        raise ValueError(f"{redact(value)!r} is not an http:// or https:// address with a host and without a user name")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if port is not None and port not in range(1, _HIGHEST_PORT + 1):
        raise ValueError(f"{redact(value)!r} has no such port: one is from 1 to {_HIGHEST_PORT}")
    return value


def origin(value: str) -> str:
    """`value`, if a browser could send it as the origin of a page, or is * for every page."""
    if value == "*":
        return value
    mend = f"{value!r} is no origin: write https://example.org, without a path, or * for every page"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(mend) from None
    if parts.scheme not in _DEFAULT_PORTS or not _is_host(host):
        raise ValueError(mend)
    shown = f"[{host}]" if ":" in host else host
    # A browser leaves out the port of the scheme, and writes a name in small letters.
    sent = f"{parts.scheme}://{shown}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")
    if sent == value:
        return value
    if parts.path or parts.query or parts.fragment or parts.username is not None or port == 0:
        raise ValueError(mend)
    raise ValueError(f"{value!r} matches no page: a browser sends {sent!r}")


def _is_host(host: str) -> bool:
    """Whether a browser could name `host` so: an address in its shortest form, or a name."""
    labels = host.removesuffix(".").split(".")
    # What ends like a number is an address to a browser (WHATWG URL, "ends in a number checker").
    if ":" in host or labels[-1].isdecimal() or labels[-1].startswith("0x"):
        try:
            return str(ip_address(host)) == host
        except ValueError:
            return False
    return len(host) <= 253 and all(map(_LABEL.fullmatch, labels))  # noqa: PLR2004 - RFC 1035, 2.3.4


def language(value: str) -> str:
    """`value` in CLDR's spelling, if it is the tag of a language that CLDR has a locale for."""
    try:
        return normalize_tag(value)
    except UnknownLanguageError as error:
        raise ValueError(f"{error}: write en, ru or pt-BR") from None


def network(value: str) -> str:
    """`value`, if it is an address or a network."""
    try:
        ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"{value!r} is no address or network: write 10.0.0.0/8 or 127.0.0.1") from None
    return value


def store_address(value: str) -> str:
    """`value`, if a store can be there."""
    if value == "memory://" or (value.startswith("sqlite:///") and value.strip("/") != "sqlite:"):
        return value
    if value.startswith(("redis", "rediss")):
        address_of(value)
        if find_spec("redis") is None:
            raise ValueError(
                "a Redis needs the extra `redis`, which is not installed: pip install 'market-ticker[redis]'"
            )
        return value
    there = "memory://, sqlite:///FILE, redis://HOST:6379/0 and rediss:// (TLS), redis+sentinel:// or redis+cluster://"
    raise ValueError(f"no store at {redact(value)!r}; there are {there}")


def cron_line(value: str) -> str:
    """`value`, if it has the five fields of cron; what they mean is looked at when all else is right."""
    if len(value.split()) != 5:  # noqa: PLR2004 - minute, hour, day, month, weekday
        raise ValueError(f"{value!r} does not have the five fields of cron: minute hour day month weekday")
    return value


def contact(value: str) -> str:
    """`value`, if people can be reached there and it can stand in a header."""
    if not _CONTACT.fullmatch(value) or not (value.startswith("http") or "@" in value):
        raise ValueError(f"{value!r} is no contact: write https://example.org/about or it@example.org")
    return value


def symbol(value: str) -> str:
    """`value`, if it can stand in paths, labels and attributes."""
    if not _SYMBOL.fullmatch(value):
        raise ValueError(f"{value!r} is no symbol: capital letters, digits, '.', '_' and '-', 16 at most")
    return value


def signing_secret(value: SecretStr) -> SecretStr:
    """`value`, if Standard Webhooks can sign with it."""
    _, prefix, encoded = value.get_secret_value().rpartition("whsec_")
    try:
        size = len(base64.b64decode(encoded, validate=True))
    except ValueError:
        size = 0
    if prefix != "whsec_" or size not in _SECRET_BYTES:
        raise ValueError("write whsec_ and 24 to 64 random bytes in base64: openssl rand -base64 32 makes them")
    return value


def named(key: str) -> Callable[[object], object]:
    """What tells each table of a dictionary its own name, as its field `key`."""

    def read(tables: object) -> object:
        if not isinstance(tables, dict):
            return tables
        for each, table in tables.items():
            if isinstance(table, dict) and table.get(key, each) != each:
                raise ValueError(f"{each} has a {key} of its own: the table's name is the {key}; leave the key out")
        return {each: {**table, key: each} if isinstance(table, dict) else table for each, table in tables.items()}

    return read


Port = Annotated[Whole, Ge(0), Le(_HIGHEST_PORT)]
WebAddress = Annotated[str, AfterValidator(web_address)]
Link = Annotated[str, AfterValidator(link)]
Symbol = Annotated[str, AfterValidator(symbol)]
Contact = Annotated[str, AfterValidator(contact)]


class ConfigModel(BaseModel):
    """A table of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(ConfigModel):
    """How the service listens and whom it lets in.

    With `metrics_port`, `/metrics` is there (on `metrics_host`, default `host`) and not on `port`. `drain` is how long
    the service goes on answering after SIGTERM, not ready any more, so that a balancer can look elsewhere. `rate_limit`
    is requests a minute for each client, 0 for no limit; `trusted_proxies` say whose client it is. `fast_path` answers
    what is ready before aiohttp's own parser; an access log or a rate limit needs the ordinary path.
    `default_language` is for a reader whose address has no `lang` and who sends no `Accept-Language`; without
    `negotiate_language` it is for everybody whose address has none, which is safe behind any cache.
    """

    host: Annotated[str, MinLen(1)] = "127.0.0.1"
    port: Port = 8080
    metrics_host: Annotated[str, MinLen(1)] | None = None
    metrics_port: Port | None = None
    access_log: Flag = False
    drain: Duration = timedelta(milliseconds=500)
    cors_origins: tuple[Annotated[str, AfterValidator(origin)], ...] = ("*",)
    public_url: WebAddress | None = None
    trusted_proxies: tuple[Annotated[str, AfterValidator(network)], ...] = ()
    rate_limit: Annotated[Whole, Ge(0), Le(1_000_000)] = 0
    fast_path: Flag = True
    default_language: Annotated[str, AfterValidator(language)] = "en"
    negotiate_language: Flag = True

    @model_validator(mode="after")
    def _listens_on_two_ports(self) -> Self:
        if self.metrics_port == self.port and self.port and self.metrics_host in {None, self.host}:
            raise ValueError(f"metrics_port and port are both {self.port}: give the metrics another, or none")
        return self


class StoreSettings(ConfigModel):
    """Where history and the last snapshot are kept, and for how long."""

    url: Annotated[str, AfterValidator(store_address)] = "sqlite:///var/ticker.db"
    raw: Positive = timedelta(days=90)
    hourly: Positive = timedelta(days=730)
    keep: Positive | None = None


class EvidenceSettings(ConfigModel):
    """How long it can be told why a number was shown."""

    keep: Positive = timedelta(days=90)


class Schedule(ConfigModel):
    """When a source is asked: `every` so often, or at `cron` times in `zone`; up to `jitter` is added at random."""

    every: Positive | None = None
    cron: tuple[Annotated[str, AfterValidator(cron_line)], ...] = ()
    zone: Zone = ZoneInfo("UTC")
    jitter: Duration = timedelta(seconds=5)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.every is None) is not bool(self.cron):
            raise ValueError('give either every = "60s" or cron = ["*/10 15-19 * * mon-fri"]')
        return self


class SourceSettings(ConfigModel):
    """One upstream: how it is asked and what is owed to it.

    `budget` is requests an hour, never exceeded. `carries` are the weekdays of which the tables come through a relay
    that drops others. Without `publish` its values are not told as evidence: its terms forbid it.
    """

    enabled: Flag = True
    adapter: str | None = None
    base_url: WebAddress | None = None
    calendar: str
    schedule: Schedule
    timeout: Positive = timedelta(seconds=10)
    max_bytes: Annotated[Whole, Ge(1_000), Le(64_000_000)] = 4_000_000
    budget: Annotated[Whole, Ge(1), Le(36_000)] = 60
    carries: Weekdays = "mon-sun"
    publish: Flag = True
    terms_url: Link | None = None
    attribution: Texts = Field(default_factory=dict)
    api_key: SecretStr | None = None

    @property
    def has_key(self) -> bool:
        """Whether there is a key; a variable that is set to nothing is none."""
        return bool(self.api_key and self.api_key.get_secret_value())


class WebhookSettings(ConfigModel):
    """Who is told of which events; no symbols are all. A `private` address is one of this network, on purpose."""

    enabled: Flag = True
    url: WebAddress
    events: Annotated[tuple[Event, ...], MinLen(1)] = EVENTS
    secret: Annotated[SecretStr, AfterValidator(signing_secret)]
    symbols: tuple[str, ...] = ()
    private: Flag = False

    @model_validator(mode="after")
    def _stays_outside(self) -> Self:
        host = (urlsplit(self.url).hostname or "").rstrip(".")
        try:
            inside = not ip_address(host).is_global
        except ValueError:
            inside = "." not in host or host.endswith((".localhost", ".local", ".internal", ".home.arpa"))
        if inside and not self.private:
            raise ValueError(f"{host} is an address of a private network: write private = true if that is meant")
        return self


class Settings(ConfigModel):
    """The whole configuration."""

    contact: Contact | None = None
    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    instruments: Annotated[dict[Symbol, Instrument], MinLen(1), BeforeValidator(named("symbol"))]
    calendars: dict[str, Annotated[Publication | Session, Field(discriminator="kind")]] = Field(default_factory=dict)
    sources: dict[str, SourceSettings] = Field(default_factory=dict)
    checks: Annotated[dict[str, Check], BeforeValidator(named("name"))] = Field(default_factory=dict)
    webhooks: dict[str, WebhookSettings] = Field(default_factory=dict)

    def as_written(self) -> dict[str, Any]:
        """The settings as a file would write them, without what a secret hides."""
        named_by_their_tables = {"instruments": {"__all__": {"symbol"}}, "checks": {"__all__": {"name"}}}
        return self.model_dump(mode="json", exclude=named_by_their_tables)

    def active(self, keyed: Container[str]) -> Self:
        """What is switched on: without what has `enabled = false`, and without `keyed` sources that have no key.

        `keyed` are the adapters that ask for one. A check goes with either instrument; without its sources the two are
        still measured by the table before.
        """
        sources = {source: each for source, each in self.sources.items() if not self.is_off(source, keyed)}
        shown = (each for each in self.instruments.values() if each.enabled)
        instruments = {each.symbol: _asking(each, sources) for each in shown}
        checks = {
            name: replace(each, sources=tuple(source for source in each.sources if source in sources))
            for name, each in self.checks.items()
            if {each.numerator, each.denominator} <= instruments.keys()
        }
        webhooks = {name: each for name, each in self.webhooks.items() if each.enabled}
        changed = {"sources": sources, "instruments": instruments, "checks": checks, "webhooks": webhooks}
        return self.model_copy(update=changed)

    def is_off(self, source: str, keyed: Container[str]) -> bool:
        """Whether `source` is never asked: switched off, or of an adapter that asks for a key and has none."""
        each = self.sources[source]
        return not each.enabled or ((each.adapter or source) in keyed and not each.has_key)

    def used_sources(self) -> tuple[str, ...]:
        """The sources that feed an instrument or a check, in the order of the configuration; no other is ever asked."""
        fed = {source for each in self.instruments.values() for source in each.all_sources}
        fed |= {source for each in self.checks.values() for source in each.sources}
        return tuple(source for source in self.sources if source in fed)

    def used_calendars(self) -> dict[str, Calendar]:
        """The calendars that a used source or an instrument is judged by, by name."""
        names = {self.sources[source].calendar for source in self.used_sources()}
        names |= {each.calendar for each in self.instruments.values() if each.calendar}
        return {name: each for name, each in self.calendars.items() if name in names}

    def calendar_name(self, symbol: str) -> str:
        """The calendar that `symbol` is judged by: its own, or that of its preferred source."""
        instrument = self.instruments[symbol]
        return instrument.calendar or self.sources[instrument.sources[0]].calendar

    def calendar_of(self, symbol: str) -> Calendar:
        """The calendar of `calendar_name`."""
        return self.calendars[self.calendar_name(symbol)]

    def zone_of(self, symbol: str) -> tzinfo:
        """Where the days of an instrument begin: where its preferred source publishes."""
        return self.calendar_of(symbol).zone

    def instruments_fed(self, source: str) -> tuple[str, ...]:
        """The symbols that `source` feeds."""
        return tuple(symbol for symbol, each in self.instruments.items() if source in each.all_sources)

    def checks_fed(self, source: str) -> tuple[str, ...]:
        """The names of the checks that `source` is a measure for."""
        return tuple(name for name, each in self.checks.items() if source in each.sources)

    @property
    def user_agent(self) -> str:
        """How the service calls itself to upstreams, with the address of whoever runs it."""
        return f"market-ticker/{__version__}" + (f" (+{self.contact})" if self.contact else "")


def _asking(instrument: Instrument, sources: Container[str]) -> Instrument:
    """`instrument` without those who are not among `sources`."""
    of_its_kind, fallbacks = (
        tuple(each for each in names if each in sources) for names in (instrument.sources, instrument.fallbacks)
    )
    return replace(instrument, sources=of_its_kind, fallbacks=fallbacks)
