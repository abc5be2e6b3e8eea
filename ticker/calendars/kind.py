"""Several markets of one kind: until when a print of one of them is the newest that any could have given."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ticker.calendars.publication import Publication
from ticker.calendars.session import Session

# A pause for clearing is no rest: the market goes on within minutes.
PAUSE = timedelta(minutes=30)


def fresh_until(own: Publication | Session, kind: Iterable[Publication | Session], as_of: datetime) -> datetime:
    """By its own market while that is in session; at rest, until any market of the `kind` must have printed."""
    until = own.fresh_until(as_of)
    if not isinstance(own, Session) or until <= as_of + own.delay + own.grace:
        return until
    if own.next_open(as_of) - as_of <= PAUSE:
        return until
    return min([until, *(_printed_by(each, as_of) for each in kind if isinstance(each, Session) and each != own)])


def _printed_by(market: Session, as_of: datetime) -> datetime:
    """When another market must have printed something newer than `as_of`, heard or not."""
    session, lag = market.session_at(as_of), market.delay + market.grace
    if session is not None and as_of < session.closes - market.grace:
        return as_of + lag
    return market.next_open(as_of) + lag
