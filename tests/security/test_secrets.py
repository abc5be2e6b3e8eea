"""Keys and passwords in everything that leaves the process: logs, answers, recordings, commands. None is there."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, quote, quote_plus

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.support.upstream import NOON
from ticker.app import compose, record
from ticker.cli.reports import check
from ticker.fetch import REDACTED, redact, redact_bytes
from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import load, shipped
from ticker.web.assets import ROUTES as ASSETS
from ticker.web.routes import ROUTES

# An ordinary key, and one whose every character is written otherwise somewhere.
KEYS = ("k3yMATERIAL0123456789", '+/=& "é%k3yMATERIAL')
MARK = "k3ymaterial"
ECHOES = ("body", "json", "redirect", "header", "status", "reason", "broken", "zstd", "close")
PATHS = sorted({path.replace("{symbol}", "OIL") for path, _ in (*ROUTES, *ASSETS)} - {"/v1/stream"})


async def echo(request: web.Request) -> web.StreamResponse:
    """An upstream that tells everybody what it was asked, in one of many ways, the key in its query among it."""
    asked, how = request.path_qs, request.path.split("/")[1]
    said = f"{asked} {request.query.get('apikey', '')}"
    line = " ".join(ascii(said).split())
    if how == "redirect":
        return web.Response(status=302, headers={"Location": f"https://consent.example.org/?from={asked}"})
    if how == "status":
        return web.Response(status=403, text=said)
    if how == "reason":
        return web.Response(status=500, reason=line)
    if how == "zstd":
        return web.Response(body=b"x", headers={"Content-Encoding": "zstd"})
    if how in {"broken", "close"}:
        assert request.transport is not None
        request.transport.write(b"" if how == "close" else f"HTTP/1.1 200 OK\r\n{line} \x00: {line}\r\n\r\n".encode())
        request.transport.close()
    if how == "header":
        return web.Response(text="[]", headers={"X-Asked": line, "ETag": f'"{quote(request.query.get("apikey", ""))}"'})
    return web.json_response({"error": said, "name": said, "data": said}) if how == "json" else web.Response(text=said)


@pytest.fixture
async def asked() -> TestServer:
    """The upstream."""
    app = web.Application()
    app.router.add_get("/{tail:.*}", echo)
    return TestServer(app)


@pytest.mark.parametrize("key", KEYS, ids=["plain", "odd"])
@pytest.mark.parametrize("how", ECHOES)
async def test_an_upstream_that_repeats_the_key_tells_it_to_nobody(
    asked: TestServer, how: str, key: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither logs nor any answer nor the recording, and what is repeated is repeated in every way there is."""
    caplog.set_level(logging.DEBUG, "ticker")
    flags = {"instruments.OIL.sources": ["alphavantage", "twelvedata"], "store.url": f"sqlite:///{tmp_path}/t.db"}
    names = ("TICKER_SOURCES__ALPHAVANTAGE__API_KEY", "TICKER_SOURCES__TWELVEDATA__API_KEY")
    config = load(shipped(), dict.fromkeys(names, key), flags).settings
    config = config.model_copy(update={"checks": {}, "instruments": {"OIL": config.instruments["OIL"]}})
    async with asked as server:
        upstream = str(server.make_url(f"/{how}"))
        recorder = record(config, upstream, tmp_path / "recording")
        async with recorder.fetcher:
            for source in recorder.poller.feeds:
                await recorder.poller.poll(source)
        service = compose(config, upstream=upstream, now=lambda: NOON, seed=1)
        async with TestClient(TestServer(service.web())) as client:
            for source in service.poller.feeds:
                await service.poller.poll(source)
                assert service.poller.health[source].reason is not None
            said = [(await (await client.get(path)).read()).decode(errors="replace") for path in PATHS]
    said += [
        repr(service),
        repr(config),
        repr(service.poller.feeds),
        caplog.text,
        caplog.records[-1].__dict__.__repr__(),
    ]
    said += [each.detail or "" for each in (*service.poller.health.values(), *recorder.poller.health.values())]
    said += written(tmp_path)
    assert how not in {"body", "json", "header"} or any(REDACTED in text for text in said)
    for text in said:
        assert MARK not in text.lower()


def written(folder: Path) -> list[str]:
    """Every file's text."""
    return [file.read_bytes().decode("utf-8", "replace") for file in folder.rglob("*") if file.is_file()]


@pytest.mark.parametrize("key", KEYS, ids=["plain", "odd"])
def test_however_it_is_written_it_is_hidden(key: str) -> None:
    """As it is, for a path, for a form, half of it, in capitals; and nothing else of the text."""
    for written in (key, quote(key), quote(key, safe=""), quote_plus(key), key[:12], quote(key, safe="").lower()):
        assert MARK not in redact(f"before {written} after", [key]).lower()
        assert redact(f"before {written}", [key]).startswith("before ***")
        assert MARK.encode() not in redact_bytes(f"before {written}".encode(), [key]).lower()
    assert redact("nothing of it", [key]) == "nothing of it"
    assert redact_bytes(bytes(range(256)), [KEYS[0]]) == bytes(range(256))
    assert redact("with an empty one", [""]) == "with an empty one"


STORES = (
    "redis://user:k3yMATERIAL@127.0.0.1:1/0",
    "redis://:k3yMATERIAL@127.0.0.1:1",
    "redis://user:k3y%4DATERIAL%3F@127.0.0.1:1/0",
    "redis+sentinel://u:k3yMATERIAL@127.0.0.1:1,127.0.0.1:2/s/0?sentinel_password=k3yMATERIAL",
    "redis://user:k3yMATERIAL@:bad:address",
    "nosuch://user:k3yMATERIAL@host",
)


@pytest.mark.parametrize("store", STORES)
def test_what_is_in_force_is_printed_without_passwords_and_keys(
    store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ticker check`, where all is good and where it is not."""
    monkeypatch.setenv("COLUMNS", "400")
    environment = {"TICKER_STORE__URL": store, "TICKER_SOURCES__EIA__API_KEY": KEYS[0]}
    said = ""
    try:
        check(load(None, environment, {}), as_json=False)
    except ConfigurationError as error:
        said = str(error)
    said += capsys.readouterr().out
    assert "store.url" in said
    assert MARK not in said.lower().replace("%4d", "m")


def test_a_store_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    """The command that needs it says which, and why."""
    environment = {"TICKER_STORE__URL": STORES[0], "TICKER_SOURCES__EIA__API_KEY": KEYS[0], "PATH": os.defpath}
    command = ("backfill", "--from", "2024-11-21", "--to", "2024-11-22", "--upstream", "http://127.0.0.1:9")
    run = (sys.executable, "-m", "ticker", *command)
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert MARK not in (done.stdout + done.stderr).lower()


@pytest.mark.parametrize(
    "line",
    [
        'api_kye = "k3yMATERIAL"',
        'api_key = ["k3yMATERIAL"]',
        "api_key = k3yMATERIAL",
        'api_key = "k3yMATERIAL',
        'base_url = "https://me:k3yMATERIAL@host"',
        'api_key = { value = "k3yMATERIAL" }',
    ],
)
def test_a_wrong_line_of_the_configuration_is_told_without_the_key_in_it(line: str, tmp_path: Path) -> None:
    """Misspelt, of another type, not TOML: the place and the mend, not the value."""
    file = tmp_path / "ticker.toml"
    file.write_text(f"[sources.eia]\n{line}\n")
    with pytest.raises(ConfigurationError, match=r"ticker\.toml") as caught:
        load(file, {}, {})
    assert MARK not in str(caught.value).lower()


def test_the_query_that_the_echo_reads_is_the_one_that_is_sent() -> None:
    """Else the tests above would look for what nobody said."""
    for key in KEYS:
        assert parse_qs(f"apikey={quote(key, safe='')}")["apikey"] == [key]
