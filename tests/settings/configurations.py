"""Configurations of every kind that validation lets through, as layers of a file would write them."""

from __future__ import annotations

from datetime import time
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
CODES = st.text("ABCDEF", min_size=1, max_size=32)
FLAGS = st.booleans()
DURATIONS = st.integers(1, 9_999).flatmap(
    lambda count: st.sampled_from(["ms", "s", "m", "h"]).map(f"{count}{{}}".format)
)
TIMES = st.times().map(lambda each: each.replace(fold=0))
FRACTIONS = st.integers(1, 1_000_000).map(lambda parts: parts / 1_000_000)
ADDRESSES = st.sampled_from(["https://host.example", "http://host.example:8080/a/b", "https://host.example/a?b=c#d"])
ZONES = st.sampled_from(["UTC", "Europe/Moscow", "America/New_York"])
WORDS = st.dictionaries(TEXT, TEXT, max_size=3)
NAMES = st.lists(st.sampled_from(["one", "two"]), min_size=1, max_size=2, unique=True)
HOLIDAYS = st.sampled_from(["RU", "US", "XECB"])
DAYS = st.sampled_from(["mon-fri", "sun,tue-thu", "wed"])


def _table(needed: dict[str, st.SearchStrategy[Any]], **free: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(needed, optional=free)


def _named(each: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.text("ABCDEF", min_size=1, max_size=8), each, min_size=least, max_size=2)


SERVERS = _table(
    {"port": st.integers(0, 9_999)},
    host=CODES,
    metrics_host=CODES,
    metrics_port=st.integers(10_000, 65_535),
    access_log=FLAGS,
    drain=DURATIONS,
    cors_origins=st.sampled_from([["*"], [], ["https://a.example", "http://b.example:8000"]]),
    public_url=ADDRESSES,
    trusted_proxies=st.lists(st.sampled_from(["10.0.0.0/8", "::1", "127.0.0.1"]), max_size=2),
    rate_limit=st.integers(0, 1_000_000),
    fast_path=FLAGS,
    default_language=st.sampled_from(["en", "ru", "pt-BR"]),
    negotiate_language=FLAGS,
)
STORES = _table(
    {},
    url=st.sampled_from(["memory://", "sqlite:///a/b.db", "redis://me:s3cret@host:6379/0"]),
    raw=DURATIONS,
    hourly=DURATIONS,
    keep=DURATIONS,
)
SCHEDULES = _table({"every": DURATIONS}, zone=ZONES, jitter=DURATIONS) | _table(
    {"cron": st.lists(st.sampled_from(["* * * * *", "*/10 15-19 * * mon-fri"]), min_size=1, max_size=3)},
    zone=ZONES,
    jitter=DURATIONS,
)
SOURCES = _table(
    {"calendar": TEXT, "schedule": SCHEDULES},
    enabled=FLAGS,
    adapter=TEXT,
    base_url=ADDRESSES,
    timeout=DURATIONS,
    max_bytes=st.integers(1_000, 64_000_000),
    budget=st.integers(1, 36_000),
    carries=DAYS,
    publish=FLAGS,
    terms_url=ADDRESSES,
    attribution=WORDS,
    api_key=st.sampled_from(["s3cret", "1 s3cret"]),
)
INSTRUMENTS = _table(
    {"base": CODES, "quote": CODES, "sources": NAMES},
    enabled=FLAGS,
    label=WORDS,
    name=WORDS,
    unit=TEXT,
    decimals=st.integers(0, 8),
    fallbacks=st.lists(st.sampled_from(["three", "four"]), max_size=2, unique=True),
    fallback_after=st.integers(1, 48).map("{}h".format),
    rate=st.sampled_from(["in_force", "latest"]),
    max_age=st.integers(49, 99).map("{}h".format),
    max_move=FRACTIONS,
    tolerance=FRACTIONS,
    band=st.tuples(st.integers(0, 9), st.floats(10, 1e9, allow_nan=False)).map(list),
    calendar=TEXT,
    required=FLAGS,
    codes=WORDS,
).filter(lambda each: "fallbacks" not in each or "fallback_after" in each)
PUBLICATIONS = _table(
    {"kind": st.just("publication"), "zone": ZONES, "at": TIMES | TIMES.map(time.isoformat)},
    grace=DURATIONS,
    days=DAYS,
    holidays=HOLIDAYS,
    lead=st.integers(-31, 1),
    covered_until=st.dates(),
)
MARKETS = _table(
    {"kind": st.just("session"), "zone": ZONES, "opens": TIMES, "closes": TIMES},
    delay=DURATIONS,
    grace=DURATIONS,
    days=DAYS,
    holidays=HOLIDAYS,
)
CHECKS = _table(
    {"numerator": TEXT, "denominator": TEXT, "base": CODES, "quote": CODES, "sources": NAMES},
    tolerance=FRACTIONS,
    max_age=DURATIONS,
)
WEBHOOKS = _table(
    {"url": st.just("https://host.example/hook"), "secret": st.just("whsec_" + "QUJD" * 8)},
    enabled=FLAGS,
    events=st.sampled_from([["correction"], ["quote.stale", "override"]]),
    symbols=NAMES,
    private=FLAGS,
)
CONFIGURATIONS = _table(
    {"instruments": _named(INSTRUMENTS, least=1)},
    contact=st.sampled_from(["https://host.example/about", "it@host.example"]),
    server=SERVERS,
    store=STORES,
    evidence=_table({}, keep=DURATIONS),
    calendars=_named(PUBLICATIONS | MARKETS),
    sources=_named(SOURCES),
    checks=_named(CHECKS),
    webhooks=_named(WEBHOOKS),
)
