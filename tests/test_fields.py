"""How the fields of values are written in the configuration."""

from datetime import UTC, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.fields import duration, flag, number, positive, time_of_day, whole, written, zone

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@given(st.integers(0, 36_500), st.sampled_from(sorted(UNITS)))
def test_a_duration_is_its_number_times_its_unit(count: int, unit: str) -> None:
    """Every whole number with ms, s, m, h or d is exactly that long."""
    assert duration(f"{count}{unit}") == timedelta(milliseconds=count * UNITS[unit])


@given(st.integers(0, 10**9 - 1).map(lambda ms: timedelta(milliseconds=ms)))
def test_a_written_duration_reads_back_as_itself(value: timedelta) -> None:
    """`ticker check` prints durations in the form that the file takes."""
    assert duration(written(value)) == value


@given(st.text(max_size=12))
def test_text_is_a_duration_or_a_named_error(text: str) -> None:
    """No text raises anything but the error that says how a duration is written."""
    try:
        assert isinstance(duration(text), timedelta)
    except ValueError as error:
        assert "duration" in str(error)  # noqa: PT017 - most texts are errors, some are not


@pytest.mark.parametrize("text", ["36501d", "999999999h"])
def test_a_duration_beyond_a_century_is_refused(text: str) -> None:
    """A slip of the unit does not become a date that no calendar has."""
    with pytest.raises(ValueError, match="a century at most"):
        duration(text)


@pytest.mark.parametrize("text", ["10", "1.5s", "-5s", "5 s", "1h30m", "s", "", "10S", "٣s", 10, 1.5, None, True])
def test_a_duration_without_its_unit_is_refused(text: object) -> None:
    """A bare number would leave open whether it means seconds or minutes."""
    with pytest.raises(ValueError, match="write a duration as a number with its unit"):
        duration(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(milliseconds=1500), "1500ms"),
        (timedelta(seconds=90), "90s"),
        (timedelta(hours=24), "1d"),
        (timedelta(0), "0d"),
    ],
)
def test_a_duration_is_written_in_the_longest_unit_that_keeps_it_whole(value: timedelta, text: str) -> None:
    """1d and not 24h, 90s and not 1.5m."""
    assert written(value) == text


def test_a_zone_is_one_of_the_iana_database() -> None:
    """Names of that database are zones already when the service starts."""
    assert zone("Europe/Moscow") == ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize("name", ["MSK+3", "Europe/Moskow", "", "../etc/passwd", "/etc/localtime", 3])
def test_a_zone_that_does_not_exist_is_refused_with_the_right_form(name: object) -> None:
    """Neither a misspelt name nor a path is a zone."""
    with pytest.raises(ValueError, match="write Europe/Moscow or UTC"):
        zone(name)


@given(st.decimals(min_value=0, max_value=1000, places=6, allow_nan=False))
def test_a_fraction_is_the_decimal_that_was_written(value: Decimal) -> None:
    """A TOML float arrives as the digits in the file, not as their binary neighbour."""
    assert number(float(value)) == value


@pytest.mark.parametrize("value", ["x", "", True, None, [1], "1,5"])
def test_what_is_no_number_is_refused(value: object) -> None:
    """True is not 1."""
    with pytest.raises(ValueError, match="must be a number, without quotes"):
        number(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "NaN", "-Infinity"])
def test_a_number_that_ends_nowhere_is_refused(value: object) -> None:
    """No bound holds it."""
    with pytest.raises(ValueError, match="ends somewhere"):
        number(value)


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None])
def test_only_a_whole_number_is_one(value: object) -> None:
    """`port = true` is a slip and not port 1."""
    assert whole(8080) == 8080
    with pytest.raises(ValueError, match="must be a whole number, without quotes"):
        whole(value)


@pytest.mark.parametrize("value", [0, 1, "true", "on", None])
def test_only_true_and_false_are_flags(value: object) -> None:
    """TOML has words for them."""
    assert [flag(each) for each in (True, False)] == [True, False]
    with pytest.raises(ValueError, match="must be true or false, without quotes"):
        flag(value)


def test_a_time_of_day_is_written_with_or_without_quotes() -> None:
    """TOML has times of its own."""
    assert time_of_day("16:00") == time_of_day(time(16)) == time(16)


@pytest.mark.parametrize("value", ["25:00", "16", 16, "16:00+03:00", time(16, tzinfo=UTC), None])
def test_another_time_is_refused(value: object) -> None:
    """A calendar has its zone; a time with another one would say two things."""
    with pytest.raises(ValueError, match='must be a time of day: "16:00"'):
        time_of_day(value)


def test_a_span_of_nothing_is_not_positive() -> None:
    """A time-out of nothing would fail every request."""
    with pytest.raises(ValueError, match="longer than nothing"):
        positive("0s")
