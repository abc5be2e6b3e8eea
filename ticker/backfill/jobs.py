"""Which requests a backfill makes, and what is counted of their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.normalise import word
from ticker.values import Struct, replace

if TYPE_CHECKING:
    from datetime import date

    from ticker.feeds import Feed
    from ticker.quotes import Instrument, SourceError
    from ticker.sources import Request


class Tally(Struct):
    """What one source gave for one instrument; `absent` counts requests for which it has nothing (404)."""

    rows: int = 0
    new: int = 0
    refused: int = 0
    absent: int = 0
    skipped: int = 0
    first: date | None = None
    last: date | None = None
    failure: SourceError | None = None


class Job(Struct, frozen=True):
    """One request to an archive and the instruments it is for."""

    feed: Feed
    request: Request
    wanted: tuple[Instrument, ...]

    @property
    def name(self) -> str:
        """Under which the store notes that it is done."""
        query = "&".join(f"{key}={value}" for key, value in sorted(self.request.query.items()))
        symbols = ",".join(each.symbol for each in self.wanted)
        return f"archive {symbols} {self.feed.id}{self.request.path}?{query}"


def jobs(feed: Feed, group: tuple[Instrument, ...], first: date, last: date) -> list[Job]:
    """An archive of one currency a request is asked for each, one of whole tables once for all."""
    archive = feed.adapter.archive
    if archive is None:
        return []
    codes = {each.symbol: word(each, feed.origin) for each in group}
    by_request: dict[str, Job] = {}
    for each in group:
        for request in archive([codes[each.symbol]], first, last):
            key = f"{request.path}{sorted(request.query.items())}"
            job = by_request.setdefault(key, Job(feed, request, ()))
            by_request[key] = replace(job, wanted=(*job.wanted, each))
    return list(by_request.values())
