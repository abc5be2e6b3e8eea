"""The reference of the API as a page, made from the OpenAPI document on our side: right without script."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pkgutil import get_data
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from ticker.rendering.embeds import NOWHERE
from ticker.rendering.html import HtmlRenderer
from ticker.rendering.locales import locale_of
from ticker.rendering.representation import to_json_text

_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")
# As wide as the page shows without breaking a line.
_LINE = 100
_CALLS: Mapping[str, Mapping[str, str]] = tomllib.loads(
    (get_data("ticker.rendering", "templates/calls.toml") or b"").decode()
)


class Said(dict[str, str]):
    """The page's sentences in another language, by the English ones; what is not there stays English."""

    def __missing__(self, text: str) -> str:
        return text


def page(document: Mapping[str, Any], html: HtmlRenderer, said: Mapping[str, str], *, lang: str, demo: bool) -> bytes:
    """The page of the document in the words of `said`, which are of the language `lang`."""
    words = Said(said)
    return html.fill(
        "docs.html",
        locale_of(lang),
        document=document,
        say=words,
        text=lambda english: marked(words[english]),
        kind=lambda schema: kind_of(schema, words),
        examples=_examples,
        calls=lambda path, operation: _calls(html.links.base or NOWHERE, path, operation),
        demo=demo,
    ).encode()


def marked(text: str) -> Markup:
    """The text with what stands in `backticks` as code and in **stars** as strong; everything else is escaped."""
    coded = _CODE.sub(r"<code>\1</code>", str(escape(text)))
    return Markup(_STRONG.sub(r"<strong>\1</strong>", coded))  # noqa: S704 - escaped before # nosec B704


def _examples(operation: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A request and its answer each."""
    content = operation["responses"]["200"]["content"].values()
    shown = (each for media in content for each in media.get("examples", {}).values())
    return [(each["summary"], pretty(each["value"])) for each in shown]


def _calls(base: str, path: str, operation: Mapping[str, Any]) -> dict[str, str]:
    """A request by each tool or language, ready to run: that of the first example, or one with what has to be given."""
    media, shown = next(iter(operation["responses"]["200"]["content"])), _examples(operation)
    address = shown[0][0].removeprefix("GET ") if shown else _address(path, operation)
    kind = next((kind for kind in ("json", "event-stream", "png") if media.endswith(kind)), "text")
    return {name: code.replace("{url}", f"{base}{address}") for name, code in _CALLS[kind].items()}


def _address(path: str, operation: Mapping[str, Any]) -> str:
    """The route with an example in place of whatever has to be given."""
    required = [each for each in operation["parameters"] if each["required"]]
    for each in required:
        path = path.replace("{" + each["name"] + "}", str(each["example"]))
    query = urlencode({each["name"]: each["example"] for each in required if each["in"] == "query"})
    return f"{path}?{query}" if query else path


def pretty(value: object, indent: str = "") -> str:
    """A value as JSON over several lines, each number with the digits it has; what is short stands in one."""
    line, inner = to_json_text(value), indent + "  "
    if not isinstance(value, dict | list) or len(indent) + len(line) <= _LINE:
        return line
    if isinstance(value, dict):
        items = [f"{inner}{to_json_text(str(key))}: {pretty(each, inner)}" for key, each in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{inner}{pretty(each, inner)}" for each in value) + f"\n{indent}]"


def kind_of(schema: Mapping[str, Any], words: Said | None = None) -> str:
    """A schema in a word or two; what joins JSON's own words is said in the page's language."""
    say = words or Said()
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return f" {say['or']} ".join(dict.fromkeys(kind_of(each, say) for each in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"{say['list of']} {kind_of(schema.get('items', {}), say)}"
    bounds = f" {schema['minimum']} {say['to']} {schema['maximum']}" if "maximum" in schema else ""
    return f"{schema.get('format') or schema.get('type', 'any')}{bounds}"
