"""The reference of the API as a page, made from the OpenAPI document on our side: right without script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from ticker.rendering.embeds import NOWHERE
from ticker.rendering.html import HtmlRenderer
from ticker.rendering.locales import locale_of
from ticker.rendering.representation import to_json_text

_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")


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
    """One operation as the page shows it.

    `examples` are a request and its answer each; `calls` the same request by a tool or language each, ready to run.
    """

    id: str
    path: str
    summary: str
    text: Markup
    tag: str
    fields: tuple[Field, ...]
    media: tuple[str, ...]
    failures: tuple[tuple[str, Markup], ...]
    examples: tuple[tuple[str, str], ...]
    calls: tuple[tuple[str, str], ...]


class Said(dict[str, str]):
    """The page's sentences in another language, by the English ones; what is not there stays English."""

    def __missing__(self, text: str) -> str:
        return text


def page(document: Mapping[str, Any], html: HtmlRenderer, said: Mapping[str, str], *, lang: str, demo: bool) -> bytes:
    """The page of the document in the words of `said`, which are of the language `lang`."""
    words = Said(said)
    base = html.links.base or NOWHERE
    sections = [_section(path, methods["get"], words, base) for path, methods in document["paths"].items()]
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
    """The text with what stands in `backticks` as code and in **stars** as strong; everything else is escaped."""
    coded = _CODE.sub(r"<code>\1</code>", str(escape(text)))
    return Markup(_STRONG.sub(r"<strong>\1</strong>", coded))  # noqa: S704 - escaped before # nosec B704


def _section(path: str, told: Mapping[str, Any], words: Said, base: str) -> Section:
    ok = told["responses"]["200"]["content"]
    shown = [each for media in ok.values() for each in media.get("examples", {}).values()]
    address = shown[0]["summary"].removeprefix("GET ") if shown else _address(path, told["parameters"])
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
        examples=tuple((each["summary"], pretty(each["value"])) for each in shown),
        calls=tuple((name, code.replace("{url}", f"{base}{address}")) for name, code in _calls(next(iter(ok)))),
    )


def _address(path: str, parameters: Sequence[Mapping[str, Any]]) -> str:
    """The route with an example in place of whatever has to be given."""
    asked = {each["name"]: str(each.get("example", "")) for each in parameters if each["required"]}
    for each in parameters:
        if each["in"] == "path":
            path = path.replace("{" + each["name"] + "}", asked.pop(each["name"]))
    return f"{path}?{urlencode(asked)}" if asked else path


def _calls(media: str) -> tuple[tuple[str, str], ...]:
    """How the address is asked by a shell, by Python and by JavaScript, for an answer of that media type."""
    kind = next((kind for kind in ("json", "event-stream", "png") if media.endswith(kind)), "text")
    return tuple(zip(("curl", "Python", "JavaScript"), _CALLS[kind], strict=True))


_PYTHON = """from urllib.request import urlopen

with urlopen("{url}") as answer:
    """
_FETCH = """const answer = await fetch("{url}");
if (!answer.ok) throw new Error((await answer.json()).detail);
"""
# Python reads numbers as decimals, since that is what they are; JavaScript has none.
_CALLS = {
    "json": (
        'curl "{url}"',
        "import json\nfrom decimal import Decimal\n"
        + _PYTHON
        + "data = json.load(answer, parse_float=Decimal)\nprint(data)",
        _FETCH + "console.log(await answer.json());",
    ),
    "text": (
        'curl "{url}"',
        _PYTHON + "print(answer.read().decode())",
        _FETCH + "console.log(await answer.text());",
    ),
    "png": (
        'curl --output card.png "{url}"',
        "from pathlib import Path\n" + _PYTHON + 'Path("card.png").write_bytes(answer.read())',
        _FETCH + "const picture = await answer.blob();",
    ),
    "event-stream": (
        'curl --no-buffer "{url}"',
        "import json\nfrom decimal import Decimal\n"
        + _PYTHON
        + 'for line in answer:\n        if line.startswith(b"data: "):\n'
        "            print(json.loads(line[6:], parse_float=Decimal))",
        """const source = new EventSource("{url}");
source.addEventListener("quotes", (event) => console.log(JSON.parse(event.data)));""",
    ),
}


def pretty(value: object, indent: str = "") -> str:
    """A value as JSON over several lines, each number with the digits it has; what is short stands in one."""
    line, inner = to_json_text(value), indent + "  "
    if not isinstance(value, dict | list) or len(indent) + len(line) <= _LINE:
        return line
    if isinstance(value, dict):
        items = [f"{inner}{to_json_text(str(key))}: {pretty(each, inner)}" for key, each in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{inner}{pretty(each, inner)}" for each in value) + f"\n{indent}]"


# As wide as the page shows without breaking a line.
_LINE = 100


def _field(told: Mapping[str, Any], words: Said) -> Field:
    schema = told["schema"]
    return Field(
        name=told["name"],
        kind=kind_of(schema, words),
        text=marked(words[told["description"]]),
        required=told["required"],
        choices=tuple(schema.get("enum", ())),
        example=str(told.get("example", "")),
        place=told["in"],
    )


def _members(schema: Mapping[str, Any], words: Said) -> tuple[Field, ...]:
    required: Sequence[str] = schema.get("required", ())
    return tuple(
        Field(name, kind_of(each, words), marked(words[each.get("description", "")]), required=name in required)
        for name, each in schema.get("properties", {}).items()
    )


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
