"""What may be configured, with its bounds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from ticker.settings.load import load, shipped
from ticker.settings.model import TABLES, Instrument, Part, Schedule, Server, Settings, Source, Store
from ticker.settings.plain import plain
from ticker.settings.secret import Secret
from ticker.settings.validation import MIRRORS, validated
from ticker.values import optional

OIL: dict[str, Any] = {"base": "BRENT", "quote": "USD", "sources": ["moex"]}
ASKED: dict[str, Any] = {"calendar": "cbr", "schedule": {"every": "60s"}}


def test_settings_cannot_be_changed_once_they_are_read() -> None:
    """What `ticker check` prints is what is in force to the end."""
    settings = load(shipped(), {}, {}).settings
    with pytest.raises(AttributeError, match="immutable"):
        settings.server.port = 1  # type: ignore[misc]  # what mypy refuses is refused at run time too


@pytest.mark.parametrize("part", TABLES)
def test_every_table_refuses_unknown_keys(part: type[Part]) -> None:
    """A key that nobody reads would promise something."""
    with pytest.raises(ValidationError) as error:
        validated({"nobody_reads": 1}, part)
    assert "extra_forbidden" in {each["type"] for each in error.value.errors()}


@pytest.mark.parametrize("part", TABLES)
def test_what_is_looked_through_are_the_fields_of_the_table_and_no_others(part: type[Part]) -> None:
    """Told once; those with a default may be left out."""
    looked = MIRRORS[part.__name__].model_fields
    assert list(looked) == list(part.__struct_fields__)
    assert {name for name, field in looked.items() if not field.is_required()} == optional(part)


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        (Server, "port", -1),
        (Server, "port", 65_536),
        (Server, "rate_limit", -1),
        (Server, "public_url", "ftp://example"),
        (Store, "url", "sqlte:///x"),
        (Schedule, "every", "0s"),
        (Schedule, "cron", ["* * * *"]),
        (Schedule, "zone", "Mars"),
    ],
)
def test_a_value_out_of_bounds_is_refused(part: type[Part], key: str, value: object) -> None:
    """With the key in the error."""
    with pytest.raises(ValidationError) as error:
        validated({"every": "1s", key: value} if part is Schedule and key == "zone" else {key: value}, part)
    assert key in str(error.value)


@pytest.mark.parametrize("both", [{}, {"every": "1s", "cron": ["* * * * *"]}])
def test_a_schedule_is_either_every_or_cron(both: dict[str, Any]) -> None:
    """Neither leaves the source unasked, both leave open which."""
    with pytest.raises(ValidationError, match="give either every"):
        validated(both, Schedule)


def test_bounds_and_fractions_keep_the_digits_of_the_file() -> None:
    """0.0005 is exactly that, not its binary neighbour."""
    oil = validated({**OIL, "tolerance": 0.0005, "band": [8.1, 400]}, Instrument)
    assert (oil.tolerance, oil.band) == (Decimal("0.0005"), (Decimal("8.1"), Decimal(400)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("band", [400, 8]),
        ("band", [8, 8]),
        ("band", [-1, 8]),
        ("band", [8]),
        ("tolerance", 0),
        ("max_move", 1.5),
        ("max_move", float("nan")),
        ("decimals", 9),
        ("sources", []),
        ("max_age", "0d"),
        ("base", ""),
    ],
)
def test_an_instrument_with_an_impossible_rule_is_refused(key: str, value: object) -> None:
    """A band upside down would refuse every price, a tolerance of nothing every second source."""
    with pytest.raises(ValidationError) as error:
        validated({**OIL, key: value}, Instrument)
    assert key in str(error.value)


def test_a_secret_is_never_written() -> None:
    """Neither printed nor dumped."""
    source = validated({**ASKED, "api_key": "s3cret"}, Source)
    assert source.api_key == Secret("s3cret")
    assert "s3cret" not in f"{source!r} {source} {plain(source)}"


@pytest.mark.parametrize("symbol", ["usd", "", "A" * 17, "US/D", "USD EUR", "-X", "Ж"])
def test_a_symbol_is_short_and_safe_in_an_address(symbol: str) -> None:
    """It stands in paths, labels and attributes."""
    with pytest.raises(ValidationError, match="is no symbol"):
        validated({"instruments": {symbol: OIL}}, Settings)
