"""The OpenAPI document: the operations told once, their answers' schemas out of the models that write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any

from aiohttp import web

from ticker.quotes import PriceType
from ticker.rendering import json as wire_json
from ticker.rendering.formats import DIALECTS, FIELDS, SHAPES
from ticker.rendering.html import STYLES
from ticker.rendering.representation import JSON, Representation
from ticker.rendering.schemas import components, reference
from ticker.storage.history import INTERVALS
from ticker.web import handlers, history
from ticker.web import parameters as reading
from ticker.web import parameters as strict
from ticker.web.context import CONTEXT, Context
from ticker.web.responses import respond

# Every documented route: what it answers, which parameters it takes, how it can fail.


CSV, NDJSON = "text/csv", "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Operation:
    """One GET. `answers` are the schemas by media type, several names for any of them, "" for text.

    `cached` answers carry validators and a lifetime; `fails` are the statuses beside those that every route has.
    `sad` is a status that has the same schema, and when it is given.
    """

    path: str
    id: str
    summary: str
    tag: str
    parameters: tuple[str, ...]
    answers: dict[str, str]
    fails: tuple[int, ...] = ()
    cached: bool = True
    text: str = ""
    sad: tuple[int, str] | None = None


_PAST = "With `at` it is read from history: 404 before history begins, 503 while the store cannot be read."
_BOARD = ("symbols", "lang", "at", "precision")
_PARTS = (*_BOARD, "fields", "shape")
_RANGE = ("since", "until", "interval", "limit", "order", "source", "price_type")
# One address, one schema: what a typed client is made for. The other formats and shapes have addresses of their own.
OPERATIONS = (
    Operation(
        "/v1/quotes",
        "getQuotes",
        "All quotes of one snapshot",
        "quotes",
        _BOARD,
        {JSON: "Board"},
        (404, 503),
        text="`status` is the worst of its quotes; what is not known is null. It also takes `fields`, `shape` and "
        f"`format` as `/v1/quotes.json`, `.csv` and `.ndjson` do, and the format by `Accept`. {_PAST}",
    ),
    Operation(
        "/v1/quotes.json",
        "getQuoteParts",
        "Quotes with some of their fields, or a flat map",
        "quotes",
        _PARTS,
        {JSON: "Board BoardPart PriceMap"},
        (404, 503),
        text=f"`fields` chooses and orders the fields; `shape=map` is by symbol. {_PAST}",
    ),
    Operation(
        "/v1/quotes.csv",
        "getQuotesCsv",
        "Quotes as a table",
        "quotes",
        (*_PARTS, "dialect"),
        {CSV: ""},
        (404, 503),
        text=f"A header and a quote a line (RFC 4180); what is not known is an empty cell. {_PAST}",
    ),
    Operation(
        "/v1/quotes.ndjson",
        "getQuotesNdjson",
        "Quotes as lines of JSON",
        "quotes",
        _PARTS,
        {NDJSON: ""},
        (404, 503),
        text=f"Each line is one quote. {_PAST}",
    ),
    Operation(
        "/v1/quotes/{symbol}",
        "getQuote",
        "One quote",
        "quotes",
        ("symbol", "lang", "at", "precision"),
        {JSON: "Quote"},
        (404, 503),
        text=f"It also takes `fields` and `format`. {_PAST}",
    ),
    Operation(
        "/v1/quotes/{symbol}/history",
        "getHistory",
        "One instrument's past",
        "history",
        ("symbol", *_RANGE, "cursor"),
        {JSON: "History"},
        (404, 503),
        text="In pages: `next` is the `cursor` of the one after, also as `Link: rel=next`. Without `source` and "
        "`price_type` all numbers are of the instrument's own kind. It also takes `format`, `csv` or `ndjson`, and the "
        "format by `Accept`.",
    ),
    Operation(
        "/v1/history",
        "getHistories",
        "The past of several instruments",
        "history",
        ("symbols", *_RANGE),
        {JSON: "Histories"},
        (404, 503),
        text=f"The series of each, one page of each; {history.MOST_TOGETHER} points at most. It also takes `format` as "
        "`/v1/history.csv` and `.ndjson` have it, and the format by `Accept`.",
    ),
    Operation(
        "/v1/history.csv",
        "getHistoriesCsv",
        "The past of several instruments as a table",
        "history",
        ("symbols", *_RANGE, "dialect", "lang"),
        {CSV: ""},
        (404, 503),
        text="A header and a point a line (RFC 4180), each with its symbol first.",
    ),
    Operation(
        "/v1/history.ndjson",
        "getHistoriesNdjson",
        "The past of several instruments as lines of JSON",
        "history",
        ("symbols", *_RANGE),
        {NDJSON: ""},
        (404, 503),
        text="Each line is one point, with its symbol.",
    ),
    Operation(
        "/v1/quotes/{symbol}/evidence",
        "getEvidence",
        "Why a number is shown",
        "records",
        ("symbol", "at"),
        {JSON: "Evidence"},
        (404, 503),
        text="Every source's newest number as it was sent, the verdict on it, the checks with their figures, and the "
        "rule that decided. `digest` is over the whole; `ticker verify` recomputes the number. Values of a source "
        "whose terms forbid redistribution are left out, and `withheld` names it.",
    ),
    Operation(
        "/v1/corrections",
        "getCorrections",
        "What stood wrong, late or missing",
        "records",
        ("about", "since", "until", "limit"),
        {JSON: "Corrections"},
        (404, 503),
        text="The newest first; computed, never written by hand. `summary` has the seconds of the range by instrument.",
    ),
    Operation(
        "/v1/corrections.atom",
        "getCorrectionsFeed",
        "The same as an Atom feed",
        "records",
        ("about",),
        {"application/atom+xml": ""},
        (404, 503),
    ),
    Operation(
        "/v1/convert",
        "convert",
        "An amount in another unit",
        "quotes",
        ("amount", "origin", "target", "digits", "at"),
        {JSON: "Conversion"},
        (404, 503),
        text="Through the board's quotes, by the way with the fewest of them, whatever their status. `result` is exact "
        f"and rounded once, half up; it is null where a quote on the way is not known. {_PAST}",
    ),
    Operation(
        "/v1/instruments",
        "getInstruments",
        "What is quoted",
        "catalogues",
        ("lang",),
        {JSON: "InstrumentCatalogue"},
        text="Names, units, digits, sources and calendar of each instrument.",
    ),
    Operation(
        "/v1/sources",
        "getSources",
        "Who is asked, on what terms, and how they fare",
        "catalogues",
        ("lang",),
        {JSON: "SourceCatalogue"},
        text="Attribution, terms, cadence, calendar, last success and next poll of each source.",
    ),
    Operation(
        "/v1/stream",
        "getStream",
        "The board as it changes, as Server-Sent Events",
        "quotes",
        ("symbols", "lang"),
        {"text/event-stream": ""},
        cached=False,
        text="Events `quotes` with the JSON of `/v1/quotes` as data and its `version` as id; `Last-Event-ID` honoured, "
        "heartbeats are comments, and a slow reader gets the newest only.",
    ),
    Operation(
        "/widget",
        "getWidget",
        "The header as a fragment of HTML",
        "pages",
        ("symbols", "lang", "style", "at"),
        {"text/html": ""},
        (404, 503),
        text="A list that is right without script and without style; a number an item.",
    ),
    Operation(
        "/sparkline/{symbol}.svg",
        "getSparkline",
        "The last days as a line",
        "pages",
        ("symbol", "days", "lang"),
        {"image/svg+xml": ""},
        (404, 503),
        text="An SVG that a page can show by `<img>`.",
    ),
    Operation(
        "/card.png",
        "getCard",
        "The numbers as a picture for links",
        "pages",
        ("lang",),
        {"image/png": ""},
        text="The first four of the board, each with its date.",
    ),
    Operation(
        "/card/{symbol}.png",
        "getSymbolCard",
        "One number as a picture for links",
        "pages",
        ("symbol", "lang"),
        {"image/png": ""},
        (404,),
        text="With its date and its source.",
    ),
    Operation(
        "/feed.atom",
        "getFeed",
        "The day's fixings as an Atom feed",
        "pages",
        ("lang",),
        {"application/atom+xml": ""},
        text="An entry for each rate in force, and for each one that is published and not in force yet.",
    ),
    Operation(
        "/v1/openapi.json",
        "getOpenapi",
        "This document",
        "about",
        (),
        {JSON: ""},
        text="As `ticker openapi` prints it.",
    ),
    Operation(
        "/healthz",
        "getHealth",
        "Whether the process is alive",
        "about",
        (),
        {JSON: "Alive"},
        cached=False,
        text="200 while the process is worth keeping, 503 where only a restart would mend it.",
        sad=(503, "Nothing runs any more; a restart would mend it."),
    ),
    Operation(
        "/readyz",
        "getReadiness",
        "Whether it should be given readers",
        "about",
        (),
        {JSON: "Readiness"},
        cached=False,
        text="200 with a snapshot loaded, even one with gaps, and while it does not stop; else 503 with the same "
        "members.",
        sad=(503, "No number has been known yet, or the service stops."),
    ),
)


# Every parameter of the API, with the values it takes.


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


# The headers of an answer, and the ways in which any route can fail.


_COMMON = {
    "Access-Control-Allow-Origin": "Whose scripts may read it.",
    "Ticker-Demo": "`true` where the numbers are invented; absent otherwise.",
}
_CACHED = {
    "ETag": "A strong tag of these bytes, for `If-None-Match`.",
    "Last-Modified": "When the answer last changed, for `If-Modified-Since`.",
    "Cache-Control": "How long it stays true: to the next possible change.",
    "Vary": "Which request headers it depends on.",
}
_FAILED = {
    400: "A parameter is unknown, repeated or wrong; it is named, with what it may be.",
    404: "There is no such instrument, or no history of that moment.",
    405: "Only GET, HEAD and OPTIONS are allowed.",
    412: "`If-Match` or `If-Unmodified-Since` is of another answer than there is now.",
    429: "Too many requests; only where the service is configured to limit them.",
    500: "A fault of the service.",
    503: "History cannot be read just now.",
}
_EVERYWHERE = (400, 405, 429, 500)
_EXTRA = {
    405: {"Allow": "The methods that are."},
    429: {"Retry-After": "Seconds to wait.", "RateLimit": "What is left.", "RateLimit-Policy": "What is allowed."},
}


def headers(*, cached: bool) -> dict[str, Any]:
    """The headers of a success, those that caches go by included where it is `cached`."""
    optional = {name: {"description": text, "schema": {"type": "string"}} for name, text in _COMMON.items()}
    required = {name: _header(text) for name, text in _CACHED.items()} if cached else {}
    return {**required, **optional}


def failures(more: Sequence[int]) -> dict[str, Any]:
    """Every status that a route can fail with, each a problem that no cache keeps."""
    return {str(status): _problem(status) for status in sorted({*_EVERYWHERE, *more})}


def _problem(status: int) -> dict[str, Any]:
    found = {"Cache-Control": "`no-store`.", **_EXTRA.get(status, {})}
    return {
        "description": _FAILED[status],
        "headers": {name: _header(text) for name, text in found.items()},
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    }


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "required": True, "schema": {"type": "string"}}


# The document put together, and its route.


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
    files("ticker.web").joinpath("openapi_examples.json").read_bytes(), parse_float=Decimal
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
