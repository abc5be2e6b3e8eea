"""Where a redirect may lead: another host is a guard or consent page, or an attack."""

from __future__ import annotations

from yarl import URL

from ticker.quotes import Reason, SourceError


def onward_of(start: URL, target: URL, location: str) -> URL:
    """Where `target` sends on to with `location`. Raises SourceError where that is not `start`'s own place."""
    try:
        onward = target.join(URL(location))
    except ValueError as error:
        raise SourceError(Reason.BLOCKED, f"redirected to {location[:80]!r}") from error
    if not location or onward.scheme not in {"http", "https"} or not _same_place(start, onward):
        raise SourceError(Reason.BLOCKED, f"redirected to {location[:80]!r}")
    return onward


def _same_place(start: URL, onward: URL) -> bool:
    """The same scheme, host and port, or the same host moved up from http to https; nobody's password goes along."""
    if onward.raw_user is not None:
        return False
    upgrade = (
        (start.scheme, onward.scheme) == ("http", "https") and onward.is_default_port() and start.is_default_port()
    )
    return onward.origin() == start.origin() if not upgrade else onward.host == start.host
