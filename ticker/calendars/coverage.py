"""Until when the dated facts of the calendars are known, so that somebody looks before they end."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from ticker.calendars.days import DAY
from ticker.calendars.publication import Publication
from ticker.calendars.session import Session

# How far ahead a year's days should be known: exchanges and governments announce them about two months before.
AHEAD = timedelta(days=60)
MEND = "add the announced exceptions and a later covered_until to calendars/<name>.toml"


def covered_until(calendar: Publication | Session) -> datetime | None:
    """The end of the last day whose facts `calendar` knows; None where it needs none, as a daily file does."""
    if calendar.covered_until is None:
        return None
    return datetime.combine(calendar.covered_until + DAY, time(), calendar.zone)


def ending(calendars: Mapping[str, Publication | Session], now: datetime) -> dict[str, date]:
    """The calendars whose facts of the next 60 days are not all known, by name, with the last day that is."""
    ends = {name: covered_until(each) for name, each in calendars.items()}
    return {name: end.date() - DAY for name, end in ends.items() if end is not None and end < now + AHEAD}


def warnings(calendars: Mapping[str, Publication | Session], now: datetime) -> list[str]:
    """A sentence for each calendar of `ending`, with the mend."""
    return [
        f"calendar {name}: what is known of its days ends with {last}, later ones are judged by their "
        f"weekday: {MEND.replace('<name>', name)}"
        for name, last in ending(calendars, now).items()
    ]
