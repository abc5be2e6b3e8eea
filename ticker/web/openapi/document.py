"""The document put together, and its route."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any

from aiohttp import web

from ticker.rendering import json as wire_json
from ticker.rendering.representation import JSON, Representation
from ticker.rendering.schemas import components, reference
from ticker.web import parameters as strict
from ticker.web.context import CONTEXT, Context
from ticker.web.openapi.operations import OPERATIONS, Operation
from ticker.web.openapi.parameters import parameters
from ticker.web.openapi.responses import failures, headers
from ticker.web.responses import respond

_ABOUT = """Market numbers with where they are from and how old they are, polled from public sources.

**Compatibility.** Version 1 only adds: members of answers, values of `reason`, routes and optional parameters. None is
taken away, renamed or given another meaning. Ignore members that you do not know, and treat a value that you do not
know as you treat null.

Every GET also answers HEAD. Answers carry a strong `ETag` and live no longer than to the next possible change; errors
are problems (RFC 9457) that name the parameter at fault. Unknown and repeated parameters are errors. What is not known
is `null`. Numbers carry the digits of their source: read them as decimals.
The examples are the answers of 22 November 2024 at noon in Moscow."""
_TAGS = {
    "quotes": "The numbers as they stand, or as they stood.",
    "history": "The numbers of the past.",
    "records": "Why a number is shown, and what stood wrong or late.",
    "catalogues": "What there is, and who says so.",
    "pages": "For pages rather than programs.",
    "about": "The service itself.",
}


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
            "description": _ABOUT,
            "license": _LICENSE,
            "contact": _contact(contact),
        },
        "servers": [{"url": url or "/"}],
        "security": [],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": {each.path: {"get": _operation(each, told)} for each in OPERATIONS},
        "components": {"schemas": _schemas()},
    }


def _contact(contact: str | None) -> dict[str, str]:
    operator = {"name": "Whoever runs this service"}
    if contact is None:
        return operator
    return operator | ({"url": contact} if contact.startswith(("http://", "https://")) else {"email": contact})


# A class with a member of its own name confuses generated clients (openapi-python-client).
_NAMES = {
    "Quotes": "Board",
    "QuotesPart": "BoardPart",
    "Instruments": "InstrumentCatalogue",
    "Sources": "SourceCatalogue",
}


def _schemas() -> dict[str, Any]:
    """The components under the names that clients get. Answers may have more members one day."""
    references = {reference(name)["$ref"]: reference(new)["$ref"] for name, new in _NAMES.items()}
    found = {_NAMES.get(name, name): _open(schema, references) for name, schema in components().items()}
    return {name: schema | {"title": name} for name, schema in found.items()}


def _open(tree: Any, references: Mapping[str, str]) -> Any:  # noqa: ANN401 - a JSON tree
    """The tree without `additionalProperties: false`, its references by their new names."""
    if isinstance(tree, str):
        return references.get(tree, tree)
    if isinstance(tree, dict):
        return {
            key: _open(each, references)
            for key, each in tree.items()
            if not (key == "additionalProperties" and each is False)
        }
    return [_open(each, references) for each in tree] if isinstance(tree, list) else tree


_LICENSE = {"name": "MIT", "identifier": "MIT"}
EXAMPLES: dict[str, dict[str, Any]] = json.loads(
    files("ticker.web.openapi").joinpath("examples.json").read_bytes(), parse_float=Decimal
)


async def openapi(request: web.Request) -> web.StreamResponse:
    """`GET /v1/openapi.json`: the document of this service."""
    strict.only(request, ())
    context = request.app[CONTEXT]
    snapshot, now = context.snapshot(), context.clock()

    def made() -> Representation:
        return Representation(described(context), JSON, snapshot.generated_at)

    return respond(request, context.renderer.steady("openapi", made), context.board.next_change(now))


def described(context: Context) -> bytes:
    """The document of the service with that context, as JSON."""
    return wire_json.encode(document_of(context))


def document_of(context: Context) -> dict[str, Any]:
    """The document of the service with that context."""
    return document(context.version, context.public_url, context.settings.contact)


def _operation(each: Operation, told: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "operationId": each.id,
        "summary": each.summary,
        "description": each.text,
        "tags": [each.tag],
        "parameters": [told[key] for key in each.parameters],
        "responses": _responses(each),
    }


def _responses(each: Operation) -> dict[str, Any]:
    content = {media: _media(each, media, names) for media, names in each.answers.items()}
    ok = {"description": "OK", "headers": headers(cached=each.cached), "content": content}
    same = {"304": {"description": "The client has it.", "headers": headers(cached=True)}} if each.cached else {}
    return {"200": ok, **same, **failures((*each.fails, *([412] if each.cached else []))), **_sad(each)}


def _sad(each: Operation) -> dict[str, Any]:
    """The answer that is no success, yet no problem either: it has the members of one."""
    if each.sad is None:
        return {}
    status, text = each.sad
    content = {media: {"schema": reference(name)} for media, name in each.answers.items()}
    return {str(status): {"description": text, "headers": headers(cached=False), "content": content}}


def _media(each: Operation, media: str, names: str) -> dict[str, Any]:
    if not names:
        return {"schema": {"type": "object", "additionalProperties": True} if media == JSON else {"type": "string"}}
    refs = [reference(name) for name in names.split()]
    examples = {
        name: {"summary": f"GET {shown['path']}", "value": shown["body"]}
        for name, shown in EXAMPLES.get(each.id, {}).items()
    }
    return {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}, **({"examples": examples} if examples else {})}
