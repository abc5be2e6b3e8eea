"""What fills the history, and what writes the board into files: the same parts without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker import clock, keys
from ticker.app.composing import USER_AGENT
from ticker.configured import feeds_of, used
from ticker.fetch import Fetcher
from ticker.render import JSON, Representation
from ticker.stores import of_url
from ticker.web import assets

if TYPE_CHECKING:
    from datetime import datetime

    from ticker.app.service import Service
    from ticker.backfill import Backfill
    from ticker.export import Exporter, Target
    from ticker.feeds import Feed
    from ticker.quotes import Snapshot
    from ticker.settings.model import Settings

# The service's own files that a page needs beside what is exported.
_EXPORTED = ("widget.css", "widget.js")


def backfill(config: Settings, upstream: str | None, pause: float) -> Backfill:
    """What fills the configured store from the archives; `pause` seconds lie between two requests."""
    from ticker.backfill import Backfill  # noqa: PLC0415 - as above

    config = keys.switched_on(config)

    def base(feed: Feed) -> str:
        return feed.base_url if upstream else feed.adapter.archive_url or feed.base_url

    feeds = feeds_of(config, upstream, used(config))
    return Backfill(of_url(config.store.url), Fetcher(USER_AGENT), feeds, base, clock.wall, pause)


def exporter(service: Service, langs: tuple[str, ...], target: Target) -> Exporter:
    """What writes the service's board into `target`, in `langs`; their first is that of what has no language."""
    from ticker.export import Exporter, Pictures  # noqa: PLC0415 - a service starts without
    from ticker.render.tree import tree_of  # noqa: PLC0415 - as above

    context = service.context
    pictures = Pictures(context.history, langs[0])
    steady = {each.name: each.representation for each in assets.ASSETS if each.name in _EXPORTED}
    steady["v1/openapi.json"] = Representation(service.openapi(), JSON, context.clock())

    async def tree(snapshot: Snapshot, now: datetime) -> dict[str, Representation]:
        return tree_of(context.renderer, snapshot, langs, now) | await pictures.of(snapshot, now)

    return Exporter(service.board, context.clock, target, langs, tree, steady)
