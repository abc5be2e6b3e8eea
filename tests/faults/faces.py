"""Everything that a service says of one moment, at each of its faces: whoever looks, they must all say the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import aiohttp
import simplejson

ITEM = re.compile(
    r'<li data-symbol="(\w+)" data-status="(\w+)"[^>]*>.*?</abbr>\s*<(?:data value="([^"]*)"|span)[^>]*>([^<]*)'
)
DASH = "\N{EM DASH}"


@dataclass(frozen=True, slots=True)
class Faces:
    """The quotes by symbol, the sources' reasons by name, the samples of /metrics, and the status of /readyz."""

    quotes: dict[str, dict[str, Any]]
    sources: dict[str, str | None]
    metrics: dict[str, float]
    ready: int

    def each(self, key: str) -> dict[str, Any]:
        """One key of every quote, by symbol."""
        return {symbol: quote[key] for symbol, quote in self.quotes.items()}

    @property
    def numbers(self) -> dict[str, tuple[str, str, str]]:
        """Price, moment and source of every quote: what no failure may change."""
        return {s: (str(q["price"]), q["as_of"], q["source"]) for s, q in self.quotes.items()}

    def failures(self, source: str, reason: str) -> float:
        """How many polls of `source` have failed so."""
        return self.metrics[f'ticker_source_poll_failures_total{{reason="{reason}",source="{source}"}}']

    def rejected(self, source: str, symbol: str, reason: str) -> float:
        """How many ticks were refused so."""
        return self.metrics[f'ticker_ticks_rejected_total{{reason="{reason}",source="{source}",symbol="{symbol}"}}']


async def look(session: aiohttp.ClientSession, url: str, metrics_url: str = "") -> Faces:
    """What the service at `url` says now; each face is held against the JSON, all of one snapshot."""
    while True:
        board, reasons = await _board(session, url), await _reasons(session, url)
        try:
            return await _look(session, url, metrics_url, board)
        except AssertionError:
            # A number that moved, or a source that answered, between two of the answers is no contradiction.
            if (await _board(session, url))["version"] == board["version"] and await _reasons(session, url) == reasons:
                raise


async def _board(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    board: dict[str, Any] = simplejson.loads(await _text(session, f"{url}/v1/quotes?lang=en"), use_decimal=True)
    return board


async def _reasons(session: aiohttp.ClientSession, url: str) -> dict[str, str | None]:
    async with session.get(f"{url}/readyz") as response:
        return {source: each["reason"] for source, each in (await response.json(content_type=None))["sources"].items()}


async def _look(session: aiohttp.ClientSession, url: str, metrics_url: str, board: dict[str, Any]) -> Faces:
    quotes = {quote["symbol"]: quote for quote in board["quotes"]}
    metrics = await _metrics(session, metrics_url or url)
    _fragment(await _text(session, f"{url}/widget?lang=en"), quotes)
    _gauges(metrics, quotes)
    async with session.get(f"{url}/readyz") as response:
        state, ready = simplejson.loads(await response.text()), response.status
    sources = {source: each["reason"] for source, each in state["sources"].items()}
    catalogue = simplejson.loads(await _text(session, f"{url}/v1/sources"))["sources"]
    assert {each["id"]: each["reason"] for each in catalogue} == sources
    assert {s: (q["status"], q["reason"]) for s, q in quotes.items()} == {
        s: (i["status"], i["reason"]) for s, i in state["instruments"].items()
    }
    missing = {symbol for symbol, quote in quotes.items() if quote["status"] == "unavailable"}
    assert set(state["missing"]) == missing
    assert ready == 200 or missing == set(quotes)
    assert (await _text(session, f"{url}/healthz")).startswith('{"status": "alive"')
    return Faces(quotes, sources, metrics, ready)


async def _text(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as response:
        assert response.status == 200, (url, response.status, await response.text())
        return await response.text()


async def _metrics(session: aiohttp.ClientSession, url: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in (await _text(session, f"{url}/metrics")).splitlines())
    return {name: float(value) for name, _, value in lines if not name.startswith("#")}


def _fragment(text: str, quotes: dict[str, dict[str, Any]]) -> None:
    """The fragment shows the JSON's numbers and statuses, and a dash and no number where there is none."""
    shown = {symbol: (status, value, label) for symbol, status, value, label in ITEM.findall(text)}
    assert shown.keys() == quotes.keys(), text
    for symbol, quote in quotes.items():
        known = quote["price"] is not None
        wanted = (str(quote["price"]), quote["display"]["price"]) if known else ("", DASH)
        assert shown[symbol] == (quote["status"], *wanted), text
        assert known == (quote["status"] != "unavailable")


def _gauges(metrics: dict[str, float], quotes: dict[str, dict[str, Any]]) -> None:
    prices = {name: value for name, value in metrics.items() if name.startswith("ticker_quote_price{")}
    known = [quote for quote in quotes.values() if quote["price"] is not None]
    assert prices == {
        f'ticker_quote_price{{source="{q["source"]}",symbol="{q["symbol"]}"}}': float(q["price"]) for q in known
    }
    for symbol, quote in quotes.items():
        assert metrics[f'ticker_quote_status{{status="{quote["status"]}",symbol="{symbol}"}}'] == 1
