"""What may be configured, with its bounds: one model from the file to the service."""

from __future__ import annotations

import dataclasses
import json
import pprint
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from rich.pretty import pretty_repr

from tests.settings.configurations import CONFIGURATIONS
from ticker.calendars import Publication, Session
from ticker.quotes import Check, Instrument
from ticker.settings.loader import load, shipped
from ticker.settings.models import (
    EVENTS,
    EvidenceSettings,
    Schedule,
    ServerSettings,
    Settings,
    SourceSettings,
    StoreSettings,
    WebhookSettings,
)
from ticker.sources import KEYED

OIL: dict[str, Any] = {"base": "BRENT", "quote": "USD", "sources": ["moex"]}
ASKED: dict[str, Any] = {"calendar": "cbr", "schedule": {"every": "60s"}}
SECRET = "whsec_" + "QUJD" * 8
HOOK: dict[str, Any] = {"url": "https://example.org/hook", "secret": SECRET}
TABLES = (
    *(ServerSettings, StoreSettings, EvidenceSettings, Schedule, SourceSettings, WebhookSettings, Settings),
    *(Instrument, Check, Publication, Session),
)


def read(table: type, written: object) -> Any:  # noqa: ANN401 - a `table`
    """The table that `written` writes."""
    return TypeAdapter(table).validate_python(written)


def instrument(**changes: object) -> Instrument:
    """Oil with `changes`, as a file writes it."""
    return Settings.model_validate({"instruments": {"OIL": {**OIL, **changes}}}).instruments["OIL"]


def shipped_settings(**flags: object) -> Settings:
    """The shipped settings with flags over them; __ stands for a dot."""
    return load(shipped(), {}, {key.replace("__", "."): value for key, value in flags.items()}).settings


def test_the_service_holds_the_model_that_was_validated() -> None:
    """One model of pydantic; instruments and calendars in it are the values that everything else works with."""
    settings = shipped_settings()
    assert isinstance(settings, BaseModel)
    assert all(isinstance(each, Instrument) for each in settings.instruments.values())
    assert all(isinstance(each, Publication | Session) for each in settings.calendars.values())


def test_settings_cannot_be_changed_once_they_are_read() -> None:
    """What `ticker check` prints is what is in force to the end."""
    settings = shipped_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc]  # what mypy refuses is refused at run time too
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.instruments["USD"].decimals = 1  # type: ignore[misc]  # as above


@pytest.mark.parametrize("table", TABLES)
def test_every_table_refuses_unknown_keys(table: type) -> None:
    """A key that nobody reads would promise something."""
    with pytest.raises(ValidationError) as error:
        read(table, {"nobody_reads": 1})
    assert {"extra_forbidden", "unexpected_keyword_argument"} & {each["type"] for each in error.value.errors()}


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        (ServerSettings, "port", -1),
        (ServerSettings, "port", 65_536),
        (ServerSettings, "port", True),
        (ServerSettings, "access_log", 1),
        (ServerSettings, "host", ""),
        (ServerSettings, "public_url", "ftp://example"),
        (ServerSettings, "public_url", "https://example.org:99999"),
        (StoreSettings, "url", "sqlte:///x"),
        (EvidenceSettings, "keep", "0d"),
        (Schedule, "every", "0s"),
        (Schedule, "cron", ["* * * *"]),
        (Schedule, "zone", "Mars"),
        (SourceSettings, "budget", 0),
        (SourceSettings, "carries", "someday"),
    ],
)
def test_a_value_out_of_bounds_is_refused(table: type, key: str, value: object) -> None:
    """With the key in the error."""
    plain = {"every": "1s"} if table is Schedule else ASKED if table is SourceSettings else {}
    with pytest.raises(ValidationError) as error:
        read(table, {**plain, key: value})
    assert key in {str(part) for each in error.value.errors() for part in each["loc"]}


@pytest.mark.parametrize("both", [{}, {"every": "1s", "cron": ["* * * * *"]}])
def test_a_schedule_is_either_every_or_cron(both: dict[str, Any]) -> None:
    """Neither leaves the source unasked, both leave open which."""
    with pytest.raises(ValidationError, match="give either every"):
        read(Schedule, both)


def test_metrics_need_a_port_of_their_own() -> None:
    """Two things cannot listen on one."""
    with pytest.raises(ValidationError, match="metrics_port and port are both 8080"):
        read(ServerSettings, {"metrics_port": 8080})
    assert read(ServerSettings, {"metrics_port": 8080, "metrics_host": "127.0.0.2"}).metrics_port == 8080


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "https://example.org", "http://example.org:8080", "https://xn--e1afmkfd.xn--p1ai", "http://127.0.0.1"),
        *("http://[::1]:8080", "http://localhost", "https://a_b.example", "https://example.org."),
    ],
)
def test_an_origin_that_a_browser_sends_is_taken(origin: str) -> None:
    """To the letter."""
    assert read(ServerSettings, {"cors_origins": [origin]}).cors_origins == (origin,)


@pytest.mark.parametrize(
    ("origin", "mend"),
    [
        ("https://example.org:443", "a browser sends 'https://example.org'"),
        ("http://example.org:80", "a browser sends 'http://example.org'"),
        ("https://Example.org", "a browser sends 'https://example.org'"),
        ("https://example.org:0443", "a browser sends 'https://example.org'"),
        ("https://example.org/", "without a path"),
        ("https://example.org?a", "without a path"),
        ("https://me@example.org", "without a path"),
        ("https://*.example.org", "without a path"),
        ("https://пример.рф", "without a path"),
        ("https://a..b", "without a path"),
        ("https://-a.example", "without a path"),
        ("https://127.1", "without a path"),
        ("https://256.0.0.1", "without a path"),
        ("https://0x7f.0.0.1", "without a path"),
        ("https://example.0x1", "without a path"),
        ("http://[0:0:0:0:0:0:0:1]", "without a path"),
        ("https://example.org:99999", "without a path"),
        ("https://example.org:0", "without a path"),
        ("https://", "without a path"),
        ("https://[::1", "without a path"),
        ("ftp://example.org", "without a path"),
        ("null", "without a path"),
        ("", "without a path"),
    ],
)
def test_an_origin_that_can_match_nothing_is_refused(origin: str, mend: str) -> None:
    """It would be believed to let a page in."""
    with pytest.raises(ValidationError) as error:
        read(ServerSettings, {"cors_origins": [origin]})
    assert mend in str(error.value)


def test_bounds_and_fractions_keep_the_digits_of_the_file() -> None:
    """0.0005 is exactly that, not its binary neighbour."""
    oil = instrument(tolerance=0.0005, band=[8.1, 400])
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
        ("max_move", True),
        ("max_move", float("nan")),
        ("decimals", 9),
        ("decimals", True),
        ("sources", []),
        ("max_age", "0d"),
        ("base", ""),
        ("rate", "newest"),
        ("required", "yes"),
    ],
)
def test_an_instrument_with_an_impossible_rule_is_refused(key: str, value: object) -> None:
    """A band upside down would refuse every price, a tolerance of nothing every second source."""
    with pytest.raises(ValidationError) as error:
        instrument(**{key: value})
    assert key in str(error.value)


def test_a_fallback_comes_before_the_number_is_withdrawn() -> None:
    """One that could never be shown is a mistake, and so is a source of two kinds."""
    oil = instrument(fallbacks=["fred"], fallback_after="2d", max_age="7d")
    assert oil.all_sources == ("moex", "fred")
    with pytest.raises(ValidationError, match=r"fallback_after \(7d\) must be below max_age \(7d\)"):
        instrument(fallbacks=["fred"], fallback_after="7d", max_age="7d")
    with pytest.raises(ValidationError, match="moex cannot be among both sources and fallbacks"):
        instrument(fallbacks=["moex"])


def test_a_unit_that_is_not_told_is_one_of_the_base() -> None:
    """`1 USD`, as every number of a currency is given."""
    assert instrument().unit == "1 BRENT"
    assert instrument(unit="1 barrel").unit == "1 barrel"


@pytest.mark.parametrize("symbol", ["usd", "", "A" * 17, "US/D", "USD EUR", "-X", "Ж"])
def test_a_symbol_is_short_and_safe_in_an_address(symbol: str) -> None:
    """It stands in paths, labels and attributes."""
    with pytest.raises(ValidationError, match="is no symbol"):
        Settings.model_validate({"instruments": {symbol: OIL}})


def test_a_table_is_named_once() -> None:
    """Another symbol inside would leave open which of the two it is."""
    with pytest.raises(ValidationError, match="OIL has a symbol of its own"):
        instrument(symbol="BRENT")


def test_a_secret_is_never_written() -> None:
    """Neither printed nor dumped, and its length is told to nobody."""
    source = read(SourceSettings, {**ASKED, "api_key": "s3cret"})
    assert source.api_key == SecretStr("s3cret")
    settings = Settings.model_validate({"instruments": {"OIL": OIL}, "webhooks": {"a": HOOK}, "sources": {"a": source}})
    shown = f"{settings!r} {settings} {pprint.pformat(settings)} {pretty_repr(settings)} {settings.as_written()}"
    assert "s3cret" not in shown
    assert "QUJD" not in shown
    assert settings.as_written()["sources"]["a"]["api_key"] == "**********"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"secret": "s3cret"}, "write whsec_ and 24 to 64 random bytes"),
        ({"secret": "whsec_QUJD"}, "write whsec_ and 24 to 64 random bytes"),
        ({"secret": "whsec_%%%%"}, "write whsec_ and 24 to 64 random bytes"),
        ({"events": ["quote.updated"]}, "quote.published"),
        ({"events": []}, "at least 1"),
        ({"url": "http://127.0.0.1/hook"}, "127.0.0.1 is an address of a private network"),
        ({"url": "http://10.1.2.3/hook"}, "private = true"),
        ({"url": "http://[fd00::1]/hook"}, "private = true"),
        ({"url": "http://169.254.169.254/latest"}, "private = true"),
        ({"url": "http://localhost/hook"}, "private = true"),
        ({"url": "http://desk/hook"}, "private = true"),
        ({"url": "http://desk.internal./hook"}, "private = true"),
        ({"url": "ftp://example.org"}, "is not an http:// or https:// address"),
    ],
)
def test_a_webhook_that_cannot_be_meant_is_refused(changes: dict[str, object], says: str) -> None:
    """A secret that nobody can verify with, an event that never comes, an address inside our network."""
    with pytest.raises(ValidationError) as error:
        read(WebhookSettings, {**HOOK, **changes})
    assert says in str(error.value)
    assert "s3cret" not in str(error.value).partition("input_value")[0]


def test_a_webhook_is_told_everything_unless_it_says_what() -> None:
    """And an address of this network is one where that is said."""
    plain = read(WebhookSettings, HOOK)
    assert (plain.events, plain.symbols, plain.private) == (EVENTS, (), False)
    assert read(WebhookSettings, {**HOOK, "url": "http://desk:8000/hook", "private": True}).private


@pytest.mark.parametrize("contact", ["https://example.org/about", "it@example.org", "mailto:it@example.org"])
def test_a_contact_goes_into_the_user_agent(contact: str) -> None:
    """So that a source can reach whoever asks it."""
    assert shipped_settings(contact=contact).user_agent.endswith(f" (+{contact})")
    assert "(" not in shipped_settings().user_agent


@pytest.mark.parametrize("contact", ["", "me", "it@example.org\r\nX: y", "a@b (c)", "пример@example.org", 3])
def test_a_contact_that_no_header_takes_is_refused(contact: object) -> None:
    """Or at which nobody can be reached."""
    with pytest.raises(ValidationError):
        Settings.model_validate({"contact": contact, "instruments": {"OIL": OIL}})


def test_what_is_off_takes_no_part() -> None:
    """An instrument, a source, and a source that has no key; a check goes with what it compares."""
    active = shipped_settings(instruments__EUR__enabled=False, sources__cbr_mirror__enabled=False).active(KEYED)
    assert list(active.instruments) == ["USD", "OIL"]
    assert "cbr_mirror" not in active.instruments["USD"].all_sources
    assert not active.checks
    assert not {"cbr_mirror", "eia", "ecb"} & set(active.used_sources())
    # Without the European Central Bank the two are still measured by the table before.
    assert shipped_settings(sources__ecb__enabled=False).active(KEYED).checks["EURUSD"].sources == ()
    assert "eia" in shipped_settings(sources__eia__api_key="k").active(KEYED).sources
    assert "eia" not in shipped_settings(sources__eia__api_key="").active(KEYED).sources


@bounded(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(CONFIGURATIONS)
def test_what_is_written_reads_back_as_itself(tree: dict[str, Any]) -> None:
    """What `ticker check` prints could stand in a file; keys alone are hidden."""
    settings = Settings.model_validate(tree)
    told = json.loads(json.dumps(settings.as_written()))
    for table, key in (("sources", "api_key"), ("webhooks", "secret")):
        for name, each in told[table].items():
            assert each[key] in {None, "**********"}
            each[key] = tree[table][name].get(key)
    assert Settings.model_validate(told) == settings
