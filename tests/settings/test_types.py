"""How values are written in the configuration."""

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.settings.types import duration, exact, masked, web_address, written, zone

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
    assert exact(float(value)) == value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:s3cret@host:6379/0", "redis://***@host:6379/0"),
        ("rediss+sentinel://me:s3@c/r?et@host/a", "rediss+sentinel://***@host/a"),
        ("redis+sentinel://host/a?sentinel_password=s3cret&ca=b", "redis+sentinel://host/a?sentinel_password=***&ca=b"),
        ("https://user:s3cret@host/a", "https://***@host/a"),
        ("https://host/a@b", "https://host/a@b"),
        ("memory://", "memory://"),
    ],
)
def test_an_address_is_shown_without_its_password(text: str, shown: str) -> None:
    """What stands before the @ of an address never reaches a terminal or a log."""
    assert masked(text) == shown


@pytest.mark.parametrize("text", ["http://host", "https://host:8443/a/b", "http://[::1]:1/"])
def test_a_web_address_has_a_scheme_and_a_host(text: str) -> None:
    """It is used without its last slash."""
    assert web_address(text) == text.rstrip("/")


@pytest.mark.parametrize("text", ["host", "ftp://host", "http://", "http://me:s3cret@host", "", "/a", "http:///a"])
def test_another_address_is_refused_and_its_password_not_repeated(text: str) -> None:
    """The error says what an address is."""
    with pytest.raises(ValueError, match="is not an http") as error:
        web_address(text)
    assert "s3cret" not in str(error.value)
