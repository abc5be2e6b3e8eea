"""`ticker serve` as a unit file starts it, read without the command line's library: to load that is a tenth of a start.

It takes what it understands to the letter; every other word is left to `commands`, which says what is wrong with it.
"""

from __future__ import annotations

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ticker.cli.configuration import begun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Every option of `serve`: all of them take a value.
OPTIONS = frozenset({"--config", "--host", "--port", "--workers", "--upstream", "--store", "--at"})
_NUMBER = re.compile(r"0|[1-9][0-9]{0,4}")


def options(words: Sequence[str]) -> dict[str, str] | None:
    """What `serve --port 80 --store=URL` says, each option once; None for all that is not written so."""
    if not words or words[0] != "serve":
        return None
    found: dict[str, str] = {}
    rest = iter(words[1:])
    for word in rest:
        name, equals, value = word.partition("=")
        given = value if equals else next(rest, "")
        if name not in OPTIONS or name in found or not given or given.startswith("-"):
            return None
        found[name] = given
    return found


def started(words: Sequence[str]) -> bool:
    """Serve as `words` say to the end, and tell whether it was done: False leaves it all to the command line proper."""
    given = options(words)
    try:
        serve = None if given is None else _served(given)
    except ValueError:
        return False
    if serve is not None:
        serve()
    return serve is not None


def _served(given: dict[str, str]) -> Callable[[], None]:
    """What serves as `given` says. Raises ValueError for what a person has to be told."""
    port, workers = _number(given.get("--port"), 0, 65535), _number(given.get("--workers"), 1, sys.maxsize)
    upstream, at = _address(given.get("--upstream")), moment(given.get("--at"), given.get("--upstream"))
    file, host, store = given.get("--config"), given.get("--host"), given.get("--store")

    def serve() -> None:
        from ticker.cli import serving  # noqa: PLC0415 - another command's words end before

        path = Path(file) if file else None
        first = begun(path, server__host=host, server__port=port, server__workers=workers, store__url=store)
        serving.serve(first, upstream=upstream, at=at)

    return serve


def _number(text: str | None, least: int, most: int) -> int | None:
    if text is not None and not (_NUMBER.fullmatch(text) and least <= int(text) <= most):
        raise ValueError(text)
    return None if text is None else int(text)


def moment(text: str | None, upstream: str | None) -> datetime | None:
    """The aware time that `--at` names. Raises ValueError, with the mend, for anything else or without `--upstream`."""
    if text is None:
        return None
    if upstream is None:
        raise ValueError("goes only with --upstream: the real world's clock cannot be moved")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write 2024-11-22T12:00+03:00") from None
    if found.tzinfo is None:
        raise ValueError("needs a zone: 2024-11-22T12:00+03:00")
    return found


def _address(text: str | None) -> str | None:
    from ticker.settings.types import web_address  # noqa: PLC0415 - only where one is given

    return None if text is None else web_address(text)
