"""What each value of the configuration may be: the types that `model` names, for pydantic, which validates with them.

Only a validation imports this; a start over what was validated before (`memory`) does without the library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from ticker.calendars.days import days_of, known
from ticker.settings.model import Part, Schedule, Server
from ticker.settings.secret import Secret
from ticker.settings.types import duration, exact, masked, positive, web_address, zone

# As a browser writes the page it asks from: scheme, host, and a port that is not the scheme's own.
_ORIGIN = re.compile(r"https?://[a-z0-9._:\[\]-]+")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,15}")


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        try:
            ip_network(each, strict=False)
        except ValueError:
            message = f"{each!r} is no address or network: write 10.0.0.0/8 or 127.0.0.1"
            raise ValueError(message) from None
    return value


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        if each != "*" and not _ORIGIN.fullmatch(each):
            message = f"{each!r} is no origin: write https://example.org, without a path, or * for every page"
            raise ValueError(message)
    return value


def _store(value: str) -> str:
    if value == "memory://" or (value.startswith("sqlite:///") and value.strip("/") != "sqlite:"):
        return value
    if value.startswith(("redis", "rediss")):
        from ticker.storage.redis.address import address_of  # noqa: PLC0415 - only where the store is one

        address_of(value)
        return value
    there = "memory://, sqlite:///FILE, redis://HOST:6379/0 and rediss:// (TLS), redis+sentinel:// or redis+cluster://"
    message = f"no store at {masked(value)!r}; there are {there}"
    raise ValueError(message)


def _five_fields(lines: tuple[str, ...]) -> tuple[str, ...]:
    for line in lines:
        if len(line.split()) != 5:  # noqa: PLR2004 - minute, hour, day, month, weekday
            message = f"{line!r} does not have the five fields of cron: minute hour day month weekday"
            raise ValueError(message)
    return lines


def _link(value: str) -> str:
    # As the publisher writes it: with its last slash.
    web_address(value)
    return value


def _weekdays(value: str) -> str:
    days_of(value)
    return value


def _ordered(value: tuple[Decimal, Decimal]) -> tuple[Decimal, Decimal]:
    if value[0] >= value[1]:
        message = f"the lower bound {value[0]} is not below the upper one {value[1]}"
        raise ValueError(message)
    return value


def _symbol(value: str) -> str:
    if not _SYMBOL.fullmatch(value):
        message = f"{value!r} is no symbol: capital letters, digits, '.', '_' and '-', 16 at most"
        raise ValueError(message)
    return value


def _secret(value: object) -> Secret:
    if not isinstance(value, str):
        message = "a key is text: write it in quotes"
        raise ValueError(message)  # noqa: TRY004 - pydantic's way to refuse
    return Secret(value)


def apart(server: Server) -> None:
    """Raises ValueError where two things would listen on one port."""
    if server.metrics_port == server.port and server.port and server.metrics_host in {None, server.host}:
        message = f"metrics_port and port are both {server.port}: give the metrics another, or none"
        raise ValueError(message)


def one_of_them(schedule: Schedule) -> None:
    """Raises ValueError for a schedule that says nothing, or two things."""
    if (schedule.every is None) is not bool(schedule.cron):
        message = 'give either every = "60s" or cron = ["*/10 15-19 * * mon-fri"]'
        raise ValueError(message)


AtLeastOne = Field(min_length=1)
ByKind = Field(discriminator="kind")

Duration = Annotated[timedelta, BeforeValidator(duration)]
Positive = Annotated[Duration, AfterValidator(positive)]
Zone = Annotated[ZoneInfo, BeforeValidator(zone)]
Fraction = Annotated[Decimal, BeforeValidator(exact), Field(gt=0, le=1)]
Price = Annotated[Decimal, BeforeValidator(exact), Field(ge=0, allow_inf_nan=False)]
Band = Annotated[tuple[Price, Price], AfterValidator(_ordered)]
Port = Annotated[int, Field(ge=0, le=65535)]
Rate = Annotated[int, Field(ge=0, le=1_000_000)]
Bytes = Annotated[int, Field(ge=1_000, le=64_000_000)]
Budget = Annotated[int, Field(ge=1, le=36_000)]
Lead = Annotated[int, Field(ge=-31, le=1)]
Decimals = Annotated[int, Field(ge=0, le=8)]
Origins = Annotated[tuple[str, ...], AfterValidator(_origins)]
Networks = Annotated[tuple[str, ...], AfterValidator(_networks)]
CronLines = Annotated[tuple[str, ...], AfterValidator(_five_fields)]
Names = Annotated[tuple[str, ...], AtLeastOne]
Symbol = Annotated[str, AfterValidator(_symbol)]
Code = Annotated[str, Field(min_length=1, max_length=32)]
Days = Annotated[str, AfterValidator(_weekdays)]
Holidays = Annotated[str, AfterValidator(known)]
WebAddress = Annotated[str, AfterValidator(web_address)]
Link = Annotated[str, AfterValidator(_link)]
StoreAddress = Annotated[str, AfterValidator(_store)]
Key = Annotated[Secret, PlainValidator(_secret)]

# Of a whole table.
WHOLE: Mapping[type[Part], Callable[[Any], None]] = {Server: apart, Schedule: one_of_them}
