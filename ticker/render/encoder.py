"""JSON text with every decimal as the number it is, digit for digit, which the standard encoder cannot write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any


def text(value: object) -> str:
    """The value on one line, letters of every alphabet as they are.

    Raises TypeError for what has no place in an answer (a float has lost its source's digits), and ValueError for a
    decimal that is no number.
    """
    for kind in type(value).__mro__:
        if kind in _KINDS:
            return _KINDS[kind](value)
    raise TypeError(f"{type(value).__name__} is nothing that an answer is made of")


def line(value: object) -> bytes:
    """The same in UTF-8, a line of its own: a whole body."""
    return f"{text(value)}\n".encode()


def _number(value: Decimal) -> str:
    """Never 1E-7, and never NaN, which no JSON has."""
    if not value.is_finite():
        raise ValueError(f"{value} is no number")
    return f"{value:f}"


def _object(value: Mapping[str, object]) -> str:
    return f"{{{', '.join([f'{encode_basestring(name)}: {text(each)}' for name, each in value.items()])}}}"


def _array(value: Sequence[object]) -> str:
    return f"[{', '.join([text(each) for each in value])}]"


_KINDS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: str,
    Decimal: _number,
    dict: _object,
    list: _array,
    tuple: _array,
}
