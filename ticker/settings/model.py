"""What may be configured, as frozen values. What each may be is in `rules`, which only a validation imports."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct, field

if TYPE_CHECKING:
    from ticker.settings import rules


# Of a language, its words.
Texts = dict[str, str]


class Part(Struct, frozen=True):
    """A table of the configuration."""


class Server(Part, frozen=True, kw_only=True):
    """How the service listens and whom it lets in.

    With `metrics_port`, `/metrics` is there (on `metrics_host`, default `host`) and not on `port`. `drain` is how long
    the service goes on answering after SIGTERM, not ready any more, so that a balancer can look elsewhere. `rate_limit`
    is requests a minute for each client, 0 for no limit; of a client behind `trusted_proxies` they say the address.
    `express` answers what is ready before aiohttp's own parser; an access log or a rate limit needs the ordinary path.
    """

    host: str = "127.0.0.1"
    port: rules.Port = 8080
    metrics_host: str | None = None
    metrics_port: rules.Port | None = None
    access_log: bool = False
    drain: rules.Duration = timedelta(milliseconds=500)
    cors_origins: rules.Origins = ("*",)
    public_url: rules.WebAddress | None = None
    trusted_proxies: rules.Networks = ()
    rate_limit: rules.Rate = 0
    express: bool = True


class Store(Part, frozen=True, kw_only=True):
    """Where history and the last snapshot are kept."""

    url: rules.StoreAddress = "sqlite:///var/ticker.db"
    raw: rules.Positive = timedelta(days=90)
    hourly: rules.Positive = timedelta(days=730)
    keep: rules.Positive | None = None


class Schedule(Part, frozen=True, kw_only=True):
    """When a source is asked: `every` so often, or at `cron` times in `zone`; `jitter` is added at random."""

    every: rules.Positive | None = None
    cron: rules.CronLines = ()
    zone: rules.Zone = field(default_factory=lambda: ZoneInfo("UTC"))
    jitter: rules.Duration = timedelta(seconds=5)


class Source(Part, frozen=True, kw_only=True):
    """One upstream: how it is asked and what is owed to it. `budget` is requests an hour."""

    adapter: str | None = None
    base_url: rules.WebAddress | None = None
    calendar: str
    schedule: Schedule
    timeout: rules.Positive = timedelta(seconds=10)
    max_bytes: rules.Bytes = 4_000_000
    budget: rules.Budget = 60
    terms_url: rules.Link | None = None
    attribution: Texts = field(default_factory=dict)
    api_key: rules.Key | None = None


class PublicationCalendar(Part, frozen=True, kw_only=True):
    """A table that appears on working days at an hour; `lead` is how many days later it comes into force."""

    kind: Literal["publication"]
    zone: rules.Zone
    at: time
    grace: rules.Duration
    days: rules.Days = "mon-fri"
    holidays: rules.Holidays | None = None
    lead: rules.Lead = 0


class SessionCalendar(Part, frozen=True, kw_only=True):
    """A market that trades between two hours."""

    kind: Literal["session"]
    zone: rules.Zone
    opens: time
    closes: time
    delay: rules.Duration = timedelta(0)
    grace: rules.Duration
    days: rules.Days = "mon-fri"
    holidays: rules.Holidays | None = None


class Instrument(Part, frozen=True, kw_only=True):
    """What is quoted and the rules its number must obey; fractions are written 0.02 for 2 %."""

    label: Texts = field(default_factory=dict)
    name: Texts = field(default_factory=dict)
    base: rules.Code
    quote: rules.Code
    unit: str | None = None
    decimals: rules.Decimals = 2
    sources: rules.Names
    max_age: rules.Positive = timedelta(days=14)
    max_move: rules.Fraction = Decimal("0.1")
    tolerance: rules.Fraction = Decimal("0.005")
    band: rules.Band = (Decimal(0), Decimal(1_000_000_000))
    calendar: str | None = None
    required: bool = True
    codes: dict[str, str] = field(default_factory=dict)


class Check(Part, frozen=True, kw_only=True):
    """`numerator` over `denominator`, two instruments, must be near base/quote as `sources` give it."""

    numerator: str
    denominator: str
    base: str
    quote: str
    sources: rules.Names
    tolerance: rules.Fraction = Decimal("0.02")
    max_age: rules.Positive = timedelta(days=7)


Calendar = PublicationCalendar | SessionCalendar


class Settings(Part, frozen=True, kw_only=True):
    """The whole configuration."""

    server: Server = Server()
    store: Store = Store()
    instruments: Annotated[dict[rules.Symbol, Instrument], rules.AtLeastOne]
    calendars: dict[str, Annotated[Calendar, rules.ByKind]] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)


# In the order in which one speaks of another.
TABLES: tuple[type[Part], ...] = (
    Server,
    Store,
    Schedule,
    Source,
    PublicationCalendar,
    SessionCalendar,
    Instrument,
    Check,
    Settings,
)
