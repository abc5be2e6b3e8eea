"""JSON Schemas of everything that is sent, out of the models that what writes it is checked against."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from ticker.render.models import catalogue, conversion, other, quotes, readiness

_REF = "#/components/schemas/"


_MODELS = (
    quotes.WireQuote,
    quotes.WireQuotes,
    other.WireHistory,
    conversion.WireConversion,
    catalogue.WireInstruments,
    catalogue.WireSources,
    other.WireProblem,
    other.WireAlive,
    readiness.WireReadiness,
)


def schemas() -> dict[str, Any]:
    """The components of the OpenAPI document, by name; those that `fields` and `shape` make among them."""
    _, whole = TypeAdapter[Any].json_schemas(
        [(each.__name__, "serialization", TypeAdapter[Any](each)) for each in _MODELS], ref_template=f"{_REF}{{model}}"
    )
    found = {_name(name): _renamed(schema) for name, schema in whole["$defs"].items()}
    found["QuotePart"] = found["Quote"] | {
        "title": "QuotePart",
        "description": "The fields of a quote that `fields` named.",
    }
    del found["QuotePart"]["required"]
    found["QuotesPart"] = found["Quotes"] | {
        "title": "QuotesPart",
        "description": "The board with the fields that `fields` named.",
        "properties": found["Quotes"]["properties"] | {"quotes": {"type": "array", "items": ref("QuotePart")}},
    }
    found["PriceMap"] = {
        "title": "PriceMap",
        "description": "By symbol the price alone, or the fields that `fields` named; `demo` is true in a demo.",
        "type": "object",
        "additionalProperties": {
            "anyOf": [{"type": "number"}, {"type": "null"}, ref("QuotePart"), {"type": "boolean"}]
        },
    }
    return found


def ref(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": f"{_REF}{name}"}


def _name(model: str) -> str:
    return model.removeprefix("Wire")


def _renamed(tree: Any) -> Any:  # noqa: ANN401 - a JSON tree
    if isinstance(tree, dict):
        return {key: _renamed(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_renamed(item) for item in tree]
    return tree.replace(f"{_REF}Wire", _REF).removeprefix("Wire") if isinstance(tree, str) else tree
