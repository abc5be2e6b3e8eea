"""Text that is a number."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from ticker.quotes import Reason, SourceError

# Longer than any price and short enough that arithmetic on it is instant: a million digits is an attack, not a rate.
_DIGITS = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,12})?")


def decimal_of(text: str) -> Decimal:
    """The exact decimal that `text` writes, with point or comma.

    Raises SourceError (`parse`) for anything that is not an unsigned decimal number of sane length.
    """
    if not _DIGITS.fullmatch(text):
        raise SourceError(Reason.PARSE, f"not a number: {text[:40]!r}")
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation as error:  # pragma: no cover - the pattern admits nothing Decimal refuses
        raise SourceError(Reason.PARSE, f"not a number: {text[:40]!r}") from error
