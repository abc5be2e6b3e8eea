"""The commands and their options; what they do is in `serving`, `tables` and the rooms behind them."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from ticker import __version__
from ticker.app import compose
from ticker.cli import backfill as filling
from ticker.cli import exporting, recording, serving, tables
from ticker.cli import probe as probing
from ticker.cli.arguments import day, moment, stretch, web_upstream, whole
from ticker.cli.configuration import begun, settings

app = typer.Typer(
    help="Honest market numbers for the header of a page: polls public rate sources, serves JSON and HTML.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Configuration; default ./config/ticker.toml, or what is shipped."),
]
Upstream = Annotated[
    str | None,
    typer.Option("--upstream", metavar="URL", help="Ask every source at URL/<source id>; default its own host."),
]


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"ticker {__version__}")
        raise typer.Exit


Store = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="Where history is kept; default sqlite:///var/ticker.db.")
]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="As with serve, only with --upstream; default now.")
]
Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")]
Port = Annotated[
    int | None,
    typer.Option("--port", metavar="PORT", parser=whole, help="Port to listen on, 0 for a free one; default 8080."),
]


def _no_workers(given: str | None) -> None:
    if given is not None:
        raise typer.BadParameter(
            "was removed: run several processes over one store, each with `ticker serve --reuse-port`",
            param_hint="--workers",
        )


Workers = Annotated[str | None, typer.Option("--workers", hidden=True, callback=_no_workers)]


@app.callback()
def options(
    version: Version = False,  # noqa: FBT002 - typer's way to declare a flag
) -> None:
    """Options of `ticker` itself."""


@app.command(epilog="Example: ticker serve --host 0.0.0.0 --port 8080")
def serve(
    config: Config = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on; default 127.0.0.1.")] = None,
    port: Port = None,
    reuse_port: Annotated[  # noqa: FBT002 - typer's way to declare a flag
        bool, typer.Option("--reuse-port", help="Share the port with other processes over the same store.")
    ] = False,
    workers: Workers = None,  # noqa: ARG001 - refused by its callback
    upstream: Upstream = None,
    store: Store = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="Start the clock at TIME (RFC 3339), only with --upstream; default now."
        ),
    ] = None,
) -> None:
    """Poll the sources and serve their numbers."""
    first = begun(config, server__host=host, server__port=port, store__url=store)
    serving.serve(first, upstream=web_upstream(upstream), at=moment(at, upstream), reuse_port=reuse_port)


@app.command(epilog="Example: ticker backfill --from 2015-01-01 USD EUR")
def backfill(
    symbols: Annotated[
        list[str] | None, typer.Argument(metavar="[SYMBOL]...", help="Instruments; default all.")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day; default a year ago.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day; default today.")] = None,
    config: Config = None,
    upstream: Upstream = None,
    store: Store = None,
    pause: Annotated[float, typer.Option("--pause", min=0, help="Seconds between two requests.")] = 1.0,
) -> None:
    """Fill the history from the sources' archives. Can be interrupted and run again; keeps nothing twice."""
    today = datetime.now(UTC).date()
    end = day(last, "--to", today)
    asked = filling.Range(day(first, "--from", end - timedelta(days=365)), end, tuple(symbols or ()))
    if not asked.first <= asked.last <= today:
        raise typer.BadParameter(f"{asked.first} to {asked.last} is no stretch of the past", param_hint="--from")
    loaded = settings(config, store__url=store)
    sys.exit(filling.run(loaded.settings, asked, web_upstream(upstream), pause))


@app.command(epilog="Example: ticker record /var/lib/ticker/recording")
def record(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files are appended to, one a day.")],
    config: Config = None,
    upstream: Upstream = None,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End after so long; default: when told to.")
    ] = None,
) -> None:
    """Poll the sources and keep their raw answers, with headers and times."""
    recording.record(settings(config).settings, folder, web_upstream(upstream), seconds)


@app.command(epilog="Example: ticker replay recording --at 2024-11-22T15:00:00+03:00 --speed 60")
def replay(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A recording that `ticker record` has made.")],
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="Begin here; default at its start.")] = None,
    speed: Annotated[float, typer.Option("--speed", metavar="X", help="Seconds of it in one second.")] = 1.0,
    port: Port = None,
    config: Config = None,
) -> None:
    """Run the service over a recording, on the recording's clock."""
    if not speed > 0:
        raise typer.BadParameter("a speed is more than 0", param_hint="--speed")
    loaded = settings(config, server__port=port)
    recording.replay(loaded.settings, folder, moment(at, "a recording"), speed)


@app.command(epilog="Example: ticker demo --port 8080")
def demo(port: Port = None) -> None:
    """Replay invented, moving numbers from a recording inside; needs no internet and no configuration."""
    recording.demo(port if port is not None else 8080)


@app.command(epilog="Example: ticker get USD OIL --lang ru")
def get(
    symbols: Annotated[
        list[str] | None, typer.Argument(metavar="[SYMBOL]...", help="Instruments; default all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON of /v1/quotes.")] = False,  # noqa: FBT002
    lang: Annotated[str, typer.Option("--lang", metavar="L", help="Language of names and numbers.")] = "en",
    config: Config = None,
    upstream: Upstream = None,
    at: At = None,
) -> None:
    """Fetch once through the same pipeline and print the quotes; exit 1 if one is unavailable."""
    loaded = settings(config)
    when = moment(at, upstream)
    asked = tables.Asked(tuple(symbols or ()), lang, as_json=as_json)
    sys.exit(asyncio.run(tables.get(loaded.settings, asked, web_upstream(upstream), when)))


@app.command(epilog="Example: ticker sources --probe")
def sources(
    probe: Annotated[bool, typer.Option("--probe", help="Fetch each once and say what came back.")] = False,  # noqa: FBT002
    config: Config = None,
    upstream: Upstream = None,
    at: At = None,
) -> None:
    """List the sources with cadence, terms and what they feed."""
    loaded = settings(config)
    when = moment(at, upstream)
    sys.exit(asyncio.run(probing.sources(loaded.settings, web_upstream(upstream), when, probe=probe)))


@app.command(epilog="Example: ticker export /var/lib/ticker-export/files --watch --lang en --lang ru")
def export(
    where: Annotated[
        str, typer.Argument(metavar="DIR", help="A folder, or s3://BUCKET/PATH, gs://BUCKET/PATH, az://BUCKET/PATH.")
    ],
    watch: Annotated[  # noqa: FBT002 - typer's way to declare a flag
        bool, typer.Option("--watch", help="Go on: poll as the service does, export every change.")
    ] = False,
    langs: Annotated[
        list[str] | None,
        typer.Option("--lang", metavar="L", help="A language; can be repeated. Default: those of the configuration."),
    ] = None,
    lease: Annotated[
        str | None,
        typer.Option(
            "--lease", metavar="TIME", help="How long the files are vouched for: 1m with --watch, 10m without."
        ),
    ] = None,
    config: Config = None,
    upstream: Upstream = None,
    store: Store = None,
    at: At = None,
) -> None:
    """Write JSON, HTML and pictures as files for nginx, a CDN or an object store; exit 1 if one is unavailable."""
    loaded = settings(config, store__url=store)
    wanted = exporting.Wanted(where, tuple(langs or ()), stretch(lease, "--lease"), watch)
    sys.exit(exporting.export(loaded.settings, wanted, web_upstream(upstream), moment(at, upstream)))


@app.command(epilog="Example: ticker openapi > openapi.json")
def openapi(config: Config = None) -> None:
    """Print the OpenAPI document of the service with that configuration."""
    typer.echo(compose(settings(config).settings).openapi(), nl=False)


@app.command(epilog="Example: ticker check --config /etc/ticker.toml")
def check(
    config: Config = None,
    quiet: Annotated[  # noqa: FBT002 - typer's way to declare a flag
        bool, typer.Option("--quiet", help="Say only what is wrong.")
    ] = False,
) -> None:
    """Validate the configuration; print the effective settings and where each comes from. Exit 2 if it is wrong."""
    tables.check(settings(config), quiet=quiet)
