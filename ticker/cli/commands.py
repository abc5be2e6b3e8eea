"""The commands and their options; what they do is in `serve`, `reports` and `jobs`."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from ticker import __version__
from ticker.app import compose
from ticker.cli import jobs, records, reports
from ticker.cli import serve as serving
from ticker.cli.logs import LogFormat, LogLevel
from ticker.fields import positive
from ticker.settings.loader import Loaded, load
from ticker.settings.models import web_address

app = typer.Typer(
    help="Honest market numbers for the header of a page: polls public rate sources, serves JSON and HTML.",
    epilog="Example: ticker demo, then open http://127.0.0.1:8080",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# A service that a signal may tell to read its configuration again lives on when its terminal is closed.
_OUTLIVE_THE_TERMINAL = frozenset({"serve", "demo", "replay"})


def option(name: str, metavar: str, read: Callable[[str], object], told: str) -> Any:  # noqa: ANN401 - Typer's
    """An option whose text `read` reads; a ValueError of it ends the command with exit code 2. `told` is its help."""

    def parse(text: str) -> object:
        try:
            return read(text)
        except ValueError as error:
            raise typer.BadParameter(f"{error}") from None

    return typer.Option(name, metavar=metavar, parser=parse, help=told)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date; write 2024-11-22") from None


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write 2024-11-22T12:00+03:00") from None
    if found.tzinfo is None:
        raise ValueError("needs a zone: 2024-11-22T12:00+03:00")
    return found


def _ensure_stand_in(at: datetime | None, upstream: str | None) -> None:
    """Exits with 2 where the clock is moved and the sources are the real ones."""
    if at is not None and upstream is None:
        raise typer.BadParameter("goes only with --upstream: the real world's clock cannot be moved", param_hint="--at")


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration; default what TICKER_CONFIG names, ./config/ticker.toml, or what is shipped.",
    ),
]
Upstream = Annotated[
    str | None, option("--upstream", "URL", web_address, "Ask every source at URL/<source id>; default its own host.")
]
Store = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="Where history is kept; default sqlite:///var/ticker.db.")
]
At = Annotated[datetime | None, option("--at", "TIME", _moment, "As with serve, only with --upstream; default now.")]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on; default 127.0.0.1.")]
Port = Annotated[int | None, option("--port", "PORT", _whole, "Port to listen on, 0 for a free one; default 8080.")]
Level = Annotated[
    LogLevel, typer.Option("--log-level", envvar="TICKER_LOG_LEVEL", help="The least that the log tells.")
]
Format = Annotated[
    LogFormat | None,
    typer.Option(
        "--log-format",
        envvar="TICKER_LOG_FORMAT",
        show_default=False,
        help="How the log is written; default text on a terminal, json anywhere else.",
    ),
]
Day = date | None
Last = Annotated[Day, option("--to", "DATE", _day, "Last day; default today.")]
Symbols = Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL]...", help="Instruments; default all.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"ticker {__version__}")
        raise typer.Exit


def _refuse_workers(given: str | None) -> None:
    if given is not None:
        message = "was removed: run several processes over one store, each with `ticker serve --reuse-port`"
        raise typer.BadParameter(message, param_hint="--workers")


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of `ticker` itself."""
    if context.invoked_subcommand not in _OUTLIVE_THE_TERMINAL and hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


@app.command(epilog="Example: ticker serve --host 0.0.0.0 --port 8080")
def serve(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    reuse_port: Annotated[
        bool, typer.Option("--reuse-port", help="Share the port with other processes over the same store.")
    ] = False,
    upstream: Upstream = None,
    store: Store = None,
    at: Annotated[
        datetime | None,
        option("--at", "TIME", _moment, "Start the clock at TIME (RFC 3339), only with --upstream; default now."),
    ] = None,
    log_level: Level = LogLevel.INFO,
    log_format: Format = None,
    workers: Annotated[str | None, typer.Option("--workers", hidden=True, callback=_refuse_workers)] = None,
) -> None:
    """Poll the sources and serve their numbers."""

    def read() -> Loaded:
        return settings(config, server__host=host, server__port=port, store__url=store)

    _ensure_stand_in(at, upstream)
    asked = serving.ServeOptions(upstream, at, reuse_port, log_level, log_format)
    sys.exit(serving.serve(read, asked))


@app.command(epilog="Example: ticker demo --port 8080")
def demo(
    host: Host = None,
    port: Port = None,
    log_level: Level = LogLevel.INFO,
    log_format: Format = None,
) -> None:
    """Replay invented, moving numbers from a recording inside; needs no internet and no configuration."""
    where = (host or "127.0.0.1", 8080 if port is None else port)
    sys.exit(serving.demo(*where, log_level, log_format))


@app.command(epilog="Example: ticker get USD OIL --lang ru")
def get(
    symbols: Symbols = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON of /v1/quotes.")] = False,
    lang: Annotated[str, typer.Option("--lang", metavar="L", help="Language of names and numbers.")] = "en",
    config: Config = None,
    upstream: Upstream = None,
    at: At = None,
) -> None:
    """Fetch once through the same pipeline and print the quotes; exit 1 if one is unavailable."""
    loaded = settings(config)
    _ensure_stand_in(at, upstream)
    asked = reports.QuotesAsked(tuple(symbols or ()), lang, as_json=as_json)
    sys.exit(asyncio.run(reports.get(loaded.settings, asked, upstream, at)))


@app.command(epilog="Example: ticker sources --probe")
def sources(
    probe: Annotated[bool, typer.Option("--probe", help="Fetch each once and say what came back.")] = False,
    as_json: Json = False,
    config: Config = None,
    upstream: Upstream = None,
    at: At = None,
) -> None:
    """List the sources with cadence, terms and what they feed; exit 1 if one that was probed failed."""
    loaded = settings(config)
    _ensure_stand_in(at, upstream)
    found = reports.sources(loaded.settings, upstream, at, probe=probe, as_json=as_json)
    sys.exit(asyncio.run(found))


@app.command(epilog="Example: ticker check --config /etc/ticker.toml")
def check(
    config: Config = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what is wrong.")] = False,
) -> None:
    """Validate the configuration; print the effective settings and where each comes from. Exit 2 if it is wrong."""
    loaded = settings(config)
    compose(loaded.settings)
    if not quiet:
        reports.check(loaded, as_json=as_json)


@app.command(epilog="Example: ticker record /var/lib/ticker/recording")
def record(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files are appended to, one a day.")],
    config: Config = None,
    upstream: Upstream = None,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End after so long; default: when told to.")
    ] = None,
    log_level: Level = LogLevel.INFO,
    log_format: Format = None,
) -> None:
    """Poll the sources and keep their raw answers, with headers and times."""
    jobs.record(settings(config).settings, folder, upstream, seconds, (log_level, log_format))


@app.command(epilog="Example: ticker replay recording --at 2024-11-22T15:00:00+03:00 --speed 60")
def replay(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A recording that `ticker record` has made.")],
    at: Annotated[datetime | None, option("--at", "TIME", _moment, "Begin here; default at its start.")] = None,
    speed: Annotated[float, typer.Option("--speed", metavar="X", help="Seconds of it in one second.")] = 1.0,
    host: Host = None,
    port: Port = None,
    config: Config = None,
    log_level: Level = LogLevel.INFO,
    log_format: Format = None,
) -> None:
    """Run the service over a recording, on the recording's clock."""
    if not speed > 0:
        raise typer.BadParameter("a speed is more than 0", param_hint="--speed")
    loaded = settings(config, server__host=host, server__port=port)
    sys.exit(serving.replay(loaded, folder, at, speed, (log_level, log_format)))


@app.command(epilog="Example: ticker backfill --from 2015-01-01 USD EUR")
def backfill(
    symbols: Symbols = None,
    first: Annotated[Day, option("--from", "DATE", _day, "First day; default a year ago.")] = None,
    last: Last = None,
    config: Config = None,
    upstream: Upstream = None,
    store: Store = None,
    pause: Annotated[float, typer.Option("--pause", min=0, help="Seconds between two requests.")] = 1.0,
) -> None:
    """Fill the history from the sources' archives. Can be interrupted and run again; keeps nothing twice."""
    today = datetime.now(UTC).date()
    end = last or today
    asked = jobs.Range(first or end - timedelta(days=365), end, tuple(symbols or ()))
    if not asked.first <= asked.last <= today:
        raise typer.BadParameter(f"{asked.first} to {asked.last} is no range of the past", param_hint="--from")
    loaded = settings(config, store__url=store)
    sys.exit(jobs.backfill(loaded.settings, asked, upstream, pause))


@app.command(epilog="Example: ticker export /var/lib/ticker-export/files --watch --lang en --lang ru")
def export(
    where: Annotated[
        str, typer.Argument(metavar="DIR", help="A folder, or s3://BUCKET/PATH, gs://BUCKET/PATH, az://BUCKET/PATH.")
    ],
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on: poll as the service does, export every change.")
    ] = False,
    langs: Annotated[
        list[str] | None,
        typer.Option("--lang", metavar="L", help="A language; can be repeated. Default: those of the configuration."),
    ] = None,
    lease: Annotated[
        timedelta | None,
        option("--lease", "TIME", positive, "How long the files are vouched for: 1m with --watch, 10m without."),
    ] = None,
    config: Config = None,
    upstream: Upstream = None,
    store: Store = None,
    at: At = None,
    log_level: Level = LogLevel.INFO,
    log_format: Format = None,
) -> None:
    """Write JSON, HTML and pictures as files for nginx, a CDN or an object store; exit 1 if one is unavailable."""
    loaded = settings(config, store__url=store)
    wanted = jobs.Export(where, tuple(langs or ()), lease, watch)
    _ensure_stand_in(at, upstream)
    sys.exit(jobs.export(loaded.settings, wanted, upstream, at, (log_level, log_format)))


@app.command(epilog='Example: ticker override USD --hide --for 2h --note "The Bank publishes a wrong table"')
def override(
    symbol: Annotated[str | None, typer.Argument(metavar="[SYMBOL]", help="The instrument.")] = None,
    freeze: Annotated[bool, typer.Option("--freeze", help="Keep the number that is shown, and let it age.")] = False,
    hide: Annotated[bool, typer.Option("--hide", help="Show no number.")] = False,
    price: Annotated[Decimal | None, option("--price", "P", records.price_of, "Show this number.")] = None,
    length: Annotated[
        timedelta | None, option("--for", "TIME", positive, "For how long (30m, 2h, 7d at most).")
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; readers see it.")] = "",
    end: Annotated[bool, typer.Option("--end", help="End the override of SYMBOL now.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show what is in force.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="With --list: what has ended too.")] = False,
    as_json: Json = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Freeze, hide or set a number by hand, for a time, with a note; running services follow within a second."""
    loaded = settings(config, store__url=store).settings
    chosen = [name for name, given in (("freeze", freeze), ("hide", hide), ("price", price is not None)) if given]
    if listed:
        if symbol or chosen or end:
            raise typer.BadParameter("stands alone, or with --all and --json", param_hint="--list")
        records.list_overrides(loaded, as_json=as_json, everything=everything)
        return
    if symbol is None:
        raise typer.BadParameter("name the instrument, or give --list", param_hint="SYMBOL")
    if end and (chosen or length or note):
        raise typer.BadParameter("goes with a symbol alone", param_hint="--end")
    if not end and len(chosen) != 1:
        raise typer.BadParameter("give one of --freeze, --hide and --price P, or --end", param_hint="SYMBOL")
    if not end and length is None:
        raise typer.BadParameter("an override has an end: say how long it lasts, as --for 2h", param_hint="--for")
    mode = None if end else cast("records.Mode", chosen[0])
    records.set_override(loaded, symbol, mode, price, length, note)


@app.command(epilog="Example: ticker corrections --from 2026-11-01")
def corrections(
    first: Annotated[Day, option("--from", "DATE", _day, "First day; default all.")] = None,
    last: Last = None,
    as_json: Json = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Print the public record: what stood wrong, late or missing, and what an editor changed."""
    records.corrections(settings(config, store__url=store).settings, first, last, as_json=as_json)


@app.command(epilog="Example: ticker verify evidence.json --raw recording/")
def verify(
    evidence: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="What /v1/quotes/SYMBOL/evidence answered.")],
    raw: Annotated[
        Path | None, typer.Option("--raw", metavar="DIR", help="A recording: the answers are looked at as well.")
    ] = None,
    config: Config = None,
) -> None:
    """Recompute a published number from its evidence, offline, and say whether it follows."""
    records.check(settings(config).settings, evidence, raw)


@app.command(epilog="Example: ticker openapi > openapi.json")
def openapi(config: Config = None) -> None:
    """Print the OpenAPI document of the service with that configuration."""
    typer.echo(compose(settings(config).settings).openapi(), nl=False)


def settings(config: Path | None, **flags: object) -> Loaded:
    """The configuration in force: file, environment, and the flags that were given. Raises ConfigurationError."""
    given = {key.replace("__", "."): value for key, value in flags.items() if value is not None}
    return load(config, os.environ, given)


@app.command(epilog="Example: ticker drill guard-page leader-killed")
def drill(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; default all fifteen.")] = None,
    config: Config = None,
) -> None:
    """Play historic failures against this configuration; tell what readers, metrics and alerts would show."""
    raise typer.Exit(jobs.drill(settings(config).settings, names or []))


@app.command(epilog="Example: ticker mcp --url http://127.0.0.1:8080")
def mcp(
    url: Annotated[
        str, option("--url", "URL", web_address, "A running service; default the one of this machine.")
    ] = "http://127.0.0.1:8080",
) -> None:
    """Offer a running service's numbers to agents: quotes, convert, history, evidence, by MCP over stdin and stdout."""
    try:
        from ticker.cli.agent import Agent  # noqa: PLC0415 - an optional extra
    except ModuleNotFoundError as error:
        if error.name not in {"mcp", "mcp_types"}:
            raise
        typer.echo("ticker mcp needs the extra `mcp`: pip install 'market-ticker[mcp]'", err=True)
        sys.exit(2)
    Agent(url).server().run("stdio")
