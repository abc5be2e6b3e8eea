"""The OpenAPI document: its words from openapi.toml, its schemas out of the models that write the answers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any

from aiohttp import web

from ticker.quotes import PriceType
from ticker.rendering.formats import DIALECTS, FIELDS, SHAPES
from ticker.rendering.html import STYLES
from ticker.rendering.representation import JSON, Representation, to_json
from ticker.rendering.schemas import components, reference
from ticker.storage.history import INTERVALS
from ticker.web import handlers, history
from ticker.web import parameters as reading
from ticker.web.context import CONTEXT, Context
from ticker.web.responses import respond

_WORDS: Mapping[str, Any] = tomllib.loads(files("ticker.web").joinpath("openapi.toml").read_text(encoding="utf-8"))
EXAMPLES: Mapping[str, Mapping[str, Any]] = json.loads(
    files("ticker.web").joinpath("openapi_examples.json").read_bytes(), parse_float=Decimal
)
# The failures of every route.
_EVERYWHERE = (400, 405, 429, 500)


@dataclass(frozen=True, slots=True)
class Operation:
    """One GET, as openapi.toml tells it; `cached` answers carry validators and a lifetime."""

    path: str
    id: str
    summary: str
    tag: str
    parameters: Sequence[str]
    answers: Mapping[str, str]
    fails: Sequence[int] = ()
    cached: bool = True
    text: str = ""
    sad: str | None = None


OPERATIONS = tuple(Operation(**each) for each in _WORDS["operations"])


def document(version: str, url: str | None = None, contact: str | None = None) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a service; its address is `url`, default where it was read.

    Nothing in it but those depends on the configuration: a client that is made from one service's reads another's.
    """
    told = parameters()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Market ticker",
            "version": version,
            "description": _WORDS["about"].strip(),
            "license": {"name": "MIT", "identifier": "MIT"},
            "contact": _contact(contact),
        },
        "servers": [{"url": url or "/"}],
        "security": [],
        "tags": [{"name": name, "description": text} for name, text in _WORDS["tags"].items()],
        "paths": {each.path: {"get": _operation(each, told)} for each in OPERATIONS},
        "components": {"schemas": components()},
    }


def _contact(contact: str | None) -> dict[str, str]:
    operator = {"name": "Whoever runs this service"}
    if contact is None:
        return operator
    return operator | ({"url": contact} if contact.startswith(("http://", "https://")) else {"email": contact})


def _operation(each: Operation, told: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    text = each.text.replace("{past}", _WORDS["past"]).replace("{most}", str(history.MOST_TOGETHER))
    return {
        "operationId": each.id,
        "summary": each.summary,
        "description": text,
        "tags": [each.tag],
        "parameters": [told[key] for key in each.parameters],
        "responses": _responses(each),
    }


def _responses(each: Operation) -> dict[str, Any]:
    ok = {media: _media(each, media, names) for media, names in each.answers.items()}
    found = {"200": {"description": "OK", "headers": _headers(cached=each.cached), "content": ok}}
    if each.cached:
        found["304"] = {"description": "The client has it.", "headers": _headers(cached=True)}
    fails = {*_EVERYWHERE, *each.fails, *([412] if each.cached else [])}
    found |= {str(status): _problem(str(status)) for status in sorted(fails)}
    if each.sad is not None:
        # It has the members of a success, though it is none.
        content = {media: {"schema": reference(name)} for media, name in each.answers.items()}
        found["503"] = {"description": each.sad, "headers": _headers(cached=False), "content": content}
    return found


def _headers(*, cached: bool) -> dict[str, Any]:
    """The headers of a success, those that caches go by included where it is `cached`."""
    optional = {name: {"description": text, "schema": {"type": "string"}} for name, text in _WORDS["headers"].items()}
    return (_required(_WORDS["cached"]) if cached else {}) | optional


def _problem(status: str) -> dict[str, Any]:
    """A failure, as a problem that no cache keeps."""
    return {
        "description": _WORDS["failures"][status],
        "headers": _required({"Cache-Control": "`no-store`."} | _WORDS["problem-headers"].get(status, {})),
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    }


def _required(texts: Mapping[str, str]) -> dict[str, Any]:
    schema = {"type": "string"}
    return {name: {"description": text, "required": True, "schema": schema} for name, text in texts.items()}


def _media(each: Operation, media: str, names: str) -> dict[str, Any]:
    if not names:
        return {"schema": {"type": "object", "additionalProperties": True} if media == JSON else {"type": "string"}}
    refs = [reference(name) for name in names.split()]
    examples = {
        name: {"summary": f"GET {shown['path']}", "value": shown["body"]}
        for name, shown in EXAMPLES.get(each.id, {}).items()
    }
    return {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}, **({"examples": examples} if examples else {})}


_MOMENT = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}


# Symbols and codes are a configuration's: they may change at a reload, so a client is not made for a list of them.
_SYMBOL = r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}"


def parameters() -> dict[str, dict[str, Any]]:
    """By a key of ours; `from` and `to` mean a day in history and a code in a conversion."""
    symbol = {"type": "string", "pattern": f"^{_SYMBOL}$"}
    told = (
        ("symbols", _listed(symbol), "Which instruments, in that order; default all.", ["USD", "EUR"]),
        ("lang", _language(), "Language of names and display texts, a BCP 47 tag that CLDR knows.", "ru"),
        ("at", _MOMENT, "The board as it stood: a date, or an RFC 3339 time, not in the future.", "2024-11-22"),
        ("shape", _one_of(SHAPES), "`map` gives `{symbol: price}`, or with `fields` `{symbol: {…}}`.", "map"),
        ("fields", _listed(_one_of(FIELDS)), "Only these fields of a quote, in that order.", ["symbol", "price"]),
        ("precision", _whole(0, reading.MOST), "Digits of prices after the point at most; default all there are.", 2),
        (
            "dialect",
            _one_of(DIALECTS),
            "`excel`: separator and decimals as in `lang`, and a file name.",
            "excel",
        ),
        ("interval", _one_of(INTERVALS), "One number for each stretch, its last; default raw.", "1d"),
        ("limit", _whole(1, history.MOST), f"Points a page; default {history.LIMIT}.", 100),
        (
            "order",
            _one_of(history.ORDERS),
            "`desc` is newest first: with `limit` the last so many; default asc.",
            "desc",
        ),
        ("source", {"type": "string", "pattern": f"^{_SYMBOL}$"}, "One source alone.", "cbr"),
        ("price_type", _one_of(PriceType), "One kind of number, of whatever source.", "fixing"),
        ("cursor", {"type": "string", "pattern": f"^{history.CURSOR.pattern}$"}, "`next` of the page before.", None),
        ("amount", _amount(), "How much; default 1.", "100"),
        ("digits", _whole(0, handlers.MOST), f"Digits of `result` after the point; default {handlers.PRECISION}.", 2),
        ("style", _one_of(STYLES), "How much of each quote is shown.", "plain"),
        ("days", _whole(1, history.MOST_DAYS), f"How far back; default {history.DAYS}.", 30),
    )
    found = {name: _query(name, schema, text, example) for name, schema, text, example in told}
    found["digits"]["name"] = "precision"
    return found | {
        "symbol": _query("symbol", symbol, "The instrument.", "USD", required=True) | {"in": "path"},
        "about": _query("symbol", symbol, "Only of this instrument.", "USD"),
        "since": _query("from", _MOMENT, "The first day or moment.", "2024-11-01"),
        "until": _query("to", _MOMENT, "The last day or moment, included.", "2024-11-22"),
        "origin": _query(
            "from", symbol, "What the amount is in: a code, or an instrument's symbol.", "USD", required=True
        ),
        "target": _query("to", symbol, "What the result is in.", "EUR", required=True),
    }


def _query(name: str, schema: Any, text: str, example: Any, *, required: bool = False) -> dict[str, Any]:  # noqa: ANN401 - JSON
    listed = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    found = {"name": name, "in": "query", "required": required, "description": text, **listed, "schema": schema}
    return found if example is None else found | {"example": example}


def _one_of(values: Any) -> dict[str, Any]:  # noqa: ANN401 - any names
    return {"type": "string", "enum": list(values)}


def _listed(each: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Values with commas between them (`style: form`, `explode: false`)."""
    return {"type": "array", "items": each, "minItems": 1}


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _language() -> dict[str, Any]:
    return {"type": "string", "pattern": r"^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$"}


def _amount() -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{handlers.AMOUNT.pattern}$"}


async def openapi(request: web.Request) -> web.StreamResponse:
    """`GET /v1/openapi.json`: the document of this service."""
    reading.only(request, ())
    context = request.app[CONTEXT]
    snapshot, now = context.snapshot(), context.clock()

    def made() -> Representation:
        return Representation(described(context), JSON, snapshot.generated_at)

    return respond(request, context.renderer.steady("openapi", made), context.board.next_change(now))


def described(context: Context) -> bytes:
    """The document of the service with that context, as JSON."""
    return to_json(document_of(context))


def document_of(context: Context) -> dict[str, Any]:
    """The document of the service with that context."""
    return document(context.version, context.public_url, context.settings.contact)
