"""Why an answer gives no number: the reason with which a call, or a row of an answer, is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from ticker.quotes import Reason, SourceError, Tick
from ticker.sources import Extract


def refused(action: Callable[..., object], *arguments: object) -> Reason:
    """The reason with which a call is refused whole."""
    with pytest.raises(SourceError) as caught:
        action(*arguments)
    return caught.value.reason


def denied(parse: Callable[[bytes], Extract], body: bytes, *symbols: str) -> Reason:
    """The reason for which `body` says nothing of `symbols`: refused whole, or their row left out."""
    try:
        found = parse(body)
    except SourceError as error:
        return error.reason
    assert not [tick for tick in found.ticks if tick.symbol == symbols[0]]
    why = found.why_not(*symbols)
    assert why is not None, f"nothing tells why there is no {symbols[0]}"
    return why.reason


def ticks_by_symbol(ticks: Sequence[Tick]) -> dict[str, Tick]:
    """The first tick of each symbol, which is its newest."""
    found: dict[str, Tick] = {}
    for tick in ticks:
        found.setdefault(tick.symbol, tick)
    return found
