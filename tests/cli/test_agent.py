"""A client of the SDK asks as an agent would; no answer is a bare number."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import TextContent

from tests.cli.running import done
from tests.support.project_files import ROOT
from tests.support.running_service import Served, answered
from ticker.cli.agent import Agent

NUMBERS = {"price", "result", "rate", "previous"}
# Twenty questions: tool, arguments, and what the answer must hold by its path.
QUESTIONS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("quotes", {}, {"quotes.0.symbol": "USD", "quotes.1.symbol": "EUR", "quotes.2.symbol": "OIL"}),
    ("quotes", {"symbols": ["USD"]}, {"quotes.0.price": 100.6798, "quotes.0.source": "cbr"}),
    ("quotes", {"symbols": ["OIL", "USD"]}, {"quotes.0.symbol": "OIL", "quotes.1.symbol": "USD"}),
    ("quotes", {"symbols": ["EUR"]}, {"quotes.0.status": "fresh", "quotes.0.as_of": "2024-11-22T00:00:00+03:00"}),
    ("quotes", {"lang": "ru"}, {"quotes.0.name": "Доллар США"}),
    ("quotes", {"symbols": ["USD"], "lang": "ru"}, {"quotes.0.display.price": "100,68"}),
    ("quotes", {"at": "2024-11-22", "symbols": ["USD"]}, {"quotes.0.price": 100.6798}),
    ("quotes", {"at": "2024-11-22T12:00:00+03:00", "symbols": ["EUR"]}, {}),
    ("convert", {"amount": "100", "base": "USD", "target": "RUB"}, {"result": 10067.98, "source": "cbr"}),
    ("convert", {"amount": "0.5", "base": "USD", "target": "RUB"}, {"status": "fresh"}),
    ("convert", {"amount": "1", "base": "RUB", "target": "USD"}, {"path.0.operation": "divide"}),
    ("convert", {"amount": "1", "base": "USD", "target": "EUR"}, {"as_of": "2024-11-22T00:00:00+03:00"}),
    ("convert", {"amount": "3", "base": "BRENT", "target": "RUB"}, {"source": "moex, cbr"}),
    ("convert", {"amount": "7", "base": "EUR", "target": "EUR"}, {"result": 7}),
    ("history", {"symbol": "USD"}, {"interval": "1d", "now.price": 100.6798, "now.status": "fresh"}),
    ("history", {"symbol": "EUR", "limit": 1}, {"points.0.source": "cbr", "order": "desc"}),
    ("history", {"symbol": "OIL", "interval": "raw"}, {"now.source": "moex"}),
    ("history", {"symbol": "USD", "first": "2024-11-01", "last": "2024-11-22"}, {"symbol": "USD"}),
    ("evidence", {"symbol": "USD"}, {"price": 100.6798, "source": "cbr", "status": "fresh"}),
    ("evidence", {"symbol": "OIL"}, {"symbol": "OIL", "status": "fresh"}),
)
# What an agent may get wrong, and what it is told.
WRONG: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("quotes", {"symbols": ["XAU"]}, "unknown symbol 'XAU' in 'symbols'; there are USD, EUR, OIL"),
    ("convert", {"amount": "1", "base": "USD", "target": "GBP"}, "'GBP' is nothing that can be converted"),
    ("convert", {"amount": "much", "base": "USD", "target": "RUB"}, "'much'"),
    ("evidence", {"symbol": "../readyz"}, "no instrument"),
    ("history", {"symbol": "USD", "first": "yesterday"}, "'yesterday'"),
)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The trio of 22 November 2024."""
    async with answered() as service:
        yield service


def url_of(served: Served) -> str:
    """The address that the service listens at."""
    return str(served.client.make_url("/")).rstrip("/")


def at(answer: Any, path: str) -> Any:  # noqa: ANN401 - any JSON
    """The value of an answer at a dotted path."""
    for part in path.split("."):
        answer = answer[int(part)] if isinstance(answer, list) else answer[part]
    return answer


def bare(answer: Any, above: frozenset[str] = frozenset()) -> list[Any]:  # noqa: ANN401 - the same
    """The objects of an answer with a number for readers, and neither here nor above it date, source and status."""
    found = []
    if isinstance(answer, dict):
        known = above | {name for name in ("as_of", "source", "status") if name in answer}
        if NUMBERS & answer.keys() and not {"as_of", "source"} <= known:
            found.append(answer)
        return found + [each for value in answer.values() for each in bare(value, known)]
    return [each for value in answer for each in bare(value, above)] if isinstance(answer, list) else found


async def test_twenty_questions_have_twenty_whole_answers(served: Served) -> None:
    """Each the service's own, in text and in structure, with date, source and status beside every number."""
    assert len(QUESTIONS) == 20
    async with Client(Agent(url_of(served)).server()) as client:
        for tool, arguments, wanted in QUESTIONS:
            result = await client.call_tool(tool, arguments)
            answer = result.structured_content
            assert not result.is_error, (tool, arguments, result.content)
            assert {path: at(answer, path) for path in wanted} == wanted, (tool, arguments)
            assert bare(answer) == [], (tool, arguments)
            text = result.content[0]
            assert isinstance(text, TextContent)
            assert all(f'"{word}":' in text.text for word in ("as_of", "source", "status"))


async def test_the_digits_are_those_of_the_source(served: Served) -> None:
    """A zero at the end is a digit that the source wrote."""
    async with Client(Agent(url_of(served)).server()) as client:
        result = await client.call_tool("convert", {"amount": "100", "base": "USD", "target": "RUB"})
    assert isinstance(result.content[0], TextContent)
    assert '"result":10067.9800' in result.content[0].text


@pytest.mark.parametrize(("tool", "arguments", "said"), WRONG, ids=lambda each: str(each)[:30])
async def test_a_wrong_question_is_an_error_that_helps(
    served: Served, tool: str, arguments: dict[str, Any], said: str
) -> None:
    """The service's own words, and no number."""
    async with Client(Agent(url_of(served)).server()) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert isinstance(result.content[0], TextContent)
    assert said in result.content[0].text
    assert "there is no number to give" in result.content[0].text


async def test_a_service_that_is_away_gives_no_number() -> None:
    """Nothing is remembered from before."""
    async with Client(Agent("http://127.0.0.1:9").server()) as client:
        result = await client.call_tool("quotes", {})
    assert result.is_error
    assert isinstance(result.content[0], TextContent)
    assert "cannot be asked" in result.content[0].text


async def test_the_tools_say_what_they_are(served: Served) -> None:
    """Four that only read; the instructions say that a number never stands alone."""
    async with Client(Agent(url_of(served)).server()) as client:
        tools = (await client.list_tools()).tools
        instructions = client.instructions
    assert {tool.name for tool in tools} == {"quotes", "convert", "history", "evidence"}
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
    assert all(tool.description for tool in tools)
    assert instructions
    assert "Never repeat a number without its date" in instructions


async def test_the_command_speaks_over_standard_input(served: Served, tmp_path: Path) -> None:
    """As an agent's host starts it."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "ticker", "mcp", "--url", url_of(served)],
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
    )
    async with Client(command) as client:
        result = await client.call_tool("quotes", {"symbols": ["USD"]})
    assert result.structured_content
    assert result.structured_content["quotes"][0]["price"] == 100.6798


async def test_a_wrong_address_is_bad_use(tmp_path: Path) -> None:
    """Told before anything is asked."""
    code, _, err = await done(tmp_path, "mcp", "--url", "ticker.example")
    assert code == 2
    assert "--url" in err
