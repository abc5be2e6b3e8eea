"""A row of history as a member of a sorted set, and back.

`revision|as_of|seen_at|fetched_at|day|price_type|archived|price|rest`: what the scripts look at stands in front as
plain text, so that none of it goes through a floating number. The revision comes first: the latest is last.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ticker.quotes import PriceType
from ticker.stores.base import Point, Row, StoreError
from ticker.stores.coding import encoded, micros, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PARTS = 8
_REST = ("source", "publisher", "offset", "previous", "previous_as_of", "contract")
_NEEDED = ("symbol", "source", "publisher")


def columns(row: Row) -> tuple[str, ...]:
    """The row as the script `write` takes it: everything but the revision. Raises StoreError for one not whole."""
    values = encoded(row)
    missing = [name for name in _NEEDED if values[name] is None]
    if missing:
        raise StoreError(f"a row without {missing[0]}")
    return (
        str(values["as_of"]),
        str(values["seen_at"]),
        str(values["fetched_at"]),
        str(values["day"]).replace("-", ""),
        str(values["price_type"]),
        str(values["archived"]),
        str(values["price"]),
        json.dumps([values[name] for name in _REST], ensure_ascii=False, separators=(",", ":")),
    )


def row_of(symbol: str, member: str) -> Row:
    """The row of `member`. Raises StoreError for a text that is none of ours."""
    with _whole(member):
        revision, as_of, seen_at, fetched_at, _, price_type, archived, price, rest = member.split("|", _PARTS)
        source, publisher, offset, previous, previous_as_of, contract = json.loads(rest)
        return Row(
            symbol,
            source,
            publisher,
            PriceType(price_type),
            moment_of(int(as_of), offset),
            Decimal(price),
            moment_of(int(fetched_at)),
            moment_of(int(seen_at)),
            None if previous is None else Decimal(previous),
            None if previous_as_of is None else datetime.fromisoformat(previous_as_of),
            contract,
            archived == "1",
            int(revision),
        )


def points_of(members: Iterable[str]) -> Iterator[Point]:
    """The points of a line. Raises StoreError for a text that is none of ours."""
    for member in members:
        with _whole(member):
            revision, as_of, _, fetched_at, _, price_type, _, price, rest = member.split("|", _PARTS)
            source, _, offset, *_ = json.loads(rest)
            yield Point(int(as_of), offset, price, price_type, source, int(fetched_at), int(revision))


@contextmanager
def _whole(member: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, ArithmeticError) as error:
        raise StoreError(f"no row of history: {member[:80]!r}", "remove what another program wrote there") from error


def bound(moment: datetime) -> str:
    """A moment as a score."""
    return str(micros(moment))
