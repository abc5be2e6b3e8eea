"""JSON that keeps a Decimal's own digits, which the standard encoder refuses to write."""

from __future__ import annotations

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def dumps(value: object, indent: int | None = None) -> str:
    """Write `value` as JSON, each Decimal as a number with exactly its digits (73.70 stays 73.70)."""
    written = _ENCODER.encode(value)
    return (written if indent is None else msgspec.json.format(written, indent=indent)).decode()
