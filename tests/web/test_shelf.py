"""The shelf: an answer of the present moment, in bounded memory, for as long as nothing has changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.support.served_board import NOON, live
from ticker import clock
from ticker.board import Board
from ticker.web.response_cache import Shelf
from ticker.web.responses import Ready, unmodified

ANSWER = Ready("/widget", '"tag"', b'"tag"', b'ETag: "tag"\r\n', b"Content-Length: 4\r\n\r\n", b"body")


def board() -> Board:
    """The trio, which the next poll may change in a minute."""
    return live().context.board


def opening(shelf: Shelf, seconds: float) -> list[str]:
    """How answers begin `seconds` after noon, without the machine's own Date."""
    text = shelf.opening(shelf.moment(NOON + timedelta(seconds=seconds)), None, 200).decode()
    return [line for line in text.split("\r\n") if not line.startswith("Date: ")]


@given(st.lists(st.floats(0, 70, allow_nan=False), min_size=1, max_size=30))
def test_an_answer_never_begins_otherwise_than_one_made_for_it_alone(offsets: list[float]) -> None:
    """Age, date and time to the next change are those of this very moment, whatever was asked before."""
    shared, kept = board(), live().context.board
    shelf = Shelf(shared, ("*",))
    for offset in sorted(offsets):
        assert opening(shelf, offset) == opening(Shelf(kept, ("*",)), offset)


def test_a_304_is_put_together_once_a_moment() -> None:
    """The same bytes as one made for it alone, in the next moment too; a moment remembers some hundreds at most."""
    shelf = Shelf(board(), ("*",))
    moment = shelf.moment(NOON)
    first = shelf.unmodified(moment, None, ANSWER)
    assert first == unmodified(shelf.opening(moment, None, 304), ANSWER)
    assert shelf.unmodified(moment, None, ANSWER) is first
    later = shelf.moment(NOON + timedelta(seconds=2))
    assert shelf.unmodified(later, None, ANSWER) == unmodified(shelf.opening(later, None, 304), ANSWER) != first
    for n in range(5000):
        each = replace(ANSWER, described=b'ETag: "%d"\r\n' % n)
        assert shelf.unmodified(later, None, each) == unmodified(shelf.opening(later, None, 304), each)
    assert len(later.unchanged) <= 256


def test_what_one_moment_says_is_written_once() -> None:
    """Not again at every request."""
    shelf = Shelf(board(), ("*",))
    moments = {id(shelf.moment(NOON + timedelta(seconds=0.1 + n / 1000))) for n in range(500)}
    assert len(moments) <= 2  # the machine's own second may turn meanwhile


def test_on_the_wall_clock_a_look_at_it_makes_no_date() -> None:
    """It is one number, compared with two; what else an answer depends on is still looked at."""
    looks: list[datetime] = []

    def looked() -> datetime:
        looks.append(clock.wall())
        return looks[-1]

    served = live(clock=clock.wall)
    served.context.board.expect(clock.wall() + timedelta(minutes=1))
    shelf = Shelf(served.context.board, ("*",), wall=True)
    moments = [shelf.present(looked) for _ in range(500)]
    assert len(looks) <= 5  # the second may turn meanwhile, and the age with it
    assert moments[-1].since <= clock.wall() < moments[-1].until + timedelta(seconds=5)
    served.put({"USD": "101"})
    assert shelf.present(looked).snapshot is served.context.board.latest


def test_the_shelf_is_empty_after_each_new_version() -> None:
    """And keeps what it has while a poll brings nothing new."""
    served = live()
    shelf, now = Shelf(served.context.board, ("*",)), NOON + timedelta(seconds=1.5)
    shelf.moment(now)
    shelf.keep(b"/widget", "json br en", ANSWER)
    served.context.board.expect(NOON + timedelta(hours=1))
    assert b"max-age=3598," in shelf.opening(shelf.moment(now), None, 200)
    assert shelf.find(b"/widget", "json br en") is ANSWER
    served.put({"USD": "101"})
    shelf.moment(now)
    assert shelf.find(b"/widget", "json br en") is None


def test_the_shelf_is_empty_after_each_hour() -> None:
    """How old a stale number is said to be depends on it."""
    shelf = Shelf(board(), ("*",))
    shelf.moment(NOON + timedelta(minutes=59))
    shelf.keep(b"/widget", "json br en", ANSWER)
    shelf.moment(NOON + timedelta(minutes=59, seconds=59))
    assert shelf.find(b"/widget", "json br en") is ANSWER
    shelf.moment(NOON + timedelta(minutes=60))
    assert shelf.find(b"/widget", "json br en") is None


def test_a_shelf_that_is_full_begins_anew() -> None:
    """Every combination that somebody tries costs no more than the limit."""
    shelf = Shelf(board(), ("*",), limit=10_000)
    for number in range(1000):
        shelf.keep(b"/widget?%d" % number, "json br en", ANSWER)
        assert 0 < shelf.held <= 10_000
        assert shelf.find(b"/widget?%d" % number, "json br en") is ANSWER
    shelf.keep(b"/large", "json br en", replace(ANSWER, body=b"a" * 20_000))
    assert shelf.find(b"/large", "json br en") is None


def test_the_same_answer_takes_one_place() -> None:
    """However often it was made before it was there."""
    shelf = Shelf(board(), ("*",))
    shelf.keep(b"/widget", "json br en", ANSWER)
    held = shelf.held
    shelf.keep(b"/widget", "json br en", ANSWER)
    assert shelf.held == held


def test_wishes_are_what_the_accept_headers_come_to() -> None:
    """As bytes and as text alike, a missing one as an empty one."""
    shelf = Shelf(board(), ("*",))
    assert shelf.wishes(None, None, None) == shelf.wishes("", b"", "") == "json identity en"
    assert shelf.wishes(b"text/csv", b"gzip, br", b"ru-RU") == shelf.wishes("text/csv", "gzip, br", "ru-RU")
    assert shelf.wishes("text/csv", "gzip, br", "ru-RU") == "csv br ru-RU"


def test_somebody_who_invents_headers_takes_no_more_memory() -> None:
    """What was remembered of headers is forgotten when it is too much."""
    shelf = Shelf(board(), ("*",))
    for number in range(5000):
        shelf.wishes(None, f"gzip;q=0.{number}", None)
    assert len(shelf._wishes) <= 2048
