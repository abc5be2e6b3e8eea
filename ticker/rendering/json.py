"""JSON with every decimal as the number it is, digit for digit; what is no JSON number is refused."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from pydantic import BaseModel

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: object) -> bytes:
    """A model, or a tree of dicts, lists and plain values, in UTF-8 on one line that ends with a newline.

    Raises TypeError for what has no place in an answer (a float has lost its source's digits), and ValueError for a
    decimal that is not finite.
    """
    return _line(value) + b"\n"


def text(value: object) -> str:
    """The same as text without the newline."""
    return _line(value).decode()


def raw(items: list[dict[str, object]]) -> msgspec.Raw:
    """An array made ahead of its object, for thousands of items that hold no decimals: they are not looked through.

    A number in an item is `digits()` of its text.
    """
    return msgspec.Raw(_ENCODER.encode(items))


def digits(number: str) -> msgspec.Raw:
    """A number by its own digits, which are known to be those of a JSON number."""
    return msgspec.Raw(number.encode())


def _line(value: object) -> bytes:
    # Two blanks a pair are worth it: people read these answers in a terminal. NaN would not pass the formatter either.
    return msgspec.json.format(_ENCODER.encode(_plain(value)), indent=0)


def _plain(value: object) -> object:
    """`value` with what msgspec would write in another way than JSON's readers expect it."""
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal):
        return _number(value)
    if value is None or isinstance(value, str | int | msgspec.Raw):
        return value
    raise TypeError(f"{type(value).__name__} is nothing that an answer is made of")


def _number(value: Decimal) -> Decimal | msgspec.Raw:
    if not value.is_finite():
        raise ValueError(f"{value} is no number")
    written = str(value)
    # Not every reader takes 1E-7, and none would see the digits of its source in it.
    return msgspec.Raw(f"{value:f}".encode()) if "E" in written else value
