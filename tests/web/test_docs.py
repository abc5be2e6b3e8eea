"""`GET /docs`: the reference of the API as a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ticker.render.reference import kind_of, marked
from ticker.web.spec.operations import OPERATIONS

if TYPE_CHECKING:
    from tests.service import Served


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


async def test_the_page_of_the_demo_says_so(demo: Served) -> None:
    """As every page."""
    assert "demo" in await (await demo.client.get("/docs")).text()


def test_text_is_never_markup() -> None:
    """But what stands in backticks is code."""
    assert marked("`a<b` & <i>") == "<code>a&lt;b</code> &amp; &lt;i&gt;"


def test_a_schema_is_said_in_a_word() -> None:
    """A list, a choice, a reference, bounds."""
    assert kind_of({"anyOf": [{"$ref": "#/x/Quote"}, {"type": "null"}]}) == "Quote or null"
    assert kind_of({"type": "array", "items": {"type": "string"}}) == "list of string"
    assert kind_of({"type": "integer", "minimum": 0, "maximum": 12}) == "integer 0 to 12"
    assert kind_of({"type": "string", "format": "date"}) == "date"
