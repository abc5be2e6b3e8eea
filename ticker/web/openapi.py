"""The OpenAPI document: its words from openapi.toml, its schemas out of the models that write the answers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any

from aiohttp import web

from ticker import __version__
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


def parameters() -> dict[str, dict[str, Any]]:
    """By the keys of openapi.toml."""
    # Symbols and codes are a configuration's: they may change at a reload, so a client is not made for a list of them.
    symbol = _text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
    moment = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
    schemas = {
        **dict.fromkeys(("symbol", "about", "origin", "target", "source"), symbol),
        **dict.fromkeys(("at", "since", "until"), moment),
        "symbols": _listed(symbol),
        "lang": _text(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}"),
        "shape": _one_of(SHAPES),
        "fields": _listed(_one_of(FIELDS)),
        "precision": _whole(0, reading.MOST),
        "dialect": _one_of(DIALECTS),
        "interval": _one_of(INTERVALS),
        "limit": _whole(1, history.MOST),
        "order": _one_of(history.ORDERS),
        "price_type": _one_of(PriceType),
        "cursor": _text(history.CURSOR.pattern),
        "amount": _text(handlers.AMOUNT.pattern),
        "digits": _whole(0, handlers.MOST),
        "style": _one_of(STYLES),
        "days": _whole(1, history.MOST_DAYS),
    }
    defaults = {"limit": history.LIMIT, "digits": handlers.PRECISION, "days": history.DAYS}
    return {
        key: _parameter({"name": key, **told}, schemas[key], defaults.get(key))
        for key, told in _WORDS["parameters"].items()
    }


def _parameter(told: Mapping[str, Any], schema: Mapping[str, Any], default: int | None) -> dict[str, Any]:
    text = told["description"].replace("{default}", str(default))
    # Values with commas between them.
    listed = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    return {"in": "query", "required": False, **told, "description": text, **listed, "schema": schema}


def _text(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$"}


def _one_of(values: Iterable[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


def _listed(each: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": each, "minItems": 1}


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


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
    return document(__version__, context.server.public_url, context.settings.contact)
