"""The calendars' files: one a market or bank, each with the source of its facts and the day until which they reach."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.timetables import CALENDARS, FOLDER, calendar
from ticker.calendars import Publication, Session

NAMES = sorted(file.stem for file in FOLDER.glob("*.toml"))
# A table every day of the year: no country's holidays to know.
DAILY = {"open_er_api", "fawazahmed0", "dealers"}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_names_the_source_of_its_facts_and_how_far_they_reach(name: str) -> None:
    """And each of its exceptions says why."""
    found = calendar(name)
    assert found.facts
    assert all(each.startswith("https://") for each in found.facts)
    assert all(each.note for each in found.exceptions)
    if name in DAILY:
        assert found.covered_until is None
    else:
        assert found.covered_until is not None
        assert found.covered_until >= date(2026, 12, 31)
    last = max((day for each in found.exceptions for day in each.days), default=date.min)
    assert found.covered_until is None or last.year <= found.covered_until.year + 1


def test_there_is_a_calendar_of_every_kind_of_upstream() -> None:
    """Central banks, exchanges, and what has a file a day."""
    assert {"cbr", "ecb", "eia", "ice_brent", "moex_forts", "nbrb"} <= set(NAMES)
    assert {type(calendar(name)) for name in NAMES} == {Publication, Session}


PLAIN: dict[str, Any] = {"kind": "publication", "zone": "Europe/Moscow", "at": "16:00"}
MARKET: dict[str, Any] = {"kind": "session", "zone": "Europe/Moscow", "opens": "10:00", "closes": "18:00"}


@pytest.mark.parametrize(
    ("given", "where", "complaint"),
    [
        ({**PLAIN, "att": "16:00"}, "att", "Unexpected keyword"),
        ({**PLAIN, "at": "four"}, "at", "time of day"),
        ({**PLAIN, "zone": "Moscow"}, "zone", "no time zone 'Moscow'"),
        ({**PLAIN, "grace": "4"}, "grace", "write a duration"),
        ({**PLAIN, "holidays": "Ruritania"}, "", "no holiday calendar named 'Ruritania'"),
        ({**PLAIN, "exceptions": [{"dates": ["2026-02-30"], "closed": True}]}, "exceptions.0.dates.0", "date"),
        ({**PLAIN, "exceptions": [{"dates": ["2026-02-20"]}]}, "exceptions.0.closed", "required"),
        ({**MARKET, "exceptions": [{"dates": ["2026-02-20"], "like": "sunday"}]}, "exceptions.0", "not a weekday"),
        ({**MARKET, "timetables": [{"sessions": []}]}, "timetables.0", "a timetable has sessions"),
        ({"kind": "market"}, "", "publication"),
    ],
)
def test_a_slip_in_a_file_is_told_where_it_stands(given: dict[str, Any], where: str, complaint: str) -> None:
    """The key, and what would do."""
    with pytest.raises(ValidationError) as caught:
        CALENDARS.validate_python(given)
    told = caught.value.errors()[0]
    place = [str(each) for each in told["loc"] if each not in {"publication", "session"}]
    assert ".".join(place) == where
    assert complaint in told["msg"]
