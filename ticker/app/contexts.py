"""What the web half of a service is handed: one context, made anew for each configuration."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ticker import __version__, clock
from ticker.configured import zone_of
from ticker.facts import facts_of
from ticker.history import History
from ticker.metrics import Exposition
from ticker.render import Renderer
from ticker.vitals import Vitals
from ticker.web import assets, serves
from ticker.web.context import Context, Traffic
from ticker.web.limits import Limiter
from ticker.web.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ticker.board import Board
    from ticker.metrics.collector import TickerCollector
    from ticker.poll import Poller
    from ticker.settings.model import Settings
    from ticker.stores import Keeper


def context_of(
    config: Settings,
    poller: Poller,
    board: Board,
    now: Callable[[], datetime],
    keeper: Keeper,
    former: Context | None = None,
    *,
    demo: bool = False,
) -> Context:
    """The context for `config`; what counts from the start of the process is the `former` one's, where there is one.

    Longer than most: a context has some twenty parts, and each stands here once.
    """
    traffic, vitals = (former.traffic, former.vitals) if former else (Traffic(), Vitals())
    demo = former.demo if former else demo
    # Where no request is counted by its client or told in a log, an answer may be ready before it is asked for.
    unattended = not config.server.rate_limit and not config.server.access_log
    symbols = {source: tuple(i.symbol for i in poller.coverage.wanted(source)) for source in poller.feeds}

    return Context(
        board=board,
        renderer=_renderer(config, poller),
        clock=now,
        health=poller.health,
        traffic=traffic,
        metrics=_metrics(poller, board, now, keeper, traffic, vitals, symbols),
        cors_origins=config.server.cors_origins,
        demo=demo,
        facts=facts_of(config, poller.feeds),
        version=__version__,
        public_url=config.server.public_url,
        limiter=Limiter(config.server.rate_limit, config.server.trusted_proxies),
        shelf=Shelf(board, config.server.cors_origins, demo=demo, usable=unattended, wall=now is clock.wall),
        history=_history(config, poller, keeper, now, demo=demo),
        vitals=vitals,
        access_log=config.server.access_log,
        metrics_here=config.server.metrics_port is None,
        express=config.server.express and unattended,
        terms={source: config.sources[source].terms_url for source in poller.feeds},
        feeds=symbols,
    )


def _renderer(config: Settings, poller: Poller) -> Renderer:
    links = assets.links(config.server.public_url or "", pictures=serves("/sparkline/{symbol}.svg"))
    return Renderer({source: config.sources[source].attribution for source in poller.feeds}, links)


def _metrics(
    poller: Poller,
    board: Board,
    now: Callable[[], datetime],
    keeper: Keeper,
    traffic: Traffic,
    vitals: Vitals,
    symbols: Mapping[str, tuple[str, ...]],
) -> Exposition:
    def collected() -> TickerCollector:
        from ticker.metrics.collector import TickerCollector  # noqa: PLC0415 - a start answers numbers first

        return TickerCollector(lambda: board.current(now()), poller.health, symbols, traffic, keeper.health, vitals)

    return Exposition(collected)


def _history(config: Settings, poller: Poller, keeper: Keeper, now: Callable[[], datetime], *, demo: bool) -> History:
    zone = partial(zone_of, config)
    return History(keeper.readers.read, lambda: poller.instruments, poller.calendars, zone, now, demo=demo)
