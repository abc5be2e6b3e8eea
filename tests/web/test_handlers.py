"""What each route answers."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from tests.support.fragments import folded
from tests.support.running_service import Served
from tests.support.upstream import NOON
from ticker.quotes import Quote
from ticker.rendering.locales import DASH

JSON = ("/v1/quotes", "/v1/quotes/USD", "/healthz", "/readyz", "/nothing", "/v1/quotes?nothing=1")


async def told(served: Served, path: str, status: int = 200) -> Any:  # noqa: ANN401 - JSON
    """The JSON at `path`, its numbers exact."""
    answer = await served.client.get(path)
    assert answer.status == status, await answer.text()
    return simplejson.loads(await answer.read(), use_decimal=True)


async def test_the_fragment_reads_as_the_header_of_that_day(served: Served) -> None:
    """The numbers of 22 November 2024, as the header showed them."""
    assert folded(await (await served.client.get("/widget")).text()) == "USD100.68 EUR106.08 OIL73.73"


async def test_the_fragment_speaks_russian(served: Served) -> None:
    """Labels of the configuration, numbers of CLDR."""
    assert folded(await (await served.client.get("/widget?lang=ru")).text()) == "USD100,68 EUR106,08 НЕФТЬ73,73"


async def test_the_fragment_takes_symbols_in_the_order_asked_for(served: Served) -> None:
    """Any choice of instruments, each once."""
    answer = await served.client.get("/widget?symbols=OIL,USD,OIL&style=plain")
    assert folded(await answer.text()) == "OIL73.73 USD100.68"


async def test_a_quote_is_what_the_contract_says(served: Served) -> None:
    """Every field, the source's digits exactly, and nothing more."""
    assert await told(served, "/v1/quotes/USD") == {
        "symbol": "USD",
        "name": "US dollar",
        "base": "USD",
        "quote": "RUB",
        "unit": "1 USD",
        "price": Decimal("100.6798"),
        "price_type": "fixing",
        "previous": Decimal("100.2192"),
        "previous_as_of": "2024-11-21T00:00:00+03:00",
        "change": Decimal("0.4606"),
        "change_percent": Decimal("0.46"),
        "as_of": "2024-11-22T00:00:00+03:00",
        "fetched_at": "2024-11-22T09:00:00Z",
        "next_update_at": "2024-11-22T13:00:00Z",
        "source": "cbr",
        "fallback": False,
        "status": "fresh",
        "reason": None,
        "agreement": {
            "sources": 2,
            "spread_percent": Decimal("0.00"),
            "low": Decimal("100.6798"),
            "high": Decimal("100.6798"),
        },
        "market": None,
        "contract": None,
        "upcoming": None,
        "override": None,
        "checked_at": "2024-11-22T09:00:00Z",
        "valid_until": "2024-11-22T21:00:00Z",
        "display": {"label": "USD", "price": "100.68", "change": "+0.46%"},
    }


async def test_all_quotes_are_cut_from_one_snapshot(served: Served) -> None:
    """The version is the board's, the status the worst, each quote the same as alone."""
    board = await told(served, "/v1/quotes")
    assert set(board) == {"version", "generated_at", "valid_until", "status", "quotes"}
    assert (board["version"], board["status"]) == (served.service.board.latest.version, "fresh")
    for quote in board["quotes"]:
        assert quote == await told(served, f"/v1/quotes/{quote['symbol']}")


async def test_symbols_and_language_go_together(served: Served) -> None:
    """What the README shows."""
    board = await told(served, "/v1/quotes?symbols=EUR,USD&lang=ru")
    assert [(q["symbol"], q["name"], q["display"]["price"]) for q in board["quotes"]] == [
        ("EUR", "Евро", "106,08"),
        ("USD", "Доллар США", "100,68"),
    ]


async def test_the_page_shows_the_fragment_in_its_header(served: Served) -> None:
    """One render of the same rows, no style or script inline."""
    page = await (await served.client.get("/")).text()
    assert await (await served.client.get("/widget")).text() in page
    page = re.sub(
        r"<script src=\"/\w+\.js\?v=\w+\" (?:async|defer)></script>|<code>.*?</code>", "", page, flags=re.DOTALL
    )
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page)


@pytest.mark.parametrize("query", ["utm_source=tg&utm_medium=a", "fbclid=x&fbclid=y", "yclid=1&lang=ru", "symbol=USD"])
@pytest.mark.parametrize("path", ["/", "/frame", "/docs"])
async def test_a_page_for_people_ignores_what_it_does_not_know(served: Served, path: str, query: str) -> None:
    """A link that was shared must open, and shows what it showed without its ballast; the API stays strict."""
    answer = await served.client.get(f"{path}?{query}")
    assert (answer.status, answer.content_type) == (200, "text/html")
    plain = await served.client.get(f"{path}?lang={'ru' if 'lang=ru' in query else 'en'}")
    assert await answer.read() == await plain.read()
    for strict in ("/v1/quotes", "/widget"):
        assert (await served.client.get(f"{strict}?{query}")).status == 400


async def test_before_the_first_answer_everything_is_there_but_the_numbers(waiting: Served) -> None:
    """Labels and em dashes, null in JSON, 503 on /readyz and nowhere else."""
    text = folded(await (await waiting.client.get("/widget")).text())
    assert text == f"USD{DASH} EUR{DASH} OIL{DASH}"
    board = await told(waiting, "/v1/quotes")
    assert {(quote["price"], quote["status"]) for quote in board["quotes"]} == {(None, "unavailable")}
    ready = await told(waiting, "/readyz", 503)
    assert (ready["status"], ready["missing"]) == ("loading", ["USD", "EUR", "OIL"])
    for path in ("/", "/v1/quotes/USD", "/widget", "/metrics", "/healthz"):
        assert (await waiting.client.get(path)).status == 200


async def test_a_service_that_has_a_number_stays_ready_when_it_loses_it(served: Served) -> None:
    """One missing instrument would take every replica out at once; who is paged reads what is missing."""
    board = served.service.board
    for gone in ({"OIL"}, {"USD", "EUR", "OIL"}):
        quotes = tuple(Quote(each.instrument) if each.symbol in gone else each for each in board.latest.quotes)
        board.put(replace(board.latest, version=board.latest.version + 1, quotes=quotes), NOON)
        ready = await told(served, "/readyz")
        assert (ready["status"], set(ready["missing"])) == ("ready", gone)
        assert ready["instruments"]["OIL"]["status"] == "unavailable"
    served.service.context.process_health.draining = True
    assert (await told(served, "/readyz", 503))["status"] == "draining"


async def test_the_service_tells_how_each_instrument_and_source_stands(served: Served) -> None:
    """To the person who is paged."""
    ready = await told(served, "/readyz")
    assert (ready["status"], ready["missing"]) == ("ready", [])
    midnight = "2024-11-22T00:00:00+03:00"
    known = {"status": "fresh", "reason": None, "required": True, "source": "cbr", "as_of": midnight}
    assert ready["instruments"]["USD"] == known
    assert ready["sources"]["cbr"]["up"] is True


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_the_state_of_the_service_is_never_kept_by_a_cache(served: Served, path: str) -> None:
    """A probe must see now."""
    assert (await served.client.get(path)).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", JSON)
async def test_a_demo_says_so_in_every_json(demo: Served, path: str) -> None:
    """Also in errors: nobody takes an invented number for a real one."""
    answer = await demo.client.get(path)
    assert (await answer.json(content_type=None))["demo"] is True
    assert answer.headers["Ticker-Demo"] == "true"


@pytest.mark.parametrize(("path", "word"), [("/", "demo"), ("/widget", "demo"), ("/widget?lang=ru", "демо")])
async def test_a_demo_says_so_in_every_html(demo: Served, path: str, word: str) -> None:
    """For readers in their language, and for programs in a header and an attribute."""
    answer = await demo.client.get(path)
    text = await answer.text()
    assert word in folded(text)
    assert 'data-status="demo"' in text
    assert answer.headers["Ticker-Demo"] == "true"


async def test_each_quote_of_a_demo_says_so(demo: Served) -> None:
    """A quote taken out of the board keeps its mark."""
    assert all(quote["demo"] is True for quote in (await told(demo, "/v1/quotes"))["quotes"])


@pytest.mark.parametrize("path", JSON)
async def test_the_real_service_has_no_such_mark(served: Served, path: str) -> None:
    """The field is no part of the contract's quote."""
    answer = await served.client.get(path)
    assert "demo" not in await answer.text()
    assert "Ticker-Demo" not in answer.headers
