"""Bytes that an upstream could send and never should: healthy answers with wounds, and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import strategies as st

from ticker.quotes import SourceError, Tick
from ticker.sources import Adapter

# A comma is a decimal point here and the end of a cell there, so a number is looked for either way.
_NUMBERS = tuple(re.compile(rb"[0-9]+(?:" + point + rb"[0-9]+)?(?:[eE][-+]?[0-9]{1,4})?") for point in (rb"\.", b","))
_SCRAPS = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [
            b'"',
            b"<",
            b"}",
            b",",
            b"0",
            b"-",
            b"e9",
            b"null",
            b"NaN",
            b"[]",
            b"{}",
            b"true",
            b"1e999",
            b"<x/>",
            b"</Value>",
            b"\\ud800",
            b"9999-12-31",
        ]
    ),
)


@st.composite
def wounded(draw: st.DrawFn, healthy: bytes) -> bytes:
    """`healthy` with one to four scraps put over a few of its bytes, and now and then its end cut off."""
    body = bytearray(healthy)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(body)))
        body[place : place + draw(st.integers(0, 8))] = draw(_SCRAPS)
    return bytes(body[: draw(st.integers(0, len(body)))] if draw(st.integers(0, 5)) == 0 else body)


def read(adapter: Adapter, body: bytes) -> Sequence[Tick]:
    """What `adapter` reads, nothing where it refuses; any other error than SourceError comes through."""
    try:
        return adapter.parse(body).ticks
    except SourceError:
        return ()


def invented(ticks: Sequence[Tick], body: bytes) -> set[Decimal]:
    """The prices of `ticks` that nobody wrote in `body`."""
    return {price for tick in ticks for price in (tick.price, tick.previous) if price is not None} - written(body)


def written(body: bytes) -> set[Decimal]:
    """Every number that stands in `body`."""
    found = (number for pattern in _NUMBERS for number in pattern.findall(body))
    return {Decimal(number.replace(b",", b".").decode()) for number in found}
