"""What may be configured, with its bounds. Frozen; unknown keys are refused."""

from __future__ import annotations

import re
from datetime import time, timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from ticker.calendars import days_of, known
from ticker.settings.types import Duration, Fraction, Positive, Price, Zone, masked

Texts = dict[str, str]
# RFC 3986 has none of them; an address becomes a link, a header and code that people copy.
_NO_ADDRESS = re.compile(r"""[\x00-\x20\x7f"<>\\^`{|}]""")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,15}")


def web_address(value: str) -> str:
    """`value`, if it is an absolute http(s) URL with a host and without credentials. Raises ValueError otherwise."""
    if found := _NO_ADDRESS.search(value):
        message = f"{masked(value)!r} has a {found[0]!r}, which no address has: write it as %{ord(found[0]):02X}"
        raise ValueError(message)
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        message = f"{masked(value)!r} is not an http:// or https:// address with a host and without a user name"
        raise ValueError(message)
    return value.rstrip("/")


def _known_holidays(value: str | None) -> str | None:
    return value if value is None else known(value)


class Part(BaseModel):
    """A table of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Server(Part):
    """How the service listens and whom it lets in.

    With `metrics_port`, `/metrics` is there (on `metrics_host`, default `host`) and not on `port`. `drain` is how long
    the service goes on answering after SIGTERM, not ready any more, so that a balancer can look elsewhere. `rate_limit`
    is requests a minute for each client, 0 for no limit; of a client behind `trusted_proxies` they say the address.
    `express` answers what is ready before aiohttp's own parser; an access log or a rate limit needs the ordinary path.
    """

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    metrics_host: str | None = None
    metrics_port: int | None = Field(None, ge=0, le=65535)
    access_log: bool = False
    drain: Duration = timedelta(milliseconds=500)
    workers: int = Field(1, ge=1, le=64)
    cors_origins: tuple[str, ...] = ("*",)
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    rate_limit: int = Field(0, ge=0, le=1_000_000)
    express: bool = True

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ip_network(each, strict=False)
            except ValueError:
                message = f"{each!r} is no address or network: write 10.0.0.0/8 or 127.0.0.1"
                raise ValueError(message) from None
        return value

    @field_validator("public_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        return value if value is None else web_address(value)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.metrics_port != self.port or not self.port or self.metrics_host not in {None, self.host}:
            return self
        message = f"metrics_port and port are both {self.port}: give the metrics another, or none"
        raise ValueError(message)


class Store(Part):
    """Where history and the last snapshot are kept."""

    url: str = "sqlite:///var/ticker.db"
    raw: Positive = timedelta(days=90)
    hourly: Positive = timedelta(days=730)
    keep: Positive | None = None

    @field_validator("url")
    @classmethod
    def _known(cls, value: str) -> str:
        if value == "memory://" or (value.startswith("sqlite:///") and value.strip("/") != "sqlite:"):
            return value
        if value.startswith(("redis", "rediss")):
            from ticker.stores.redis.address import address_of  # noqa: PLC0415 - only where the store is one

            address_of(value)
            return value
        there = (
            "memory://, sqlite:///FILE, redis://HOST:6379/0 and rediss:// (TLS), redis+sentinel:// or redis+cluster://"
        )
        message = f"no store at {masked(value)!r}; there are {there}"
        raise ValueError(message)


class Schedule(Part):
    """When a source is asked: `every` so often, or at `cron` times in `zone`; `jitter` is added at random."""

    every: Positive | None = None
    cron: tuple[str, ...] = ()
    zone: Zone = Field(default="UTC", validate_default=True)
    jitter: Duration = timedelta(seconds=5)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.every is None) is bool(self.cron):
            return self
        message = 'give either every = "60s" or cron = ["*/10 15-19 * * mon-fri"]'
        raise ValueError(message)

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for line in lines:
            if len(line.split()) != 5:  # noqa: PLR2004 - minute, hour, day, month, weekday
                message = f"{line!r} does not have the five fields of cron: minute hour day month weekday"
                raise ValueError(message)
        return lines


class Source(Part):
    """One upstream: how it is asked and what is owed to it. `budget` is requests an hour."""

    adapter: str | None = None
    base_url: str | None = None
    calendar: str
    schedule: Schedule
    timeout: Positive = timedelta(seconds=10)
    max_bytes: int = Field(4_000_000, ge=1_000, le=64_000_000)
    budget: int = Field(60, ge=1, le=36_000)
    terms_url: str | None = None
    attribution: Texts = {}
    api_key: SecretStr | None = None

    @field_validator("base_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        return value if value is None else web_address(value)

    @field_validator("terms_url")
    @classmethod
    def _is_link(cls, value: str | None) -> str | None:
        # As the publisher writes it: with its last slash.
        return value if value is None or web_address(value) else None


class PublicationCalendar(Part):
    """A table that appears on working days at an hour; `lead` is how many days later it comes into force."""

    kind: Literal["publication"]
    zone: Zone
    at: time
    grace: Duration
    days: str = "mon-fri"
    holidays: str | None = None
    lead: int = Field(0, ge=-31, le=1)

    _days = field_validator("days")(lambda value: days_of(value) and value)
    _holidays = field_validator("holidays")(_known_holidays)


class SessionCalendar(Part):
    """A market that trades between two hours."""

    kind: Literal["session"]
    zone: Zone
    opens: time
    closes: time
    delay: Duration = timedelta(0)
    grace: Duration
    days: str = "mon-fri"
    holidays: str | None = None

    _days = field_validator("days")(lambda value: days_of(value) and value)
    _holidays = field_validator("holidays")(_known_holidays)


class Instrument(Part):
    """What is quoted and the rules its number must obey; fractions are written 0.02 for 2 %."""

    label: Texts = {}
    name: Texts = {}
    base: str = Field(min_length=1, max_length=32)
    quote: str = Field(min_length=1, max_length=32)
    unit: str | None = None
    decimals: int = Field(2, ge=0, le=8)
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    max_age: Positive = timedelta(days=14)
    max_move: Fraction = Decimal("0.1")
    tolerance: Fraction = Decimal("0.005")
    band: tuple[Price, Price] = (Decimal(0), Decimal(1_000_000_000))
    calendar: str | None = None
    required: bool = True
    codes: dict[str, str] = {}

    @field_validator("band")
    @classmethod
    def _ordered(cls, value: tuple[Decimal, Decimal]) -> tuple[Decimal, Decimal]:
        if value[0] >= value[1]:
            message = f"the lower bound {value[0]} is not below the upper one {value[1]}"
            raise ValueError(message)
        return value


class Check(Part):
    """`numerator` over `denominator`, two instruments, must be near base/quote as `sources` give it."""

    numerator: str
    denominator: str
    base: str
    quote: str
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    tolerance: Fraction = Decimal("0.02")
    max_age: Positive = timedelta(days=7)


Calendar = Annotated[PublicationCalendar | SessionCalendar, Field(discriminator="kind")]


class Settings(Part):
    """The whole configuration."""

    server: Server = Server()
    store: Store = Store()
    instruments: Annotated[dict[str, Instrument], Field(min_length=1)]
    calendars: dict[str, Calendar] = {}
    sources: dict[str, Source] = {}
    checks: dict[str, Check] = {}

    @field_validator("instruments")
    @classmethod
    def _symbols(cls, value: dict[str, Instrument]) -> dict[str, Instrument]:
        for symbol in value:
            if not _SYMBOL.fullmatch(symbol):
                message = f"{symbol!r} is no symbol: capital letters, digits, '.', '_' and '-', 16 at most"
                raise ValueError(message)
        return value
