"""The real `ticker` as a person or a unit file runs it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.cli.running import DAY, TICKER, done, ready, serving
from tests.support.fragments import folded
from tests.support.patience import PATIENCE
from tests.support.upstream import Upstream
from ticker.cli import main
from ticker.cli.commands import app

COMMANDS = sorted(str(command.name or getattr(command.callback, "__name__", "")) for command in app.registered_commands)


def here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[object, str, str]:
    """The same in this process, which is ten times as fast."""
    monkeypatch.setattr(sys, "argv", ["ticker", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code, *capsys.readouterr()


async def test_help_lists_the_commands(tmp_path: Path) -> None:
    """Each with a line."""
    code, out, _ = await done(tmp_path, "--help")
    assert code == 0
    assert set(COMMANDS) >= {"serve", "demo", "get", "sources", "check"}
    assert all(re.search(rf"^  {command}\s+\w", out, re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """That starts with the command itself."""
    code, out, _ = here(monkeypatch, capsys, command, "--help")
    assert code == 0
    assert f"Example: ticker {command}" in out


async def test_a_terminal_without_our_letters_ends_no_command(tmp_path: Path, upstream: Upstream) -> None:
    """What it cannot show is an escape in a table; JSON stays what it is."""
    over = ("--lang", "ru", "--upstream", upstream.url, "--at", DAY)
    code, table, err = await done(tmp_path, "get", *over, PYTHONIOENCODING="ascii")
    assert (code, err) == (0, "")
    assert "\\u0414\\u043e\\u043b" in table
    code, whole, err = await done(tmp_path, "get", "--json", *over, PYTHONIOENCODING="ascii")
    assert (code, err) == (0, "")
    assert "Доллар" in whole
    assert (await done(tmp_path, "check", PYTHONIOENCODING="ascii"))[0] == 0


@pytest.mark.parametrize("command", ["openapi", "check"])
def test_an_output_that_is_full_is_said_in_a_line(tmp_path: Path, command: str) -> None:
    """Exit 1 and no traceback."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([TICKER, command], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (1, b"ticker: [Errno 28] No space left on device\n")


async def test_serve_shows_the_header_of_that_day(tmp_path: Path, upstream: Upstream) -> None:
    """In any folder, over an upstream of one's own, on its clock; and SIGTERM ends it with 0."""
    arguments = ("serve", "--port", "0", "--upstream", upstream.url, "--at", DAY)
    async with serving(tmp_path, *arguments) as (process, url), ClientSession() as session:
        await ready(session, url)
        assert folded(await (await session.get(f"{url}/widget")).text()) == "USD100.68 EUR106.08 OIL73.73"
        assert "100,68" in await (await session.get(f"{url}/widget?lang=ru")).text()
        assert '"price": 100.6798,' in await (await session.get(f"{url}/v1/quotes/USD")).text()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0


async def test_serve_ends_at_once_while_an_upstream_hangs(tmp_path: Path, upstream: Upstream) -> None:
    """SIGINT too is an end with 0."""
    upstream.fail("/", "hang")
    arguments = ("serve", "--port", "0", "--upstream", upstream.url)
    async with serving(tmp_path, *arguments) as (process, _):
        await upstream.seen("/", 4)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0


@pytest.mark.parametrize("command", [("serve", "--upstream", "http://127.0.0.1:1"), ("demo",)])
async def test_a_port_in_use_is_a_sentence_and_exit_1(tmp_path: Path, command: tuple[str, ...]) -> None:
    """With the mend, and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = await done(tmp_path, *command, "--port", str(taken.getsockname()[1]))
    assert code == 1
    said = json.loads(err.splitlines()[-1])
    assert (said["event"], said["mend"]) == ("cannot listen", "choose another --port or --host")
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["serve", "get", "sources", "check"])
def test_a_wrong_configuration_is_a_line_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """File, key and mend, in every command that reads it."""
    (tmp_path / "own.toml").write_text("[server]\nprot = 1")
    monkeypatch.chdir(tmp_path)
    code, out, err = here(monkeypatch, capsys, command, "--config", "own.toml")
    assert (code, out, err) == (2, "", "own.toml: server.prot: no such key; did you mean 'port'?\n")


async def test_an_adapter_that_does_not_exist_is_exit_2(tmp_path: Path) -> None:
    """The variable that names it, and the nearest there is."""
    code, _, err = await done(tmp_path, "check", TICKER_SOURCES__CBR__ADAPTER="cbrr")
    where = "environment TICKER_SOURCES__CBR__ADAPTER: sources.cbr.adapter"
    assert (code, err) == (2, f"{where}: no adapter 'cbrr'; did you mean 'cbr'?\n")


@pytest.mark.parametrize("command", ["serve", "check"])
@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[sources.cbr]\nschedule = { cron = ["61 * * * *"] }', "sources.cbr.schedule.cron"),
        ('[instruments.OIL]\nsources = ["eia"]', "instruments.OIL.sources"),
    ],
)
def test_what_only_the_composer_can_know_is_told_with_its_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    text: str,
    key: str,
) -> None:
    """A time that no clock shows, a source that waits for its key."""
    (tmp_path / "own.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    code, _, err = here(monkeypatch, capsys, command, "--config", "own.toml")
    assert code == 2
    assert err.splitlines()[-1].startswith(f"own.toml: {key}: ")


@pytest.mark.parametrize("command", ["get", "backfill"])
def test_an_instrument_that_is_not_there_is_told_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Or with all there are."""
    monkeypatch.chdir(tmp_path)
    for word, hint in (("usd", "did you mean 'USD'?"), ("XYZ", "there are EUR, OIL, USD")):
        code, _, err = here(monkeypatch, capsys, command, word)
        assert (code, f"Invalid value for SYMBOL: no instrument {word!r}; {hint}" in err) == (2, True), err


@pytest.mark.parametrize(
    ("command", "option"),
    [("serve", "--port"), ("serve", "--store"), ("serve", "--host"), ("get", "--lang")],
)
def test_help_says_what_is_done_without_an_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, option: str
) -> None:
    """Nobody has to look for it elsewhere."""
    _, out, _ = here(monkeypatch, capsys, command, "--help")
    told = " ".join(out.partition(option)[2].partition("\n  --")[0].split())
    assert "default" in told, told


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--prot", "1"),
        ("serve", "--port", "99999"),
        ("serve", "--at", DAY),
        ("serve", "--upstream", "http://127.0.0.1:1", "--at", "yesterday"),
        ("serve", "--upstream", "http://127.0.0.1:1", "--at", "2024-11-22T12:00"),
        ("serve", "--upstream", "localhost"),
        ("serve", "--reuse-port", "--store", "memory://", "--upstream", "http://127.0.0.1:1"),
        ("get", "GBP"),
        ("get", "--lang", "xx"),
        ("nothing",),
    ],
)
def test_bad_use_is_exit_2_and_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    """On standard error, with nothing served or fetched before."""
    code, out, err = here(monkeypatch, capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.strip()


def test_the_removed_workers_flag_says_what_to_do_instead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has it in a unit file reads the mend in the journal."""
    code, out, err = here(monkeypatch, capsys, "serve", "--workers", "4")
    assert (code, out) == (2, "")
    assert "run several processes over one store, each with `ticker serve --reuse-port`" in " ".join(err.split())


async def test_get_prints_a_table(tmp_path: Path, upstream: Upstream) -> None:
    """Price, change, as of, source and status of what is asked for; exit 0."""
    code, out, err = await done(tmp_path, "get", "USD", "OIL", "--lang", "ru", "--upstream", upstream.url, "--at", DAY)
    assert (code, err) == (0, "")
    dollar = next(line for line in out.splitlines() if "USD" in line)
    assert re.findall(r"100,68|\+0,46\s%|2024-11-22T00:00:00\+03:00|cbr|fresh|Доллар США", dollar) == [
        "Доллар США",
        "100,68",
        "+0,46\N{NO-BREAK SPACE}%",
        "2024-11-22T00:00:00+03:00",
        "cbr",
        "fresh",
    ]
    assert "EUR" not in out


async def test_get_prints_the_json_of_the_api(tmp_path: Path, upstream: Upstream) -> None:
    """On standard output alone, for jq."""
    code, out, err = await done(tmp_path, "get", "--json", "--upstream", upstream.url, "--at", DAY)
    assert (code, err) == (0, "")
    assert [(q["symbol"], q["price"]) for q in json.loads(out)["quotes"]] == [
        ("USD", 100.6798),
        ("EUR", 106.0762),
        ("OIL", 73.73),
    ]


async def test_get_without_an_answer_is_exit_1(tmp_path: Path, upstream: Upstream) -> None:
    """With the reason, and no number; what was not asked for does not count."""
    upstream.fail("/cbr", "status:503")
    arguments = ("--upstream", upstream.url, "--at", DAY)
    code, out, _ = await done(tmp_path, "get", *arguments)
    assert code == 1
    assert "unavailable (http_5xx)" in out
    assert (await done(tmp_path, "get", "OIL", *arguments))[0] == 0


async def test_sources_lists_cadence_terms_and_what_they_feed(tmp_path: Path) -> None:
    """Without asking any of them."""
    code, out, _ = await done(tmp_path, "sources")
    assert code == 0
    for text in (
        "cbr_mirror",
        "USD, EUR",
        "every 1m",
        "*/10 15-19 * * mon-sat",
        "https://www.cbr.ru/eng/user_agreement/",
    ):
        assert text in out


async def test_sources_says_what_came_back(tmp_path: Path, upstream: Upstream) -> None:
    """Each asked once; exit 1 where one failed, with its reason."""
    upstream.fail("/yahoo/", "retry_after:60")
    code, out, _ = await done(tmp_path, "sources", "--probe", "--upstream", upstream.url, "--at", DAY)
    assert code == 1
    assert [len(upstream.hits(f"/{source}/")) for source in ("cbr", "cbr_mirror", "moex", "yahoo")] == [2, 1, 1, 1]
    assert "USD 100.6798 of 2024-11-22, EUR 106.0762 of 2024-11-22" in out
    assert "rate_limited: " in out


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"TICKER_SERVER__WORKERS": "2"}, "several processes over one store, each with `ticker serve --reuse-port`"),
        ({"TICKER_SERVER__METRICS_PORT": "8080"}, "metrics_port and port are both 8080"),
    ],
)
async def test_check_refuses_what_serve_would(tmp_path: Path, variables: dict[str, str], says: str) -> None:
    """Each setting alone is good; together they cannot be served."""
    code, out, err = await done(tmp_path, "check", **variables)
    assert (code, out) == (2, "")
    assert says in " ".join(err.split())


@pytest.mark.parametrize(("port", "code"), [("8081", 0), ("many", 2)])
async def test_check_can_say_only_what_is_wrong(tmp_path: Path, port: str, code: int) -> None:
    """For a service manager, which asks before it lets the service reload."""
    ended, out, err = await done(tmp_path, "check", "--quiet", TICKER_SERVER__PORT=port)
    assert (ended, out, bool(err)) == (code, "", bool(code))


@pytest.mark.parametrize(("until", "warned"), [("2020-12-31", 1), ("2999-12-31", 0)])
async def test_check_warns_of_a_calendar_that_ends(tmp_path: Path, until: str, warned: int) -> None:
    """With the mend, and as a warning only: the configuration is good."""
    names = ("CBR", "MOEX_FORTS", "ICE_BRENT", "ECB", "NBRB", "NBK", "CBU_UZ", "EIA")
    known = {f"TICKER_CALENDARS__{name}__COVERED_UNTIL": "2999-12-31" for name in names}
    known["TICKER_CALENDARS__CBR__COVERED_UNTIL"] = until
    code, out, err = await done(tmp_path, "check", **known)
    assert (code, err, "The configuration is good." in out) == (0, "", True)
    assert out.count("Warning: calendar cbr: what is known of its days ends with 2020-12-31") == warned
    assert out.count("Warning: ") == warned
    code, out, err = await done(tmp_path, "check", "--json", **known)
    assert (code, err.count("Warning: ")) == (0, warned)
    assert json.loads(out)["calendars.cbr.covered_until"]["value"] == until


async def test_check_prints_every_setting_and_where_it_is_from(tmp_path: Path) -> None:
    """Secrets excepted."""
    (tmp_path / "own.toml").write_text('[sources.yahoo]\nbudget = 7\napi_key = "s3cret"')
    variables = {"TICKER_SERVER__PORT": "9000", "TICKER_SOURCES__MOEX__API_KEY": "s3cret"}
    code, out, err = await done(tmp_path, "check", "--config", "own.toml", **variables)
    assert (code, err) == (0, "")
    assert "s3cret" not in out
    rows = {
        cells[1]: cells[2:4] for cells in (re.split(r"\s*│\s*", line) for line in out.splitlines()) if len(cells) > 3
    }
    assert rows["server.port"] == ["9000", "environment TICKER_SERVER__PORT"]
    assert rows["sources.yahoo.budget"] == ["7", "own.toml"]
    assert rows["sources.yahoo.timeout"] == ["10s", "shipped"]
    assert rows["sources.moex.api_key"] == ["**********", "environment TICKER_SOURCES__MOEX__API_KEY"]


async def test_the_demo_moves_and_says_that_it_is_one(tmp_path: Path) -> None:
    """In page, fragment, JSON and header; no internet, no configuration."""
    async with serving(tmp_path, "demo", "--port", "0") as (process, url), ClientSession() as session:
        await ready(session, url)
        answer = await session.get(f"{url}/v1/quotes")
        assert ((await answer.json())["demo"], answer.headers["Ticker-Demo"]) == (True, "true")
        for path in ("/", "/widget"):
            assert "demo" in folded(await (await session.get(f"{url}{path}")).text()).lower()
        first = await prices(session, url)
        async with asyncio.timeout(PATIENCE):
            while await prices(session, url) == first:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0


async def prices(session: ClientSession, url: str) -> list[object]:
    """What moves."""
    board = await (await session.get(f"{url}/v1/quotes")).json()
    return [quote["price"] for quote in board["quotes"]]
