"""Every documented route: what it answers, which parameters it takes, how it can fail."""

from __future__ import annotations

from dataclasses import dataclass

from ticker.web import history

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"


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
