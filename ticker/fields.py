"""Types of fields that come from the configuration: how each is written there, and within which bounds.

Values and calendars are plain dataclasses annotated with these. pydantic, which validates the settings, reads the
annotations through its public protocol; the rooms of values import nothing but this file.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from annotated_types import Ge, Gt, Le, MaxLen, MinLen

_UNIT_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")
# A moment of today plus the longest duration is still a date that Python has.
_LONGEST = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class ReadBy:
    """Metadata of an annotation: `function` reads a value of the configuration, `written` writes it as it is read.

    `function` raises ValueError with the mend. pydantic calls `__get_pydantic_core_schema__` of any metadata.
    """

    function: Callable[[Any], Any]
    written: Callable[[Any], Any] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> dict[str, Any]:  # noqa: ANN401 - the protocol's own types and name
        """The schema of the annotated type, with `function` before it."""
        reading = {"type": "no-info", "function": self.function}
        schema = {"type": "function-before", "function": reading, "schema": handler(source)}
        if self.written is not None:
            schema["serialization"] = {"type": "function-plain", "function": self.written, "when_used": "json"}
        return schema


def duration(value: object) -> timedelta:
    """The timedelta that 500ms, 10s, 5m, 3h or 14d writes. Raises ValueError for anything else."""
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write a duration as a number with its unit: 500ms, 10s, 5m, 3h or 14d")
    milliseconds = int(found[1]) * _UNIT_MILLISECONDS[found[2]]
    if milliseconds > _LONGEST // timedelta(milliseconds=1):
        raise ValueError("a duration is a century at most")
    return timedelta(milliseconds=milliseconds)


def positive(value: object) -> timedelta:
    """As `duration`, and longer than nothing."""
    found = duration(value)
    if found <= timedelta(0):
        raise ValueError("must be longer than nothing: 1s or 500ms")
    return found


def written(value: timedelta) -> str:
    """A duration as the configuration writes it, in the longest unit that keeps it whole: 90s, 1d."""
    milliseconds = value // timedelta(milliseconds=1)
    unit = next(unit for unit, size in reversed(_UNIT_MILLISECONDS.items()) if milliseconds % size == 0)
    return f"{milliseconds // _UNIT_MILLISECONDS[unit]}{unit}"


def zone(value: object) -> ZoneInfo:
    """The time zone of the IANA database that `value` names. Raises ValueError for any other name."""
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"no time zone {value!r} in the IANA database: write Europe/Moscow or UTC") from error


def time_of_day(value: object) -> time:
    """The time that "16:00" writes, without a zone. Raises ValueError for anything else."""
    found = value if isinstance(value, time) else None
    if isinstance(value, str) and _TIME.fullmatch(value):
        with suppress(ValueError):
            found = time.fromisoformat(value)
    if found is None or found.tzinfo is not None:
        raise ValueError('must be a time of day: "16:00"')
    return found


def whole(value: object) -> int:
    """`value`, if it is a whole number. Raises ValueError for text, for a fraction, and for true and false."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("must be a whole number, without quotes")


def flag(value: object) -> bool:
    """`value`, if it is true or false. Raises ValueError for anything that only stands for it, such as 1."""
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false, without quotes")


def number(value: object) -> Decimal:
    """The decimal that is written: a TOML float keeps its digits and not those of its binary neighbour."""
    if isinstance(value, int | float | str | Decimal) and not isinstance(value, bool):
        try:
            found = Decimal(str(value))
        except ArithmeticError:
            found = None
        if found is not None:
            if not found.is_finite():
                raise ValueError("must be a number that ends somewhere")
            return found
    raise ValueError("must be a number, without quotes")


Duration = Annotated[timedelta, ReadBy(duration, written)]
Positive = Annotated[timedelta, ReadBy(positive, written)]
Zone = Annotated[ZoneInfo, ReadBy(zone, str)]
TimeOfDay = Annotated[time, ReadBy(time_of_day, time.isoformat)]
Whole = Annotated[int, ReadBy(whole)]
Flag = Annotated[bool, ReadBy(flag)]
Number = Annotated[Decimal, ReadBy(number, str)]
Fraction = Annotated[Number, Gt(0), Le(1)]
Price = Annotated[Number, Ge(0)]
Code = Annotated[str, MinLen(1), MaxLen(32)]
# The names of sources or instruments, at least one.
Names = Annotated[tuple[str, ...], MinLen(1)]
# Words by language.
Texts = Mapping[str, str]
