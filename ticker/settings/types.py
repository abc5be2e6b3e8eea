"""How values are written in the configuration: durations, zones, addresses, fractions."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
# Texts and not patterns: a start over settings that are known to be good needs none of them.
_DURATION = r"([0-9]{1,9})(ms|s|m|h|d)"
_LONGEST = 36_500 * 86_400  # added to a date of today it is still a date
# In a store's address all before the last @: a password may hold one, and a / too. And what is called a password.
_LOGIN = r"(\b(?!https?:)[a-z+]+://)\S*@|(https?://)[^/?#\s]*@"
_NAMED = r"([?&][^=&\s]*(?:pas|pw|auth|token|secret|cred)[^=&\s]*=)[^&\s'\"]*"
# RFC 3986 has none of them; an address becomes a link, a header and code that people copy.
_NO_ADDRESS = r"""[\x00-\x20\x7f"<>\\^`{|}]"""


def duration(value: object) -> object:
    """`value` as a timedelta where it is written like 500ms, 10s, 5m, 3h or 14d. Raises ValueError otherwise."""
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(_DURATION, value.strip()) if isinstance(value, str) else None
    if found is None:
        message = "write a duration as a number with its unit: 500ms, 10s, 5m, 3h or 14d"
        raise ValueError(message)
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > _LONGEST:
        message = "a duration is a century at most"
        raise ValueError(message)
    return timedelta(seconds=seconds)


def positive(value: timedelta) -> timedelta:
    """`value`, if it is longer than nothing. Raises ValueError otherwise."""
    if value <= timedelta(0):
        message = "must be longer than nothing: 1s or 500ms"
        raise ValueError(message)
    return value


def written(value: timedelta) -> str:
    """A duration as the configuration writes it."""
    seconds = value.total_seconds()
    if seconds % 1:
        return f"{seconds * 1000:.0f}ms"
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _UNITS[unit] == 0)
    return f"{seconds / _UNITS[unit]:.0f}{unit}"


def masked(text: str) -> str:
    """`text` with what stands before the @ of an address in it hidden, and what is called a password."""
    return re.sub(_NAMED, r"\1***", re.sub(_LOGIN, r"\1\2***@", text))


def zone(value: object) -> object:
    """`value` as a time zone of the IANA database. Raises ValueError otherwise."""
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError, OSError) as error:
        message = f"no time zone {value!r} in the IANA database: write Europe/Moscow or UTC"
        raise ValueError(message) from error


def exact(value: object) -> object:
    """A TOML float as the decimal that was written, not as its nearest binary neighbour."""
    return Decimal(str(value)) if isinstance(value, float) else value


def web_address(value: str) -> str:
    """`value`, if it is an absolute http(s) URL with a host and without credentials. Raises ValueError otherwise."""
    if found := re.search(_NO_ADDRESS, value):
        message = f"{masked(value)!r} has a {found[0]!r}, which no address has: write it as %{ord(found[0]):02X}"
        raise ValueError(message)
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        message = f"{masked(value)!r} is not an http:// or https:// address with a host and without a user name"
        raise ValueError(message)
    return value.rstrip("/")
