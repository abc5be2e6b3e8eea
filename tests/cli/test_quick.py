"""The plain `ticker serve` that is read without the command line's library."""

from __future__ import annotations

import typer
from hypothesis import given
from hypothesis import strategies as st

from ticker.cli.commands import app
from ticker.cli.quick import OPTIONS, options, started

SERVE = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
WORDS = st.sampled_from(
    [
        *sorted(OPTIONS),
        "--port=0",
        "--host=",
        "--store=memory://",
        "--help",
        "--po",
        "-h",
        "--",
        "serve",
        "8080",
        "",
        "é=1",
    ]
)


def test_every_option_of_serve_is_known() -> None:
    """One that is added to the command and not here would only make a start slower; one too many would be a hole."""
    named = {name for option in SERVE.params for name in option.opts}
    assert named - {"--help"} == OPTIONS


@given(st.lists(WORDS, max_size=6))
def test_what_it_takes_the_command_line_reads_the_same(words: list[str]) -> None:
    """Letter for letter; whatever else is written, it declines."""
    found = options(["serve", *words])
    if found is None:
        return
    parsed = SERVE.make_parser(context := typer.Context(SERVE, info_name="serve")).parse_args(list(words))
    assert context is not None
    by_name = {option.name: option.opts[0] for option in SERVE.params}
    assert {by_name[name]: value for name, value in parsed[0].items()} == found


def test_another_command_is_none_of_its_business() -> None:
    """Nor is nothing at all."""
    for words in ([], ["check"], ["--version"], ["serve", "--help"], ["serve", "--port"], ["serve", "--port", "x"]):
        assert not started(words)


def test_what_a_person_has_to_be_told_is_left_to_the_command_line() -> None:
    """A wrong port, a clock without an upstream, an address that is none."""
    for words in ("--port 65536", "--workers 0", "--at 2024-11-22T12:00+03:00", "--upstream moon", "--port 8 --port 9"):
        assert not started(["serve", *words.split()])
    assert not started(["serve", "--upstream", "http://127.0.0.1:1", "--at", "2024-11-22"])
