from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.quotes import SourceError
from ticker.sources.digits import decimal_of


@given(st.decimals(0, 10**11, allow_nan=False, allow_infinity=False, places=6), st.sampled_from(".,"))
def test_a_decimal_is_read_to_the_digit(value: Decimal, mark: str) -> None:
    """With point or comma, and its trailing zeros."""
    value = value.copy_abs()
    assert str(decimal_of(f"{value:f}".replace(".", mark))) == f"{value:f}"


@pytest.mark.parametrize(
    "text",
    ["", " ", "1,2,3", "1.2.3", "1.", ".5", "+1", "-1", "1e5", "NaN", "Infinity", "0x10", "1_000", "٣", "9" * 13],
)
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    """Python reads more than a source may write."""
    with pytest.raises(SourceError, match="parse"):
        decimal_of(text)


@given(st.text(max_size=30))
def test_no_text_is_read_as_another_number(text: str) -> None:
    """Whatever is read stands there in digits."""
    try:
        value = decimal_of(text)
    except SourceError:
        return
    assert set(text) <= set("0123456789.,")
    assert value == Decimal(text.replace(",", "."))
