"""`GET /docs`: the reference of the API as a page."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from importlib.resources import files

from tests.support.running_service import Served
from ticker.rendering.reference import kind_of, marked, pretty
from ticker.rendering.words import reference_words
from ticker.web.openapi import OPERATIONS
from ticker.web.routes import ROUTES


async def test_the_page_tells_every_operation_parameter_and_schema(served: Served) -> None:
    """Each with its fields and a true answer."""
    text = await (await served.client.get("/docs")).text()
    document = await (await served.client.get("/v1/openapi.json")).json()
    for each in OPERATIONS:
        assert f'id="{each.id}"' in text
        assert f'action="{each.path}"' in text
        for parameter in document["paths"][each.path]["get"]["parameters"]:
            assert f'name="{parameter["name"]}"' in text
    for name, schema in document["components"]["schemas"].items():
        assert (f'<details id="{name}">' in text) is ("properties" in schema)
    assert "100.6798" in text


async def test_the_page_keeps_the_strict_policy(served: Served) -> None:
    """No inline script or style, nothing from another host; every file that it names is there."""
    answer = await served.client.get("/docs")
    text = await answer.text()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<style|style=|<script(?! src=)|\son\w+=|javascript:", text)
    named = re.findall(r'<(?:link|script)[^>]+(?:href|src)="([^"]+)"', text)
    assert len(named) >= 4
    for each in named:
        assert (await served.client.get(each)).status == 200, each
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)


async def test_the_page_says_all_of_it_in_russian(served: Served) -> None:
    """Every sentence of the document, its own words, and no translation of what is no longer said."""
    document = await (await served.client.get("/v1/openapi.json")).json()
    texts = set(document["info"]["description"].split("\n\n")) | {document["info"]["title"]}
    for tag in document["tags"]:
        texts |= set(tag.values())
    for told in (methods["get"] for methods in document["paths"].values()):
        texts |= {told["summary"], told.get("description", "")}
        texts |= {each["description"] for each in told["parameters"]}
        texts |= {each["description"] for code, each in told["responses"].items() if code > "200"}
    for schema in document["components"]["schemas"].values():
        texts |= {each.get("description", "") for each in schema.get("properties", {}).values()}
    template = files("ticker.rendering").joinpath("templates", "docs.html").read_text(encoding="utf-8")
    texts |= set(re.findall(r'say\["([^"]+)"\]', template))
    texts |= {"or", "list of", "to"}  # between the words of a kind
    assert set(reference_words("ru")) == texts - {""}
    answer = await served.client.get("/docs?lang=ru")
    text = await answer.text()
    assert '<html lang="ru">' in text
    assert "Попробовать" in text
    asked = await served.client.get("/docs", headers={"Accept-Language": "ru-RU, en;q=0.5"})
    assert await asked.text() == text
    assert "Accept-Language" in asked.headers["Vary"]


async def test_the_page_leads_to_everything_there_is(served: Served) -> None:
    """What a 404 says of it is true."""
    text = await (await served.client.get("/docs")).text()
    for path, _ in ROUTES:
        assert f'action="{path}"' in text or f'href="{path}"' in text, path


async def test_the_page_of_the_demo_says_so(demo: Served) -> None:
    """As every page."""
    assert "demo" in await (await demo.client.get("/docs")).text()


async def test_every_call_runs(served: Served) -> None:
    """Each operation by shell, Python and JavaScript, all three of the same address, which answers."""
    document = await (await served.client.get("/v1/openapi.json")).json()
    text = html.unescape(await (await served.client.get("/docs")).text())
    calls = re.findall(r"<h3>(curl|Python|JavaScript)</h3>\s*<pre[^>]*><code>(.*?)</code>", text, re.DOTALL)
    assert len(calls) == 3 * len(document["paths"])
    for (_, curl), (_, python), (_, script) in zip(*[iter(calls)] * 3, strict=True):
        address = re.search(r'"https://ticker\.example(/[^"]*)"', curl)
        assert address is not None
        for each in (python, script):
            assert f'"https://ticker.example{address[1]}"' in each
        compile(python, address[1], "exec")
        answer = await served.client.get(address[1])
        assert answer.status == 200 or address[1].startswith("/v1/quotes/USD/evidence"), address[1]
        answer.close()


def test_json_is_pretty_and_keeps_its_digits() -> None:
    """What is short stands in one line."""
    board = {"price": Decimal("100.50"), "quotes": [{"symbol": "USD", "note": "x" * 60}, {"symbol": "EUR"}]}
    assert pretty(board).splitlines() == [
        "{",
        '  "price": 100.50,',
        '  "quotes": [',
        f'    {{"symbol": "USD", "note": "{"x" * 60}"}},',
        '    {"symbol": "EUR"}',
        "  ]",
        "}",
    ]


def test_text_is_never_markup() -> None:
    """But what stands in backticks is code."""
    assert marked("`a<b` & <i>") == "<code>a&lt;b</code> &amp; &lt;i&gt;"


def test_a_schema_is_said_in_a_word() -> None:
    """A list, a choice, a reference, bounds."""
    assert kind_of({"anyOf": [{"$ref": "#/x/Quote"}, {"type": "null"}]}) == "Quote or null"
    assert kind_of({"type": "array", "items": {"type": "string"}}) == "list of string"
    assert kind_of({"type": "integer", "minimum": 0, "maximum": 12}) == "integer 0 to 12"
    assert kind_of({"type": "string", "format": "date"}) == "date"
