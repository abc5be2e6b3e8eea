"""JSON as it is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import simplejson
from hypothesis import given, settings
from hypothesis import strategies as st

from ticker.quotes import Status
from ticker.rendering.representation import to_json, to_json_text

PLAIN: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.sampled_from(list(Status))
)
TREES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@settings(max_examples=200)
@given(TREES)
def test_a_tree_without_decimals_reads_as_any_encoder_writes_it(tree: object) -> None:
    """Whatever letters, quotes and control characters are in it, on one line."""
    body = to_json(tree)
    assert simplejson.loads(body) == simplejson.loads(simplejson.dumps(tree))
    assert body.endswith(b"\n")
    assert body.count(b"\n") == 1


@settings(max_examples=1000)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e20"), max_value=Decimal("1e20")))
def test_a_decimal_is_a_number_with_all_its_digits(value: Decimal) -> None:
    """And without an exponent, which not every reader takes."""
    assert to_json_text([value]) == f"[{value:f}]"
    assert simplejson.loads(to_json_text(value), use_decimal=True) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E-7", "0.0000001"), ("100.6798", "100.6798"), ("73.70", "73.70"), ("1E+3", "1000"), ("0E-10", "0.0000000000")],
)
def test_a_decimal_has_the_digits_of_its_source(value: str, text: str) -> None:
    """No more, no fewer, and written out."""
    assert to_json_text({"price": Decimal(value)}) == f'{{"price": {text}}}'


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_never_written(value: str) -> None:
    """No reader could take it, and none should."""
    with pytest.raises(ValueError, match="is no number"):
        to_json_text({"price": Decimal(value)})


@pytest.mark.parametrize("value", [100.67, b"100", object(), {1, 2}])
def test_what_no_answer_is_made_of_is_refused(value: object) -> None:
    """A float has lost its source's digits; nothing else is guessed at either."""
    with pytest.raises(TypeError, match="is nothing that an answer is made of"):
        to_json_text({"price": value})
