"""JSON Schemas of everything that is sent, out of the models that write it."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from pydantic.json_schema import models_json_schema

from ticker.quotes import PriceType
from ticker.render.catalogue import WireInstruments, WireSources
from ticker.render.conversion import WireConversion
from ticker.render.wire import DEMO, Moment, Number, Wire, WireQuote, WireQuotes

_REF = "#/components/schemas/"


class WirePoint(Wire):
    """One number of the past."""

    as_of: Moment
    price: Number
    price_type: PriceType
    source: str
    fetched_at: Moment
    revision: int = Field(description="how often this date was corrected; `at` a moment before it tells what was shown")


class WireHistory(Wire):
    """One instrument's line, oldest first."""

    symbol: str
    interval: str
    origin: str | None = Field(serialization_alias="from")
    to: str | None
    next: str | None = Field(description="the `cursor` of the next page; null at the end")
    since: Moment | None = Field(description="the oldest date kept of the instrument")
    points: tuple[WirePoint, ...]
    demo: bool | None = DEMO


class WireProblem(Wire):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="a sentence with the mend")
    parameter: str | None = Field(None, description="the parameter at fault")
    allowed: tuple[str, ...] | None = Field(None, description="what it may be")
    since: Moment | None = Field(None, description="where history begins, for a moment before it")
    demo: bool | None = DEMO


class WireAlive(Wire):
    """Whether the process is worth keeping."""

    status: str
    demo: bool | None = DEMO


_MODELS = (WireQuote, WireQuotes, WireHistory, WireConversion, WireInstruments, WireSources, WireProblem, WireAlive)


def schemas() -> dict[str, Any]:
    """The components of the OpenAPI document, by name; those that `fields` and `shape` make among them."""
    _, whole = models_json_schema([(model, "serialization") for model in _MODELS], ref_template=f"{_REF}{{model}}")
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
