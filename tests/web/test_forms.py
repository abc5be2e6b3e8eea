"""Quotes in the form a client asks for: `shape`, `fields`, `precision`, `format`."""

from __future__ import annotations

import csv
import io

import pytest
import simplejson

from tests.support.running_service import Served
from ticker.rendering.formats import FIELDS


async def text(served: Served, query: str, path: str = "/v1/quotes", accept: str = "*/*") -> tuple[str, str]:
    """The media type and the body."""
    answer = await served.client.get(f"{path}?{query}", headers={"Accept": accept})
    assert answer.status == 200, await answer.text()
    return answer.content_type, await answer.text()


async def test_the_map_is_symbol_and_price(served: Served) -> None:
    """Nothing else, digit for digit, in the order asked for."""
    assert (await text(served, "shape=map"))[1] == '{"USD": 100.6798, "EUR": 106.0762, "OIL": 73.73}\n'
    assert (await text(served, "shape=map&symbols=OIL,USD"))[1] == '{"OIL": 73.73, "USD": 100.6798}\n'


async def test_a_price_that_is_not_known_is_null_in_the_map_and_empty_in_csv(waiting: Served) -> None:
    """Never 0 and never left out."""
    assert (await text(waiting, "shape=map"))[1] == '{"USD": null, "EUR": null, "OIL": null}\n'
    assert (await text(waiting, "shape=map&format=csv"))[1] == "symbol,price\r\nUSD,\r\nEUR,\r\nOIL,\r\n"


async def test_only_the_fields_asked_for_come_in_their_order(served: Served) -> None:
    """In records, in a map, alone, in CSV; what surrounds the records stays."""
    body = simplejson.loads((await text(served, "fields=price,symbol"))[1])
    assert list(body) == ["version", "generated_at", "valid_until", "status", "quotes"]
    assert [list(row) for row in body["quotes"]] == [["price", "symbol"]] * 3
    assert (await text(served, "shape=map&fields=price,status&symbols=OIL"))[1] == (
        '{"OIL": {"price": 73.73, "status": "fresh"}}\n'
    )
    assert (await text(served, "fields=price", "/v1/quotes/USD"))[1] == '{"price": 100.6798}\n'
    assert (await text(served, "fields=symbol,display&format=csv&symbols=USD"))[1] == (
        "symbol,display_label,display_price,display_change\r\nUSD,USD,100.68,+0.46%\r\n"
    )


@pytest.mark.parametrize(
    ("precision", "price", "change"),
    [(0, "101", "0"), (1, "100.7", "0.5"), (2, "100.68", "0.46"), (4, "100.6798", "0.4606"), (9, "100.6798", "0.4606")],
)
async def test_precision_shortens_and_never_lengthens(served: Served, precision: int, price: str, change: str) -> None:
    """Half up, each number from its own digits; digits that nobody published are not put in."""
    body = (await text(served, f"precision={precision}&fields=price,change", "/v1/quotes/USD"))[1]
    assert body == f'{{"price": {price}, "change": {change}}}\n'


async def test_csv_and_ndjson_say_what_json_says(served: Served) -> None:
    """Row for row and digit for digit."""
    whole = simplejson.loads((await text(served, "format=json"))[1], use_decimal=True)["quotes"]
    lines = (await text(served, "format=ndjson"))[1].splitlines()
    assert [simplejson.loads(line, use_decimal=True) for line in lines] == whole
    rows = list(csv.DictReader(io.StringIO((await text(served, "format=csv"))[1], newline="")))
    assert [row["symbol"] for row in rows] == ["USD", "EUR", "OIL"]
    for row, quote in zip(rows, whole, strict=True):
        for name in set(FIELDS) - {"agreement", "contract", "upcoming", "override", "display", "fallback"}:
            assert row[name] == ("" if quote[name] is None else str(quote[name])), name
        assert row["display_price"] == quote["display"]["price"]


@pytest.mark.parametrize(
    ("query", "accept", "media"),
    [
        ("", "*/*", "application/json"),
        ("", "text/csv", "text/csv"),
        ("", "application/x-ndjson", "application/x-ndjson"),
        ("", "application/json;q=0.1, text/csv;q=0.9", "text/csv"),
        ("", "text/csv;q=0, application/json", "application/json"),
        ("", "text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("", ";;;q=x, \\", "application/json"),
        ("format=ndjson", "text/csv", "application/x-ndjson"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/quotes", "/v1/quotes/USD"])
async def test_the_format_is_the_one_named_or_the_one_preferred(
    served: Served, path: str, query: str, accept: str, media: str
) -> None:
    """`format=` goes before `Accept`; a cache keeps them apart by Vary, where it must."""
    answer = await served.client.get(f"{path}?{query}", headers={"Accept": accept})
    assert answer.content_type == media
    assert ("Accept" in answer.headers["Vary"].split(", ")) is not bool(query)


@pytest.mark.parametrize(
    ("query", "parameter", "detail"),
    [
        ("shape=flat", "shape", "there are records, map"),
        ("fields=prcie", "fields", "did you mean 'price'?"),
        ("fields=", "fields", "''"),
        ("precision=x", "precision", "0 to 12"),
        ("precision=13", "precision", "0 to 12"),
        ("format=xml", "format", "json"),
        ("format=JSON", "format", "did you mean 'json'?"),
    ],
)
async def test_a_form_that_there_is_not_is_named(served: Served, query: str, parameter: str, detail: str) -> None:
    """With the nearest right value."""
    answer = await served.client.get(f"/v1/quotes?{query}")
    body = await answer.json(content_type=None)
    assert (answer.status, body["parameter"]) == (400, parameter)
    assert detail in body["detail"]


async def test_each_form_has_its_own_tag(served: Served) -> None:
    """And is 304 to who has it."""
    seen = set()
    for query in ("", "shape=map", "fields=price", "precision=1", "format=csv", "format=ndjson"):
        answer = await served.client.get(f"/v1/quotes?{query}")
        again = await served.client.get(f"/v1/quotes?{query}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status == 304
        seen.add(answer.headers["ETag"])
    assert len(seen) == 6


@pytest.mark.parametrize("query", ["shape=map", "format=ndjson&fields=price", "format=csv", "fields=price"])
async def test_every_form_of_the_demo_says_so(demo: Served, query: str) -> None:
    """Whatever is left out."""
    body = (await text(demo, query))[1]
    assert '"demo": true' in body or body.splitlines()[0].endswith(",demo")
