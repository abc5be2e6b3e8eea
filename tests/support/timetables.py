"""The shipped calendars as values, read without the product's own loader, and moments in their zones."""

import tomllib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, TypeAdapter

from ticker.calendars import Calendar
from ticker.calendars.publication import Publication
from ticker.calendars.session import Session

FOLDER = Path(__file__).parents[2] / "config" / "calendars"
MOSCOW, YORK = ZoneInfo("Europe/Moscow"), ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)

CALENDARS: TypeAdapter[Calendar] = TypeAdapter(Annotated[Calendar, Field(discriminator="kind")])


@cache
def calendar(name: str) -> Calendar:
    """The shipped calendar `name`."""
    return CALENDARS.validate_python(tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")))


def publication(name: str) -> Publication:
    """The shipped calendar `name`, a publication."""
    found = calendar(name)
    assert isinstance(found, Publication)
    return found


def session(name: str) -> Session:
    """The shipped calendar `name`, a market."""
    found = calendar(name)
    assert isinstance(found, Session)
    return found


def moscow(text: str) -> datetime:
    """The moment of an ISO date or time in Moscow."""
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


def york(text: str) -> datetime:
    """The moment of an ISO date or time in New York."""
    return datetime.fromisoformat(text).replace(tzinfo=YORK)
