"""The reference of the API as a page, made from the OpenAPI document on our side: right without script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from ticker.rendering import json
from ticker.rendering.html import HtmlRenderer
from ticker.rendering.locales import locale_of

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter, or one member of a schema; `choices` are the values it takes where they are few."""

    name: str
    kind: str
    text: Markup
    required: bool = False
    choices: tuple[str, ...] = ()
    example: str = ""
    place: str = "query"


@dataclass(frozen=True, slots=True)
class Section:
    """One operation as the page shows it; `examples` are a request and its answer each."""

    id: str
    path: str
    summary: str
    text: Markup
    tag: str
    fields: tuple[Field, ...]
    media: tuple[str, ...]
    failures: tuple[tuple[str, Markup], ...]
    examples: tuple[tuple[str, str], ...]


class Said(dict[str, str]):
    """The page's sentences in another language, by the English ones; what is not there stays English."""

    def __missing__(self, text: str) -> str:
        return text


def page(document: Mapping[str, Any], html: HtmlRenderer, said: Mapping[str, str], *, lang: str, demo: bool) -> bytes:
    """The page of the document in the words of `said`, which are of the language `lang`."""
    words = Said(said)
    sections = [_section(path, methods["get"], words) for path, methods in document["paths"].items()]
    schemas = {name: _members(schema, words) for name, schema in document["components"]["schemas"].items()}
    return html.fill(
        "docs.html",
        locale_of(lang),
        say=words,
        info=document["info"],
        about=[marked(words[each]) for each in document["info"]["description"].split("\n\n")],
        tags=[
            (tag["name"], words[tag["description"]], [s for s in sections if s.tag == tag["name"]])
            for tag in document["tags"]
        ],
        schemas={name: members for name, members in schemas.items() if members},
        demo=demo,
    ).encode()


def marked(text: str) -> Markup:
    """The text with what stands in `backticks` as code; everything else is escaped."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before # nosec B704


def _section(path: str, told: Mapping[str, Any], words: Said) -> Section:
    ok = told["responses"]["200"]["content"]
    failures = [(code, marked(words[each["description"]])) for code, each in told["responses"].items() if code > "200"]
    return Section(
        id=told["operationId"],
        path=path,
        summary=words[told["summary"]],
        text=marked(words[told.get("description", "")]),
        tag=told["tags"][0],
        fields=tuple(_field(each, words) for each in told["parameters"]),
        media=tuple(ok),
        failures=tuple(failures),
        examples=tuple(
            (each["summary"], json.text(each["value"]))
            for media in ok.values()
            for each in media.get("examples", {}).values()
        ),
    )


def _field(told: Mapping[str, Any], words: Said) -> Field:
    schema = told["schema"]
    return Field(
        name=told["name"],
        kind=kind_of(schema),
        text=marked(words[told["description"]]),
        required=told["required"],
        choices=tuple(schema.get("enum", ())),
        example=str(told.get("example", "")),
        place=told["in"],
    )


def _members(schema: Mapping[str, Any], words: Said) -> tuple[Field, ...]:
    required: Sequence[str] = schema.get("required", ())
    return tuple(
        Field(name, kind_of(each), marked(words[each.get("description", "")]), required=name in required)
        for name, each in schema.get("properties", {}).items()
    )


def kind_of(schema: Mapping[str, Any]) -> str:
    """A schema in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind_of(each) for each in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    bounds = f" {schema['minimum']} to {schema['maximum']}" if "maximum" in schema else ""
    return f"{schema.get('format') or schema.get('type', 'any')}{bounds}"
