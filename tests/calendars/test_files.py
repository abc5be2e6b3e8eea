"""The calendars' files: one a market or bank, each with the source of its facts and the day until which they reach."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.running_service import answered
from tests.support.timetables import CALENDARS, FOLDER, calendar, moscow
from ticker.calendars import Publication, Session
from ticker.quotes import Snapshot, Status
from ticker.settings.loader import load, shipped

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
        ({**PLAIN, "holidays": "Ruritania"}, "holidays", "no holiday calendar named 'Ruritania'"),
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


# Who answers in the tests' world, and nobody else.
TRIO = """
[instruments.USD]
sources = ["cbr", "cbr_mirror"]
fallbacks = []
[instruments.EUR]
sources = ["cbr", "cbr_mirror"]
fallbacks = []
[instruments.OIL]
sources = ["moex", "yahoo"]
fallbacks = []
[sources.ecb]
enabled = false
"""


def own(folder: Path, **calendars: str) -> Path:
    """A configuration of one's own in `folder`, with files of `calendars` beside it."""
    (folder / "calendars").mkdir(exist_ok=True)
    for name, text in calendars.items():
        (folder / "calendars" / f"{name}.toml").write_text(text, encoding="utf-8")
    file = folder / "ticker.toml"
    file.write_text(TRIO, encoding="utf-8")
    return file


def test_the_service_holds_what_the_shipped_files_say() -> None:
    """The loader reads each file as the calendar of its name."""
    held = load(shipped(), {}, {}).settings.calendars
    assert held == {name: calendar(name) for name in NAMES}


def test_a_file_of_ones_own_adds_its_exceptions_to_the_shipped_ones(tmp_path: Path) -> None:
    """It says nothing but what is new; of two exceptions for one day the later one holds, all others stay."""
    file = own(
        tmp_path,
        moex_forts="""
        covered_until = 2027-12-31
        [[exceptions]]
        dates = [2027-01-04, 2026-12-31]
        like = "sun"
        note = "Announced on 1 December 2026"
        """,
    )
    exchange = load(file, {}, {}).settings.calendars["moex_forts"]
    assert isinstance(exchange, Session)
    for day in (date(2027, 1, 4), date(2026, 12, 31)):
        assert [(each.opens.hour, each.closes.hour) for each in exchange.sessions(day)] == [(9, 19)]
    assert exchange.sessions(date(2027, 1, 7)) == ()
    assert exchange.sessions(date(2026, 5, 9)) == ()
    assert exchange.covered_until == date(2027, 12, 31)
    assert exchange.delay == timedelta(minutes=15)


async def test_a_decree_is_taken_by_a_reload(tmp_path: Path) -> None:
    """At noon of 22 November 2024 the Friday becomes a day off: the table in force is so until Tuesday."""
    async with answered(file=own(tmp_path)) as served:
        before = await served.shows(lambda seen: seen.quotes[0].status is Status.FRESH)
        assert _due(before) == moscow("2024-11-22T16:00")
        closed = """
        [[exceptions]]
        dates = [2024-11-22]
        closed = true
        note = "A decree"
        """
        served.service.reload(load(own(tmp_path, cbr=closed), {}, {}).settings)
        await served.shows(lambda seen: _due(seen) == moscow("2024-11-25T16:00"))
        served.clock.now = moscow("2024-11-25T23:59")
        assert served.service.board.current(served.clock.now).quotes[0].status is Status.FRESH
        served.clock.now = moscow("2024-11-26")
        assert served.service.board.current(served.clock.now).quotes[0].status is Status.STALE


async def test_the_log_says_at_the_start_and_at_a_reload_what_soon_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """On 22 November 2024 what is known of the Bank's days ends with the year; the exchange's is known for two more."""
    until = own(tmp_path, cbr="covered_until = 2024-12-31")
    async with answered(file=until) as served:
        assert _ending(caplog) == [("cbr", "2024-12-31")]
        served.service.reload(load(own(tmp_path, cbr="covered_until = 2025-12-31"), {}, {}).settings)
        assert len(_ending(caplog)) == 1
        served.service.reload(load(own(tmp_path, moex_forts="covered_until = 2024-11-30"), {}, {}).settings)
        assert _ending(caplog)[1:] == [("moex_forts", "2024-11-30")]


def _ending(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    fields = [each.__dict__["fields"] for each in caplog.records if each.message == "calendar ends"]
    return [(each["calendar"], each["covered_until"]) for each in fields]


def _due(snapshot: Snapshot) -> datetime | None:
    return snapshot.quotes[0].next_update_at
