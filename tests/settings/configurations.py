"""Configurations of every kind that validation lets through, as layers of a file would write them."""

from __future__ import annotations

from datetime import time
from typing import Any

from hypothesis import strategies as st

from ticker.settings import model
from ticker.values import optional

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
DURATIONS = st.integers(1, 9_999).flatmap(
    lambda count: st.sampled_from(["ms", "s", "m", "h"]).map(f"{count}{{}}".format)
)
TIMES = st.times().map(lambda each: each.replace(fold=0))
FRACTIONS = st.integers(1, 1_000_000).map(lambda parts: parts / 1_000_000)
ADDRESSES = st.sampled_from(["https://host.example", "http://host.example:8080/a/b", "https://host.example/a?b=c#d"])
# What a file may write for each type that the tables name.
WRITTEN: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXT,
    "bool": st.booleans(),
    "Port": st.integers(1, 65535),
    "Duration": DURATIONS,
    "Positive": DURATIONS,
    "Origins": st.sampled_from([["*"], ["https://a.example", "http://b.example:8000"]]),
    "WebAddress": ADDRESSES,
    "Link": ADDRESSES,
    "Networks": st.lists(st.sampled_from(["10.0.0.0/8", "::1", "127.0.0.1"]), max_size=2),
    "Rate": st.integers(0, 1_000_000),
    "StoreAddress": st.sampled_from(["memory://", "sqlite:///a/b.db", "redis://me:s3cret@host:6379/0"]),
    "CronLines": st.lists(st.sampled_from(["* * * * *", "*/10 15-19 * * mon-fri"]), min_size=1, max_size=3),
    "Zone": st.sampled_from(["UTC", "Europe/Moscow", "America/New_York"]),
    "Bytes": st.integers(1_000, 64_000_000),
    "Budget": st.integers(1, 36_000),
    "Texts": st.dictionaries(TEXT, TEXT, max_size=3),
    "dict[str, str]": st.dictionaries(TEXT, TEXT, max_size=3),
    "Key": st.sampled_from(["s3cret", "1 s3cret"]),
    "time": TIMES | TIMES.map(time.isoformat),
    "Days": st.sampled_from(["mon-fri", "sun,tue-thu", "wed"]),
    "Holidays": st.sampled_from(["RU", "US", "XECB"]),
    "Lead": st.integers(-31, 1),
    "Code": st.text("ABCDEF", min_size=1, max_size=32),
    "Decimals": st.integers(0, 8),
    "Names": st.lists(st.sampled_from(["one", "two"]), min_size=1, max_size=3),
    "Fraction": FRACTIONS,
    "Band": st.tuples(st.integers(0, 9), st.floats(10, 1e9, allow_nan=False)).map(list),
    "Literal['publication']": st.just("publication"),
    "Literal['session']": st.just("session"),
}


def tables(table: type[model.Part], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A table as it may be written; what is `fixed` is written so."""
    told = {
        name: WRITTEN[kind.removesuffix(" | None").removeprefix("rules.")]
        for name, kind in _kinds(table)
        if name not in fixed
    }
    free = {name: each for name, each in told.items() if name in optional(table)}
    return st.fixed_dictionaries({**fixed, **{n: e for n, e in told.items() if n not in free}}, optional=free)


def _kinds(table: type[model.Part]) -> list[tuple[str, str]]:
    told = table.__annotations__.items()
    return [(name, str(kind).removesuffix(" | None").removeprefix("rules.")) for name, kind in told]


def _named(each: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.text("ABCDEF", min_size=1, max_size=8), each, min_size=least, max_size=2)


SCHEDULES = tables(model.Schedule, every=WRITTEN["Positive"], cron=st.just([])) | tables(
    model.Schedule, every=st.none(), cron=WRITTEN["CronLines"]
)
SERVERS = tables(model.Server, metrics_port=st.none()) | tables(
    model.Server, port=st.integers(1, 9_999), metrics_port=st.integers(10_000, 65_535)
)
CONFIGURATIONS = st.fixed_dictionaries(
    {
        "server": SERVERS,
        "store": tables(model.Store),
        "instruments": _named(tables(model.Instrument), least=1),
        "calendars": _named(tables(model.PublicationCalendar) | tables(model.SessionCalendar)),
        "sources": _named(tables(model.Source, schedule=SCHEDULES)),
        "checks": _named(tables(model.Check)),
    }
)
