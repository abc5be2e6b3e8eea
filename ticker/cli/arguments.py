"""What a person writes after an option, read strictly: anything else ends the command with exit code 2."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta

import typer

from ticker.fields import positive
from ticker.settings.errors import nearest
from ticker.settings.models import web_address


def day(text: str | None, option: str, otherwise: date) -> date:
    """The day that `text` writes (2024-11-22). Exits with 2 for anything else."""
    try:
        return otherwise if text is None else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write 2024-11-22", param_hint=option) from None


def whole(text: str) -> int:
    """The whole number that `text` writes; its bounds are the configuration's. Exits with 2 for anything else."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise typer.BadParameter(f"{text!r} is not a whole number")
    return int(text)


def stretch(text: str | None, option: str) -> timedelta | None:
    """The duration that `text` writes (10m). Exits with 2 for anything else."""
    try:
        return positive(text) if text is not None else None
    except ValueError as error:
        raise typer.BadParameter(f"{error}", param_hint=option) from None


def moment(text: str | None, upstream: str | None) -> datetime | None:
    """The aware time that `--at` names. Exits with 2 for anything else, or without `--upstream`."""
    if text is None:
        return None
    if upstream is None:
        raise typer.BadParameter("goes only with --upstream: the real world's clock cannot be moved", param_hint="--at")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no time; write 2024-11-22T12:00+03:00"
        raise typer.BadParameter(message, param_hint="--at") from None
    if found.tzinfo is None:
        raise typer.BadParameter("needs a zone: 2024-11-22T12:00+03:00", param_hint="--at")
    return found


def known(symbols: Iterable[str], there: Iterable[str]) -> None:
    """Exits with 2 where a symbol is not `there`, and names the nearest that is."""
    listed = list(there)
    for symbol in symbols:
        if symbol not in listed:
            raise typer.BadParameter(f"no instrument {symbol!r}{nearest(symbol, listed)}", param_hint="SYMBOL")


def web_service(url: str) -> str:
    """`url`, if it is an http(s) address. Exits with 2 otherwise."""
    try:
        return web_address(url)
    except ValueError as error:
        raise typer.BadParameter(f"{error}", param_hint="--url") from None


def web_upstream(url: str | None) -> str | None:
    """`url`, if it is an http(s) address. Exits with 2 otherwise."""
    try:
        return None if url is None else web_address(url)
    except ValueError as error:
        raise typer.BadParameter(f"{error}", param_hint="--upstream") from None
