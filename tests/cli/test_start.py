"""How the process begins and ends: what it says first, which signals it survives, and that it ends in time."""

import asyncio
import json
import os
import pty
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cli.running import DAY, TICKER, VARIABLES, done, started
from tests.ops.process import answers
from tests.ops.test_reuse_port import free_port
from tests.support.patience import PATIENCE
from tests.support.programs import missing, needs
from ticker import __version__

UNREACHABLE = "http://127.0.0.1:9"
# As it is promised, from SIGTERM to the end of the process.
ENDS_SECONDS = 10.0


async def first_line(process: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
    """The line of the log that says `event`."""
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        while True:
            line = json.loads(await process.stderr.readline())
            if line["event"] == event:
                return dict(line)


async def test_a_start_says_in_one_line_what_runs_where(tmp_path: Path) -> None:
    """Version, configuration file, store without its password, instruments, address, fast path, and what to open."""
    (tmp_path / "own.toml").write_text("[server]\naccess_log = true\n[instruments.OIL]\nenabled = false\n")
    arguments = ("serve", "--config", "own.toml", "--port", "0", "--upstream", UNREACHABLE)
    process = await started(tmp_path, *arguments, TICKER_STORE__URL="redis://me:s3cret@127.0.0.1:1/0")
    try:
        line = await first_line(process, "ticker serves")
        assert (line["version"], line["config"], line["instruments"]) == (__version__, "own.toml", "USD, EUR")
        assert line["hint"] == f"Open {line['url']}"
        assert "127.0.0.1:1" in line["store"]
        assert "s3cret" not in json.dumps(line)
        assert line["fast_path"].startswith("closed: server.access_log is true")
    finally:
        process.kill()
        await process.wait()


async def test_the_environment_names_the_configuration(tmp_path: Path) -> None:
    """TICKER_CONFIG for every command; --config goes over it."""
    (tmp_path / "one.toml").write_text("[server]\nport = 9001\n")
    (tmp_path / "two.toml").write_text("[server]\nport = 9002\n")
    for arguments, port in (((), 9001), (("--config", "two.toml"), 9002)):
        code, out, _ = await done(tmp_path, "check", "--json", *arguments, TICKER_CONFIG="one.toml")
        assert code == 0
        assert json.loads(out)["server.port"]["value"] == port
    code, _, err = await done(tmp_path, "check", TICKER_CONFIG="three.toml")
    assert (code, err.startswith("three.toml: no such file")) == (2, True)


@pytest.mark.parametrize("flag", ["--version", "-V"])
async def test_the_version_is_printed(tmp_path: Path, flag: str) -> None:
    """By either name of the option."""
    assert await done(tmp_path, flag) == (0, f"ticker {__version__}\n", "")


async def test_help_has_a_short_name(tmp_path: Path) -> None:
    """Of the program and of each command."""
    for arguments in (("-h",), ("serve", "-h")):
        code, out, _ = await done(tmp_path, *arguments)
        assert (code, "Usage: ticker" in out) == (0, True)


async def test_a_shell_completes_the_commands(tmp_path: Path) -> None:
    """As bash asks for it."""
    asked = {"_TICKER_COMPLETE": "complete_bash", "COMP_WORDS": "ticker ba", "COMP_CWORD": "1"}
    code, out, _ = await done(tmp_path, **asked)
    assert (code, out.split()) == (0, ["backfill"])


async def test_a_wrong_level_or_format_is_named_with_those_there_are(tmp_path: Path) -> None:
    """As a flag and as a variable."""
    for arguments, variables in ((("--log-level", "loud"), {}), ((), {"TICKER_LOG_FORMAT": "xml"})):
        code, _, err = await done(tmp_path, "serve", *arguments, **variables)
        assert code == 2
        assert "debug" in err or "journald" in err


@pytest.mark.parametrize("wait", [0.1, 0.3, 0.6])
async def test_a_reload_that_comes_while_the_process_begins_does_not_end_it(tmp_path: Path, wait: float) -> None:
    """It is taken up as soon as there is something to reload. Before Python itself runs, nobody can help it."""
    process = await started(tmp_path, "serve", "--port", "0", "--upstream", UNREACHABLE, "--store", "memory://")
    try:
        await asyncio.sleep(wait)
        process.send_signal(signal.SIGHUP)
        await first_line(process, "ticker serves")
        process.send_signal(signal.SIGHUP)
        await first_line(process, "configuration reloaded")
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def test_a_command_without_a_service_ends_with_its_terminal(tmp_path: Path) -> None:
    """Only what a signal may tell to read its configuration again goes on."""
    process = await started(tmp_path, "record", "kept", "--upstream", UNREACHABLE)
    await first_line(process, "recording")
    process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(PATIENCE):
        assert await process.wait() == -signal.SIGHUP


async def test_a_log_that_nobody_reads_stops_neither_answers_nor_the_end(tmp_path: Path) -> None:
    """With a line a request, into a pipe that is full after a few hundred of them."""
    port, (reading, writing) = free_port(), os.pipe()
    command = (TICKER, "serve", "--port", str(port), "--upstream", UNREACHABLE, "--store", "memory://")
    variables = {**VARIABLES, "TICKER_SERVER__ACCESS_LOG": "true"}
    process = await asyncio.to_thread(subprocess.Popen, command, cwd=tmp_path, env=variables, stderr=writing)
    os.close(writing)
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(2 * PATIENCE):
            url = f"http://127.0.0.1:{port}/healthz"
            while not await answers(session, url):  # noqa: ASYNC110 - another process rings no bell
                await asyncio.sleep(0.05)
            for _ in range(1500):
                assert await answers(session, url)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0
        assert len(os.read(reading, 1 << 20)) > 60_000  # the pipe was full
    finally:
        process.kill()
        os.close(reading)


async def test_with_its_standard_streams_closed_it_serves_and_nobody_else_is_written_the_log(tmp_path: Path) -> None:
    """What is opened after the start does not take their numbers."""
    port = free_port()
    serve = (TICKER, "serve", "--port", str(port), "--upstream", UNREACHABLE)
    closed = ("sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", *serve)
    process = await asyncio.create_subprocess_exec(*closed, cwd=tmp_path, env=VARIABLES)
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE):
            while not await answers(session, f"http://127.0.0.1:{port}/healthz"):
                assert process.returncode is None
                await asyncio.sleep(0.05)
        streams = [os.readlink(f"/proc/{process.pid}/fd/{each}") for each in range(3)]  # noqa: PTH115 - of /proc
        assert streams == ["/dev/null"] * 3
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_metrics_port_in_use_is_told_by_its_number(tmp_path: Path) -> None:
    """As where two processes of one template have the same: the public port is not the one to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = ("serve", "--port", "0", "--store", "memory://", "--upstream", UNREACHABLE)
        code, _, err = await done(tmp_path, *arguments, TICKER_SERVER__METRICS_PORT=port)
    assert code == 1
    assert f"Address already in use: 127.0.0.1 port {port}" in json.loads(err.splitlines()[-1])["error"]


async def test_the_demo_listens_where_it_is_told(tmp_path: Path) -> None:
    """On every address of the machine; what to open is one that a browser understands."""
    process = await started(tmp_path, "demo", "--host", "0.0.0.0", "--port", "0")
    try:
        line = await first_line(process, "DEMO, invented numbers")
        port = line["url"].rpartition(":")[2]
        assert (line["url"], line["hint"]) == (f"http://0.0.0.0:{port}", f"Open http://127.0.0.1:{port}")
    finally:
        process.terminate()
        await process.communicate()


async def test_tables_are_not_folded_where_nobody_looks_on(tmp_path: Path) -> None:
    """A program reads one source a line, however narrow the terminal of its user is."""
    code, out, _ = await done(tmp_path, "sources", COLUMNS="40")
    assert code == 0
    assert len([line for line in out.splitlines() if "https://www.cbr.ru/eng/user_agreement/" in line]) == 1
    assert all(line.count("│") in {0, 5} for line in out.splitlines())


async def test_sources_are_told_as_json(tmp_path: Path) -> None:
    """With what they feed, when they are asked, and why one is off."""
    code, out, err = await done(tmp_path, "sources", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["cbr"]["feeds"] == ["USD", "EUR"]
    assert (found["cbr"]["every"], found["cbr"]["zone"], found["cbr"]["off"]) == (None, "Europe/Moscow", None)
    assert found["eia"]["off"] == "needs an api_key"


async def test_probed_sources_are_told_as_json(tmp_path: Path) -> None:
    """With what came back; exit 1 where one failed."""
    code, out, _ = await done(tmp_path, "sources", "--json", "--probe", "--upstream", UNREACHABLE, "--at", DAY)
    found = json.loads(out)
    assert (code, found["cbr"]["probe"]["ok"], found["eia"]["probe"]) == (1, False, None)
    assert found["cbr"]["probe"]["answer"].startswith("connect: ")


def test_a_backfill_that_waits_for_its_first_answer_shows_what_it_asks(tmp_path: Path) -> None:
    """On a terminal, offline: the source stands there from the beginning, not an empty screen."""
    own, other = pty.openpty()
    variables = {**VARIABLES, "TERM": "xterm", "COLUMNS": "80"}
    command = (TICKER, "backfill", "USD", "--upstream", UNREACHABLE, "--pause", "0.1")
    process = subprocess.Popen(
        command, cwd=tmp_path, env=variables, stdin=other, stdout=subprocess.DEVNULL, stderr=other
    )
    os.close(other)
    shown = b""
    while b"cbr" not in shown:
        shown += os.read(own, 4096)
    process.kill()
    process.wait()
    os.close(own)


@pytest.mark.programs
async def test_a_name_server_that_never_answers_does_not_hold_the_end(tmp_path: Path) -> None:
    """In a network of its own whose name server is silent: every lookup hangs, and SIGTERM ends the process in time."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    silent = "import socket, time; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('127.0.0.1', 53)); time.sleep(60)"
    script = f"""
        ip link set lo up && mount --bind {tmp_path}/resolv.conf /etc/resolv.conf || exit 42
        python3 -c "{silent}" &
        exec {TICKER} serve --port 0 --store memory://
    """
    pipe = asyncio.subprocess.PIPE
    command = (needs("unshare"), "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", script)
    process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, stderr=pipe)
    try:
        line = await first_line(process, "ticker serves")
    except json.JSONDecodeError:
        missing("a network of its own needs the right to make one")
    assert line["url"]
    children = await asyncio.to_thread(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text)
    await asyncio.sleep(2)  # every source is asked within the first second
    os.kill(int(children.split()[0]), signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        await process.communicate()
