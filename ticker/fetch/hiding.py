"""A user's key in other people's words: hidden however it is written there, whole or cut off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# So much of a key is taken for the key.
_BEGINNING = 6
HIDDEN = "***"


def hidden(text: str, secrets: Iterable[str]) -> str:
    """`text` without `secrets`: neither as they are nor written for a URL or for JSON, sign by sign."""
    for secret in secrets:
        if secret:
            beginning = "".join(_either(one) for one in secret[:_BEGINNING])
            text = re.sub(rf"{beginning}[^\s'\"<>]*", HIDDEN, text, flags=re.IGNORECASE)
    return text


def hidden_bytes(body: bytes, secrets: Iterable[str]) -> bytes:
    """The same of bytes; what has no key in it stays as it is, to the byte."""
    return hidden(body.decode("latin-1"), [each.encode().decode("latin-1") for each in secrets]).encode("latin-1")


def _either(one: str) -> str:
    plus = r"|\+" if one == " " else ""
    in_url = "".join(f"%{byte:02x}" for byte in one.encode())
    return rf"(?:\\?{re.escape(one)}|{in_url}{plus}|\\u{ord(one):04x})"
