"""What the fuzzers beside this file found, kept."""

from __future__ import annotations

import json

import pytest

from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import load
from ticker.web.problems import Problem, problem_response


@pytest.mark.parametrize(("name", "value"), [("TICKER_SERVER__CORS_ORIGINS", '["http\udcdf"]'), ("TICKER_\udcdf", "1")])
def test_a_variable_of_bytes_that_are_no_text_stops_the_start(name: str, value: str) -> None:
    """`configuration`: it came through, and no answer that held it could be sent."""
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load(None, {name: value}, {})


def test_a_refusal_of_bytes_that_are_no_text_can_be_sent() -> None:
    """`targets`: the parser in Python, where the one in C is not there, takes them for halves of surrogate pairs."""
    body = problem_response(Problem(400, "unknown parameter 'a\udc8c'", parameter="a\udc8c", allowed=["b"])).body
    assert isinstance(body, bytes)
    assert json.loads(body)["parameter"] == "a?"
