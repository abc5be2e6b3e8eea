"""How a service is made of its settings: each part built once, and handed what it needs."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from ticker import __version__, clock, keys
from ticker.app.contexts import context_of
from ticker.app.service import Service
from ticker.board import Board
from ticker.configured import checks_of, feeds_of, instruments, overrides_of, plans_of, used
from ticker.fetch import Fetcher
from ticker.poll import Poller
from ticker.quotes import Snapshot
from ticker.replicas import Following, Replica
from ticker.schedule import Timetable
from ticker.stores import Keeper, Retention, is_shared, of_url
from ticker.stores.keeper import PARTS
from ticker.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ticker.fetch import Fetching
    from ticker.schedule import Plan
    from ticker.settings.model import Settings

USER_AGENT = f"market-ticker/{__version__} (+https://github.com/market-ticker/market-ticker)"


def compose(
    config: Settings,
    *,
    upstream: str | None = None,
    now: Callable[[], datetime] = clock.wall,
    demo: bool = False,
    seed: int | None = None,
    stored: bool = False,
    sound: bool = False,
    around: Callable[[Fetcher, Mapping[str, str]], Fetching] = lambda fetcher, _bases: fetcher,
) -> Service:
    """A service of `config`; with `upstream`, every source is asked at `upstream`/<source id> instead of its own host.

    With `stored` it keeps history in the configured store and begins with the last snapshot kept there; otherwise it
    remembers what it is told while it runs. `around` may put something between the fetcher and the poller; it is told
    the sources by their base address. A `sound` config was
    composed before: APScheduler need not be loaded only to ask whether its times are some.
    Raises ConfigurationError for an instrument whose sources are off, and for a time that no clock shows.
    """
    config = keys.switched_on(config)
    wanted = instruments(config)
    feeds = feeds_of(config, upstream, used(config))
    keeper = _keeper(config, upstream, now, stored=stored)
    first = (keeper.restore(wanted, now()) if stored else None) or Snapshot(keeper.newest, now(), ())
    board = Board(replace(first.resumed(wanted, now()), demo=demo))
    fetcher = around(Fetcher(USER_AGENT), {feed.base_url.rstrip("/"): source for source, feed in feeds.items()})
    poller = Poller(wanted, feeds, board, fetcher, now, overrides_of(config), checks_of(config))
    plans = plans_of(config, feeds, Random(seed), sound=sound)  # noqa: S311 - jitter, not a secret # nosec B311
    timetable = _timetable(plans, poller, board, now)
    poller.publisher.hurry, poller.publisher.report = timetable.hurry, keeper.report
    context = context_of(config, poller, board, now, keeper, demo=demo)
    service = Service(config, poller, board, fetcher, timetable, context, keeper, upstream)
    if stored and is_shared(config.store.url):
        replica = Replica(keeper.store, keeper.name, PARTS)
        service.following = Following(replica, keeper, poller, board, timetable, context.vitals, now)
    return service


def _keeper(config: Settings, upstream: str | None, now: Callable[[], datetime], *, stored: bool) -> Keeper:
    """What came from a stand-in upstream is never taken up again by a service that asks the real ones."""
    store = of_url(config.store.url if stored else "memory://")
    retention = Retention(config.store.raw, config.store.hourly, config.store.keep)
    return Keeper(store, f"snapshot {upstream}" if upstream else "snapshot", retention, now)


def _timetable(plans: Mapping[str, Plan], poller: Poller, board: Board, now: Callable[[], datetime]) -> Timetable:
    async def poll(source: str) -> None:
        await poller.poll(source)

    def planned() -> None:
        # A source whose first poll has not ended may change the board at any moment.
        board.expect(min(health.next_poll or now() for health in poller.health.values()))

    return Timetable(plans, poll, lambda source: poller.health[source], poller.cost, now, planned)
