"""Every documented route: what it answers, which parameters it takes, how it can fail."""

from __future__ import annotations

from dataclasses import dataclass

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
_TABLES = {CSV: "", NDJSON: ""}


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


_FORM = ("fields", "precision", "format")
_PAST = "With `at` it is read from history: 404 before history begins, 503 while the store cannot be read."
OPERATIONS = (
    Operation(
        "/v1/quotes",
        "getQuotes",
        "All quotes of one snapshot",
        "quotes",
        ("symbols", "lang", "at", "shape", *_FORM),
        {JSON: "Quotes QuotesPart PriceMap", **_TABLES},
        (404, 503),
        text=f"`status` is the worst of its quotes; what is not known is null. {_PAST}",
    ),
    Operation(
        "/v1/quotes/{symbol}",
        "getQuote",
        "One quote",
        "quotes",
        ("symbol", "lang", "at", *_FORM),
        {JSON: "Quote QuotePart", **_TABLES},
        (404, 503),
        text=_PAST,
    ),
    Operation(
        "/v1/quotes/{symbol}/history",
        "getHistory",
        "One instrument's past",
        "history",
        ("symbol", "since", "until", "interval", "limit", "cursor", "format"),
        {JSON: "History", **_TABLES},
        (404, 503),
        text="Oldest first, in pages: `next` is the `cursor` of the one after, also as `Link: rel=next`.",
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
    Operation("/v1/instruments", "getInstruments", "What is quoted", "catalogues", ("lang",), {JSON: "Instruments"}),
    Operation(
        "/v1/sources",
        "getSources",
        "Who is asked, on what terms, and how they fare",
        "catalogues",
        ("lang",),
        {JSON: "Sources"},
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
    ),
    Operation(
        "/sparkline/{symbol}.svg",
        "getSparkline",
        "The last days as a line",
        "pages",
        ("symbol", "days", "lang"),
        {"image/svg+xml": ""},
        (404, 503),
    ),
    Operation("/v1/openapi.json", "getOpenapi", "This document", "about", (), {JSON: ""}),
    Operation("/healthz", "getHealth", "Whether the process is alive", "about", (), {JSON: "Alive"}, cached=False),
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
