"""Every adapter's reading of an answer: ticks or a SourceError, and no number that is not in the bytes."""

from __future__ import annotations

import atheris

from tests.bench.mutations import parsers
from tests.security.fuzz.running import fuzz
from tests.support.wounds import written

with atheris.instrument_imports(include=["ticker"]):
    from ticker.quotes import SourceError
    from ticker.sources import SOURCES


EVERY = parsers()


def one(data: bytes) -> None:
    """The first byte says which adapter, the rest is the answer."""
    if not data:
        return
    _, parse, _ = EVERY[data[0] % len(EVERY)]
    try:
        ticks = parse(data[1:]).ticks
    except SourceError as error:
        error.detail.encode()
        return
    strange = {tick.price for tick in ticks} - written(data[1:])
    if strange:
        raise AssertionError(f"numbers that nobody wrote: {strange}")


if __name__ == "__main__":
    assert SOURCES
    fuzz(one, [bytes([number]) + body for number, (_, _, body) in enumerate(EVERY)])
