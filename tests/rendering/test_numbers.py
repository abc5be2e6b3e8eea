"""Numbers as they are sent: the source's digits, whatever they are."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from random import Random

from tests.support.factories import NOON, quote
from ticker.convert import rounded, way
from ticker.quotes import Snapshot
from ticker.rendering.formats import Form, write_quotes
from ticker.rendering.locales import locale_of
from ticker.rendering.representation import to_json

COUNT = 100_000


def test_a_hundred_thousand_numbers_keep_every_digit() -> None:
    """In JSON, without an exponent and without a digit more."""
    random = Random(6)  # noqa: S311 - the same numbers at every run
    digits = [f"{random.randrange(10 ** random.randint(1, 12))}.{random.randrange(10**8):08d}" for _ in range(COUNT)]
    texts = [text[: len(text) - random.randint(0, 8)].rstrip(".") for text in digits]
    body = to_json([Decimal(text) for text in texts]).decode()
    assert body == f"[{', '.join(texts)}]\n"


def test_a_price_has_the_same_digits_in_every_form() -> None:
    """JSON, map, CSV and NDJSON."""
    random = Random(7)  # noqa: S311 - the same numbers at every run
    for _ in range(300):
        text = f"{random.randrange(10**6)}.{random.randrange(10**12):012d}"[: random.randint(8, 19)].rstrip(".")
        board = Snapshot(1, NOON, (quote("USD", text),))
        for form in (Form("map"), Form(fields=("price",)), Form("map", format="csv"), Form("map", format="ndjson")):
            body = write_quotes(board, board.quotes, locale_of("en"), form, alone=False).decode()
            assert re.search(rf"[ ,]{re.escape(text)}[}}\r]", body), body


def test_ten_thousand_conversions_are_exact_to_the_digit_asked_for() -> None:
    """Against whole numbers: twice the error is never above one unit of the last digit."""
    random = Random(8)  # noqa: S311 - the same numbers at every run
    for _ in range(10_000):
        first, second = (Decimal(random.randrange(1, 10**9)).scaleb(-random.randint(0, 6)) for _ in range(2))
        amount, precision = Decimal(random.randrange(10**12)).scaleb(-2), random.randint(0, 12)
        found = way("USD", "EUR", (quote("USD", f"{first:f}"), quote("EUR", f"{second:f}")))
        assert found is not None
        assert found.rate is not None
        true = Fraction(amount) * Fraction(first) / Fraction(second)
        shown = Fraction(rounded(Fraction(amount) * found.rate, precision))
        assert abs(shown - true) * 2 * 10**precision <= 1
