"""Reading the configuration: layers, where a value is from, and errors that name file, key and mend."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from ticker.calendars import Session
from ticker.settings.errors import ConfigurationError, redact
from ticker.settings.loader import Changes, Loaded, compare, ensure_reloadable, load, shipped
from ticker.settings.models import Settings
from ticker.sources import KEYED

HOOK = f"[webhooks.a]\nurl = 'https://h.example'\nsecret = 'whsec_{'QUJD' * 8}'\n"
YUAN = """
[instruments.CNY]
base = "CNY"
quote = "RUB"
sources = ["cbr"]
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A configuration file with one instrument of its own."""
    file = tmp_path / "own.toml"
    file.write_text(YUAN)
    return file


def refused(file: Path | None, environment: Mapping[str, str] | None = None) -> str:
    """What the error says."""
    with pytest.raises(ConfigurationError) as error:
        load(file, environment or {}, {})
    return str(error.value)


def test_the_shipped_configuration_is_good_and_needs_no_key() -> None:
    """The trio in the order of the header, each with its sources, no secret among them."""
    settings = load(shipped(), {}, {}).settings
    assert list(settings.instruments) == ["USD", "EUR", "OIL"]
    assert all(source.api_key is None for source in settings.sources.values())


def test_without_a_file_the_shipped_copy_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ticker serve` works in any folder."""
    monkeypatch.chdir(tmp_path)
    loaded = load(None, {}, {})
    assert loaded.settings == load(shipped(), {}, {}).settings
    assert loaded.origins["server.port"] == str(shipped())


def test_a_file_in_the_folder_config_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """./config/ticker.toml is the default."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "ticker.toml").write_text("[server]\nport = 9999")
    monkeypatch.chdir(tmp_path)
    loaded = load(None, {}, {})
    assert (loaded.settings.server.port, loaded.origins["server.port"]) == (9999, "config/ticker.toml")
    assert loaded.origins["server.host"] == "shipped"


def test_a_file_is_laid_over_what_is_shipped_key_by_key(tmp_path: Path) -> None:
    """What it does not name is as shipped: one number changed does not take two instruments away."""
    (tmp_path / "own.toml").write_text("[instruments.USD]\nmax_move = 0.1\n[sources.cbr]\ntimeout = '3s'")
    settings, plain = load(tmp_path / "own.toml", {}, {}).settings, load(shipped(), {}, {}).settings
    usd = plain.instruments["USD"]
    assert settings.instruments == {
        **plain.instruments,
        "USD": replace(usd, max_move=settings.instruments["USD"].max_move),
    }
    assert str(settings.instruments["USD"].max_move) == "0.1"
    assert settings.sources["cbr"].model_copy(update={"timeout": plain.sources["cbr"].timeout}) == plain.sources["cbr"]


def test_a_list_and_a_schedule_are_replaced_whole(tmp_path: Path) -> None:
    """Half of one and half of another would be neither."""
    text = "[instruments.USD]\nsources = ['cbr']\nfallbacks = []\n[sources.cbr.schedule]\nevery = '1m'"
    (tmp_path / "own.toml").write_text(text)
    settings = load(tmp_path / "own.toml", {}, {}).settings
    assert settings.instruments["USD"].all_sources == ("cbr",)
    assert (settings.sources["cbr"].schedule.cron, str(settings.sources["cbr"].schedule.zone)) == ((), "UTC")


def test_a_new_instrument_stands_behind_the_shipped_ones(written: Path) -> None:
    """With the shipped sources to ask."""
    assert list(load(written, {}, {}).settings.instruments) == ["USD", "EUR", "OIL", "CNY"]


@pytest.mark.parametrize(
    ("named", "order"),
    [
        (["OIL"], ["USD", "EUR", "OIL"]),
        (["OIL", "USD"], ["USD", "EUR", "OIL"]),
        (["OIL", "EUR", "USD"], ["OIL", "EUR", "USD"]),
        (["CNY", "USD"], ["USD", "EUR", "OIL", "CNY"]),
        (["CNY", "USD", "OIL", "EUR"], ["CNY", "USD", "OIL", "EUR"]),
        (["-EUR", "OIL", "USD"], ["OIL", "USD"]),
        (["-OIL", "CNY", "USD"], ["USD", "EUR", "CNY"]),
    ],
)
def test_a_file_that_names_every_instrument_gives_their_order(
    tmp_path: Path, named: list[str], order: list[str]
) -> None:
    """One that names a few of them changes those; `-` stands for one that is taken out."""
    needed = {"CNY": "base = 'CNY'\nquote = 'RUB'\nsources = ['cbr']"}
    tables = (f"[instruments.{each.lstrip('-')}]\n{needed.get(each, '')}" for each in named)
    texts = [table + ("enabled = false" if each[0] == "-" else "") for table, each in zip(tables, named, strict=True)]
    (tmp_path / "own.toml").write_text("\n".join(texts))
    assert list(load(tmp_path / "own.toml", {}, {}).settings.active(KEYED).instruments) == order


def test_a_calendar_is_a_file_beside_the_configuration(tmp_path: Path) -> None:
    """Over the shipped one of its name, key by key; a dated exception is added; the configuration goes over both."""
    (tmp_path / "own.toml").write_text("[calendars.cbr]\nat = '18:00'")
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / "cbr.toml").write_text(
        "grace = '9h'\nat = '17:00'\n[[exceptions]]\ndates = [2031-01-09]\nclosed = true"
    )
    (tmp_path / "calendars" / "mine.toml").write_text("kind = 'publication'\nzone = 'UTC'\nat = '09:00'")
    loaded, plain = load(tmp_path / "own.toml", {}, {}), load(shipped(), {}, {}).settings.calendars["cbr"]
    calendar = loaded.settings.calendars["cbr"]
    assert (calendar.grace.total_seconds(), calendar.kind) == (9 * 3600, "publication")
    assert calendar.kind == plain.kind == "publication"
    assert calendar.at.hour == 18
    assert calendar.exceptions[: len(plain.exceptions)] == plain.exceptions
    assert len(calendar.exceptions) == len(plain.exceptions) + 1
    assert str(loaded.settings.calendars["mine"].zone) == "UTC"
    assert loaded.origins["calendars.cbr.grace"] == str(tmp_path / "calendars" / "cbr.toml")
    assert loaded.origins["calendars.cbr.at"] == str(tmp_path / "own.toml")


def test_an_error_of_a_calendar_names_its_file(tmp_path: Path) -> None:
    """And not the configuration beside which it lies."""
    (tmp_path / "own.toml").write_text("")
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / "cbr.toml").write_text("garce = '9h'")
    said = refused(tmp_path / "own.toml")
    assert said.startswith(f"{tmp_path / 'calendars' / 'cbr.toml'}: calendars.cbr.garce: no such key"), said
    (tmp_path / "calendars" / "cbr.toml").write_text("garce = ")
    assert refused(tmp_path / "own.toml").startswith(f"{tmp_path / 'calendars' / 'cbr.toml'}: not TOML")


def test_a_calendar_of_another_kind_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    """The keys of a bank mean nothing to a market."""
    text = "[calendars.cbr]\nkind = 'session'\nzone = 'UTC'\nopens = '09:00'\ncloses = '10:00'"
    (tmp_path / "own.toml").write_text(text)
    assert load(tmp_path / "own.toml", {}, {}).settings.calendars["cbr"].kind == "session"


def test_a_market_has_one_form_of_hours(tmp_path: Path) -> None:
    """The one that a file gives takes the place of the shipped one."""
    (tmp_path / "own.toml").write_text("[calendars.moex_forts]\nopens = '09:00'\ncloses = '10:00'")
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / "dealers.toml").write_text(
        "[[timetables]]\nsessions = [{ days = 'mon-fri', opens = '09:00', closes = '18:00' }]"
    )
    calendars = load(tmp_path / "own.toml", {}, {}).settings.calendars
    market, dealers = calendars["moex_forts"], calendars["dealers"]
    assert isinstance(market, Session)
    assert isinstance(dealers, Session)
    assert (market.timetables, market.opens) == ((), time(9))
    assert (len(dealers.timetables), dealers.opens) == (1, None)


@pytest.mark.parametrize("text", [f"[instruments.USD]\n{'.'.join('x' * 3000)} = 1", f"x = {'[' * 50_000}"])
def test_tables_without_end_are_refused(tmp_path: Path, text: str) -> None:
    """In a sentence, not by the stack."""
    (tmp_path / "own.toml").write_text(text)
    assert "too many of them" in refused(tmp_path / "own.toml")
    variable = f"TICKER_SOURCES__CBR__ATTRIBUTION__{'__'.join('X' * 3000)}"
    assert "too many of them" in refused(shipped(), {variable: "1"})


def test_the_environment_names_the_file_where_no_flag_does(tmp_path: Path, written: Path) -> None:
    """TICKER_CONFIG is no setting; an empty one names nothing."""
    variables = {"TICKER_CONFIG": str(written)}
    assert "CNY" in load(None, variables, {}).settings.instruments
    assert load(None, variables, {}).file == str(written)
    assert "CNY" not in load(shipped(), variables, {}).settings.instruments
    assert load(None, {"TICKER_CONFIG": ""}, {}).settings == load(None, {}, {}).settings
    with pytest.raises(ConfigurationError, match=r"none\.toml: no such file"):
        load(None, {"TICKER_CONFIG": str(tmp_path / "none.toml")}, {})


def test_a_flag_goes_over_the_environment_over_the_file_over_what_is_shipped(written: Path) -> None:
    """Each layer is seen where the ones over it are silent, and `origins` says which one spoke."""
    environment = {"TICKER_SERVER__PORT": "9002", "TICKER_SERVER__HOST": "10.0.0.2"}
    written.write_text('[server]\nport = 9001\nhost = "10.0.0.1"\ncors_origins = ["https://one.example"]' + YUAN)
    loaded = load(written, environment, {"server.port": 9003})
    server = loaded.settings.server
    assert (server.port, server.host, server.cors_origins) == (9003, "10.0.0.2", ("https://one.example",))
    assert [loaded.origins[f"server.{key}"] for key in ("port", "host", "cors_origins", "drain")] == [
        "--port",
        "environment TICKER_SERVER__HOST",
        str(written),
        "shipped",
    ]


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("TICKER_SOURCES__CBR__TIMEOUT", "7s", "timeout"),
        ("TICKER_sources__Cbr__max_bytes", "5_000", "max_bytes"),
        ("TICKER_SOURCES__CBR__ENABLED", "false", "enabled"),
        ("TICKER_SOURCES__CBR__SCHEDULE__EVERY", "3m", "schedule"),
        ("TICKER_SOURCES__CBR__ATTRIBUTION__DE", "Russische Zentralbank", "attribution"),
        ("TICKER_SOURCES__CBR__TERMS_URL", "https://www.example/terms", "terms_url"),
    ],
)
def test_an_environment_variable_reaches_any_key_whatever_its_case(name: str, text: str, key: str) -> None:
    """Two underscores go one level down; the value is TOML where it is, else text."""
    changed = load(shipped(), {name: text}, {}).settings.sources["cbr"]
    plain = load(shipped(), {}, {}).settings.sources["cbr"]
    assert {each for each in type(plain).model_fields if getattr(plain, each) != getattr(changed, each)} == {key}


def test_a_key_of_digits_stays_text() -> None:
    """An API key such as 0123 or 1e5 is not a number."""
    for text in ("123", "1e5", "true", "2024-11-22"):
        source = load(shipped(), {"TICKER_SOURCES__CBR__API_KEY": text}, {}).settings.sources["cbr"]
        assert source.api_key is not None
        assert source.api_key.get_secret_value() == text


def test_variables_of_others_are_left_alone() -> None:
    """Only TICKER_… names are ours."""
    assert (
        load(
            shipped(), {"TICKERS": "1", "PORT": "1", "TICKER_REQUIRE_ALL": "1", "TICKER_LOG_LEVEL": "debug"}, {}
        ).settings.server.port
        == 8080
    )


@pytest.mark.parametrize(
    ("text", "key", "mend"),
    [
        ("[server]\nprot = 1", "server.prot", "did you mean 'port'?"),
        ("[servers]\nport = 1", "servers", "did you mean 'server'?"),
        ("[sources.cbr]\ntimeuot = '1s'", "sources.cbr.timeuot", "did you mean 'timeout'?"),
        ("[sources.cbr]\nschedule = { evry = '1s' }", "sources.cbr.schedule.evry", "did you mean 'every'?"),
        ("[calendars.cbr]\ngarce = '1s'", "calendars.cbr.garce", "did you mean 'grace'?"),
        (
            "[[calendars.cbr.exceptions]]\ndates = [2027-05-04]\nclosed = true\nnotes = 'A decree'",
            "calendars.cbr.exceptions.2.notes",
            "did you mean 'note'?",
        ),
        ("[instruments.USD]\nmaxage = '1d'", "instruments.USD.maxage", "did you mean 'max_age'?"),
        ("[instruments.USD]\nsources = ['cbrr']", "instruments.USD.sources", "did you mean 'cbr'?"),
        ("[instruments.USD]\ncalendar = 'cbrr'", "instruments.USD.calendar", "did you mean 'cbr'?"),
        ("[sources.cbr]\ncalendar = 'moex_fort'", "sources.cbr.calendar", "did you mean 'moex_forts'?"),
        ("[server]\nport = 70000", "server.port", "must be at most 65535 (it is 70000)"),
        ("[server]\nport = true", "server.port", "must be a whole number, without quotes (it is True)"),
        ("[server]\nport = 'x'", "server.port", "must be a whole number, without quotes (it is 'x')"),
        ("[sources.cbr]\ntimeout = 10", "sources.cbr.timeout", "write a duration as a number with its unit"),
        ("[sources.cbr]\ntimeout = '0s'", "sources.cbr.timeout", "longer than nothing"),
        ("[calendars.cbr]\nzone = 'Moscow'", "calendars.cbr.zone", "write Europe/Moscow or UTC"),
        ("[calendars.cbr]\nholidays = 'Narnia'", "calendars.cbr.holidays", "a country ('RU')"),
        ("[instruments.usd]\nbase = 'USD'\nquote = 'RUB'\nsources = ['cbr']", "instruments", "capital letters"),
        (
            "[instruments.CNY]\nquote = 'RUB'\nsources = ['cbr']",
            "instruments.CNY.base",
            "is missing and has no",
        ),
        ("[instruments.USD]\nsymbl = 'USD'", "instruments.USD.symbl", "no such key; there are band, base, calendar"),
        ("[instruments.USD]\nsymbol = 'EUR'", "instruments", "USD has a symbol of its own"),
        ("[instruments.USD]\nrate = 'newest'", "instruments.USD.rate", "must be one of 'in_force' or 'latest'"),
        ("[instruments.USD]\nfallbacks = ['fredd']", "instruments.USD.fallbacks", "did you mean 'fred'?"),
        ("[instruments.USD]\nsources = ['cbr', 'cbr']", "instruments.USD", "cbr stands twice among the sources"),
        ("[instruments.USD]\nfallbacks = ['cbr']", "instruments.USD", "cannot be among both sources and fallbacks"),
        (
            "[instruments.OIL]\nfallbacks = ['fred']\nfallback_after = '8d'\nsources = ['moex']",
            "instruments.OIL",
            "fallback_after (8d)",
        ),
        (
            "[instruments.USD]\nenabled = 1",
            "instruments.USD.enabled",
            "must be true or false, without quotes (it is 1)",
        ),
        ("contact = 'nobody'", "contact", "'nobody' is no contact: write https://"),
        ("[evidence]\nkeep = 90", "evidence.keep", "write a duration as a number with its unit"),
        ("[evidence]\nkep = '9d'", "evidence.kep", "did you mean 'keep'?"),
        ("[webhooks.a]\nurl = 'https://h.example'", "webhooks.a.secret", "is missing and has no default"),
        (HOOK + "symbols = ['USB']", "webhooks.a.symbols", "no instrument 'USB'; did you mean 'USD'?"),
        (HOOK + "events = ['quotes']", "webhooks.a.events.0", "must be one of 'quote.published', "),
        ("[calendars.x]\nkind = 'session'\nzone = 'UTC'\nopens = '09:00'", "calendars.x", "give both opens and closes"),
        (
            "[sources.cbr]\nschedule = { cron = ['99 * * * *'] }",
            "sources.cbr.schedule.cron",
            "five fields: minute hour day",
        ),
        (
            "[sources.cbr]\nschedule = { cron = ['0 0 30 2 *'] }",
            "sources.cbr.schedule.cron",
            "names no time that ever comes",
        ),
        ("instruments = 1", "instruments", "must be a table"),
        ("[server]\nfast_path = 3", "server.fast_path", "must be true or false, without quotes (it is 3)"),
        ("[server]\nhost = 3", "server.host", "must be text, in quotes (it is 3)"),
        ("[server]\nrate_limit = 1.5", "server.rate_limit", "must be a whole number, without quotes (it is 1.5)"),
        ("[server]\ncors_origins = ['a.example']", "server.cors_origins", "'a.example' is no origin: write https://"),
        ("[server]\ncors_origins = ['https://a.example/']", "server.cors_origins", "without a path"),
        ("[server]\ncors_origins = 'https://a.example'", "server.cors_origins", "must be a list"),
        ("[instruments.USD]\nband = [1]", "instruments.USD.band.1", "the list has too few entries"),
        (
            "[instruments.USD]\nmax_move = 'x'",
            "instruments.USD.max_move",
            "must be a number, without quotes",
        ),
        ("[instruments.USD]\nmax_move = inf", "instruments.USD.max_move", "must be a number that ends somewhere"),
        ("[instruments.USD]\ntolerance = 0", "instruments.USD.tolerance", "must be more than 0"),
        ("[instruments.USD]\nbase = ''", "instruments.USD.base", "must not be empty"),
        (
            "[instruments.USD]\ncodes = { moexx = 'X' }",
            "instruments.USD.codes",
            "did you mean 'moex'?",
        ),
        ("[sources.cbr]\nadapter = 'cbrr'", "sources.cbr.adapter", "no adapter 'cbrr'; did you mean 'cbr'?"),
        ("[sources.cbr]\nbudget = 0", "sources.cbr.budget", "must be at least 1 (it is 0)"),
        ("[calendars.cbr]\nat = 'x'", "calendars.cbr.at", "must be a time of day: \"16:00\" (it is 'x')"),
        ("[calendars.x]\nkind = 'y'", "calendars.x", "has the kind 'y', which is none: write kind = "),
        ("[calendars.x]\nzone = 'UTC'", "calendars.x", "has no kind: write kind = "),
        ("[store]\nurl = 'redis://h:99999/0'", "store.url", "a port is from 1 to 65535 (it is 'redis://h:99999/0')"),
        ("server = 1", "server", "must be a table: [its.name] with keys below, or { key = … } (it is 1)"),
    ],
)
def test_an_error_of_the_file_names_the_file_the_key_and_the_mend(
    tmp_path: Path, text: str, key: str, mend: str
) -> None:
    """One line, to be read and acted upon."""
    file = tmp_path / "own.toml"
    file.write_text(text)
    said = refused(file)
    assert said.startswith(f"{file}: {key}"), said
    assert mend in said, said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("TICKER_SERVER__PROT", "did you mean 'port'?"),
        ("TICKER_SERVR__PORT", "did you mean 'server'?"),
        ("TICKER_PORT", "did you mean TICKER_SERVER__PORT? Two underscores"),
        ("TICKER_EVIDENCE_KEEP", "did you mean TICKER_EVIDENCE__KEEP?"),
        ("TICKER_WEBHOOKS__DESK__URI", "did you mean 'url'?"),
        ("TICKER_SERVER_DRAIN", "did you mean TICKER_SERVER__DRAIN?"),
        (
            "TICKER_SOMETHING",
            "there are calendars, checks, contact, evidence, instruments, server, sources, store, webhooks",
        ),
        ("TICKER_SOURCES__CBRR__TIMEOUT", "did you mean 'cbr'?"),
        ("TICKER_SOURCES__CBR__TIMEUOT", "did you mean 'timeout'?"),
        ("TICKER_CALENDARS__CBR__GARCE", "did you mean 'grace'?"),
        ("TICKER_SOURCES__CBR__SCHEDULE__EVRY", "did you mean 'every'?"),
    ],
)
def test_a_misspelt_variable_stops_the_start_and_names_the_right_one(name: str, mend: str) -> None:
    """A variable that means nothing would otherwise be ignored in silence."""
    said = refused(shipped(), {name: "1"})
    assert said.startswith(f"environment {name}: no setting"), said
    assert mend in said, said


def test_a_removed_setting_is_refused_with_what_to_do_instead(tmp_path: Path) -> None:
    """In a file as in a variable: a service that used to be four processes must not become one in silence."""
    mend = "server.workers: was removed: take it out, and run several processes over one store"
    (tmp_path / "own.toml").write_text("[server]\nworkers = 4")
    said = refused(tmp_path / "own.toml", {})
    assert said.startswith(f"{tmp_path / 'own.toml'}: {mend}"), said
    said = refused(shipped(), {"TICKER_SERVER__WORKERS": "4"})
    assert said.startswith(f"environment TICKER_SERVER__WORKERS: {mend}"), said
    assert "ticker serve --reuse-port" in said


def test_a_wrong_value_of_a_variable_is_blamed_on_the_variable() -> None:
    """Not on the file, which is right."""
    said = refused(shipped(), {"TICKER_SERVER__PORT": "many"})
    assert said.startswith("environment TICKER_SERVER__PORT: server.port: "), said
    assert "'many'" in said


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    """One line each, what is wrong by itself and what means nothing, so that a file is mended in one go."""
    wrong = "[server]\nport = -1\nhots = 'x'\n[instruments.USD]\nsources = ['cbrr']\ncalendar = 'cbrr'"
    (tmp_path / "own.toml").write_text(wrong)
    assert len(refused(tmp_path / "own.toml").splitlines()) == 4
    variables = {"TICKER_PROT": "1", "TICKER_HOTS": "1", "TICKER_SERVER__PORT": "x"}
    assert len(refused(shipped(), variables).splitlines()) == 3


def test_a_value_is_told_once(tmp_path: Path) -> None:
    """Where the sentence has it, it does not stand in brackets again."""
    (tmp_path / "own.toml").write_text("[server]\npublic_url = 'moon'\n[store]\nurl = 'nosql://x'")
    assert [line.count("moon") + line.count("nosql") for line in refused(tmp_path / "own.toml").splitlines()] == [1, 1]


def test_a_wrong_flag_is_called_by_its_own_name() -> None:
    """As it was written on the command line."""
    with pytest.raises(ConfigurationError, match=r"^--store: store\.url: no store at 'nosql://h'; there are memory"):
        load(shipped(), {}, {"store.url": "nosql://h"})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[server\nport = 1", "not TOML"),
        (b"[server]\nport = 1\nport = 2", "not TOML"),
        (b"[server]\nhost = '\xff'", "cannot be read"),
        (b"\x00", "not TOML"),
    ],
)
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    """With the parser's own line, never a traceback."""
    file = tmp_path / "own.toml"
    file.write_bytes(content)
    said = refused(file)
    assert said.startswith(f"{file}: "), said
    assert says in said, said


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A --config that does not exist is no reason to run with another one."""
    assert refused(tmp_path / "none.toml").startswith(f"{tmp_path / 'none.toml'}: no such file; ")
    assert "cannot be read" in refused(tmp_path)


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("[sources.cbr]\napi_key = ['s3cret']", {}),
        ("[sources.cbr]\napi_kye = 's3cret'", {}),
        ("[sources]\ncbr = [{ api_key = 's3cret' }]", {}),
        ("[sources.cbr]\nbase_url = 'https://me:s3cret@host'", {}),
        ("[store]\nurl = 'nosql://:s3cret@host'", {}),
        ("", {"TICKER_SOURCES__CBR__API_KYE": "s3cret"}),
        ("", {"TICKER_STORE__URL": "nosql://:s3cret@host"}),
        ("", {"TICKER_STORE__URL": "nosql://:s/3@s3cret@host"}),
        ("", {"TICKER_STORE__URL": f"redis://me:{'s3cret' * 20}@ho st"}),
        ("[store]\nurl = 'redis+sentinel://host/a?sentinel_pasword=s3cret'", {}),
        ("[store]\nurl = 'rediss://host/0?ca=a&auth=s3cret'", {}),
    ],
)
def test_an_error_never_prints_a_secret(tmp_path: Path, text: str, environment: Mapping[str, str]) -> None:
    """Errors end up in logs and tickets."""
    (tmp_path / "own.toml").write_text(text)
    assert "s3cret" not in refused(tmp_path / "own.toml", environment)


@pytest.mark.parametrize("symbols", [("USD", "EUR", "OIL"), ("OIL",)])
def test_a_service_without_an_instrument_or_a_source_is_refused(tmp_path: Path, symbols: tuple[str, ...]) -> None:
    """It could show nothing."""
    off = "".join(f"[instruments.{symbol}]\nenabled = false\n" for symbol in symbols)
    (tmp_path / "own.toml").write_text(off if len(symbols) > 1 else "[sources.moex]\nenabled = false\n" + ONLY_MOEX)
    said = refused(tmp_path / "own.toml")
    assert ("leave one on" if len(symbols) > 1 else "list another source, or take the instrument out") in said, said


def test_who_lists_the_sources_lists_all_that_are_asked(tmp_path: Path) -> None:
    """As a file of 0.1.0 did; and a short `max_age` is above what is waited for fallbacks."""
    own = tmp_path / "own.toml"
    own.write_text(
        "[instruments.USD]\nsources = ['cbr', 'nbrb']\n[instruments.OIL]\nmax_age = '2d'\n", encoding="utf-8"
    )
    found = load(own, {}, {}).settings.instruments
    assert (found["USD"].sources, found["USD"].fallbacks) == (("cbr", "nbrb"), ())
    assert (found["OIL"].fallbacks, found["OIL"].fallback_after) == (("fred",), timedelta(days=1))
    assert found["EUR"].fallback_after == timedelta(days=3)
    found = load(shipped(), {"TICKER_INSTRUMENTS__USD__SOURCES": '["cbr", "nbrb"]'}, {}).settings.instruments
    assert found["USD"].fallbacks == ()


ONLY_MOEX = "[instruments.OIL]\nsources = ['moex']\nfallbacks = ['fred']"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:s3cret@host:6379/0", "redis://***@host:6379/0"),
        ("rediss+sentinel://me:s3@c/r?et@host/a", "rediss+sentinel://***@host/a"),
        ("redis+sentinel://host/a?sentinel_password=s3cret&ca=b", "redis+sentinel://host/a?sentinel_password=***&ca=b"),
        ("https://user:s3cret@host/a", "https://***@host/a"),
        ("https://host/a@b", "https://host/a@b"),
        ("memory://", "memory://"),
    ],
)
def test_an_address_is_shown_without_its_password(text: str, shown: str) -> None:
    """What stands before the @ of an address never reaches a terminal or a log."""
    assert redact(text) == shown


def test_a_start_tells_what_it_makes_of_the_shipped_configuration(tmp_path: Path) -> None:
    """Records by name, values by key, whoever changed them; a secret's key is named and not its value."""
    text = "[instruments.OIL]\nenabled = false\n[instruments.USD]\nmax_move = 0.1\nlabel = { de = 'USD' }" + YUAN
    (tmp_path / "own.toml").write_text(text)
    variables = {"TICKER_SOURCES__EIA__API_KEY": "s3cret"}
    changes = load(tmp_path / "own.toml", variables, {"server.port": 9000}).changes
    assert (changes.added, changes.removed) == (("instruments.CNY",), ("instruments.OIL",))
    assert changes.changed == (
        *("instruments.USD.label.de", "instruments.USD.max_move", "server.port", "sources.eia.api_key"),
    )
    assert not load(shipped(), {}, {}).changes


def loaded(**flags: object) -> Loaded:
    """The shipped settings with flags over them; __ stands for a dot."""
    return load(shipped(), {}, {key.replace("__", "."): value for key, value in flags.items()})


def settings(**flags: object) -> Settings:
    """As `loaded`."""
    return loaded(**flags).settings


def test_a_reload_tells_what_it_changes() -> None:
    """Switched off is removed, switched on again is added."""
    off = settings(instruments__EUR__enabled=False)
    assert compare(settings(), off) == Changes(removed=("instruments.EUR",))
    assert compare(off, settings(store__raw="91d")) == Changes(added=("instruments.EUR",), changed=("store.raw",))
    assert not compare(off, off)


@pytest.mark.parametrize(
    ("key", "value"),
    [("host", "127.0.0.2"), ("port", 9), ("metrics_host", "127.0.0.1"), ("metrics_port", 9100)],
)
def test_where_the_service_listens_needs_a_restart(key: str, value: object) -> None:
    """The error names the key and what it is."""
    with pytest.raises(ConfigurationError, match=rf"server\.{key} cannot change while the service runs"):
        ensure_reloadable(settings(), settings(**{f"server__{key}": value}))


def test_a_store_that_a_reload_would_move_is_told_without_its_password() -> None:
    """The line stands in logs."""
    with pytest.raises(ConfigurationError, match="store cannot change") as error:
        ensure_reloadable(settings(), settings(store__url="redis://:s3cret@host"))
    assert "s3cret" not in str(error.value)


def test_everything_else_may_change_in_place() -> None:
    """Instruments, sources, calendars, and whom the service lets in."""
    ensure_reloadable(settings(), settings(server__cors_origins=["https://example.org"], server__access_log=True))
    ensure_reloadable(settings(), settings(instruments__USD__decimals=4, sources__cbr__timeout="3s"))


def ring(file: Path) -> None:
    """A link to itself."""
    file.symlink_to(file)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        pytest.param(os.mkfifo, "not a regular file", id="named pipe"),
        pytest.param(lambda file: file.symlink_to("/dev/zero"), "not a regular file", id="device"),
        pytest.param(ring, "symbolic links", id="ring of links"),
        pytest.param(lambda file: file.write_text("#" * 5_000_000), "longer than", id="five megabytes"),
    ],
)
def test_what_is_no_file_is_refused_and_not_waited_for(
    tmp_path: Path, made: Callable[[Path], object], why: str
) -> None:
    """A pipe that nobody writes to would hang a reload for ever, and a device never ends."""
    file = tmp_path / "own.toml"
    made(file)
    assert why in refused(file)


def test_a_pipe_that_somebody_writes_to_is_read() -> None:
    """As `--config <(decrypt secrets.toml)` gives it; a secret need not lie on a disk."""
    reading, writing = os.pipe()
    os.write(writing, YUAN.encode())
    os.close(writing)
    assert "CNY" in load(Path(f"/dev/fd/{reading}"), {}, {}).settings.instruments
    os.close(reading)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | st.times()
    | st.sampled_from(["{", "{x}", "cbr", "USD", "1s"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = sorted(load(shipped(), {}, {}).origins)


@bounded(max_examples=300, deadline=None)
@given(st.sampled_from(KEYS), st.integers(0, 3), VALUES)
def test_whatever_stands_at_a_key_is_taken_or_refused_in_a_sentence(key: str, up: int, value: object) -> None:
    """Of a value, and of each table above it; and never in the words of the library."""
    at = ".".join(key.split(".")[: max(1, len(key.split(".")) - up)])
    try:
        load(shipped(), {}, {at: value})
    except ConfigurationError as error:
        assert not re.search(r"Input should|valid |pydantic", str(error)), error  # noqa: PT017 - most are taken
