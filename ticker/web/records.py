"""`GET /v1/quotes/{symbol}/evidence` and `GET /v1/corrections`: why a number is shown, and what stood wrong or late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from xml.sax.saxutils import escape, quoteattr

from aiohttp import web

from ticker.corrections import MATERIAL, Correction, correction_of, summary
from ticker.evidence import published
from ticker.quotes import Instrument
from ticker.rendering import json
from ticker.rendering.representation import JSON, Representation
from ticker.rendering.schemas import CorrectionSchema, CorrectionsSchema, EvidenceSchema, SummarySchema, stamp
from ticker.web import parameters
from ticker.web.context import CONTEXT, Context
from ticker.web.history import answered, told
from ticker.web.parameters import moment
from ticker.web.problems import Problem, nearest

_LIMIT, _MOST = 100, 1000
# Of the feed and its entries, wherever it is read (RFC 4287, 4.2.6).
_ID = "urn:market-ticker:corrections"
_ATOM = "application/atom+xml; charset=utf-8"
# What the error record counts where no range is asked for.
_MONTH = timedelta(days=30)


async def evidence(request: web.Request) -> web.StreamResponse:
    """Why this number: every source's newest tick, the verdict on each, the rule that decided."""
    parameters.only(request, ("at",))
    context, symbol = request.app[CONTEXT], request.match_info["symbol"]
    _known(context, symbol)
    at = moment(request, "at")
    until = _moment(at, last=True) if at is not None else None
    found = await told(context.records.evidence(symbol, until))
    if found is None:
        since = await told(context.records.evidence_since(symbol))
        kept = "none is kept yet" if since is None else f"it is kept since {since.isoformat(timespec='seconds')}"
        since_text = None if since is None else since.isoformat(timespec="seconds")
        raise Problem(404, f"there is no evidence of {symbol} at that time; {kept}", parameter="at", since=since_text)
    withheld = {name for name, source in context.settings.sources.items() if not source.publish}
    tree = published(found.text, withheld)
    answer = EvidenceSchema.model_validate({**tree, "demo": context.demo})
    made = Representation(json.encode(answer), JSON, found.at)
    return answered(request, made, until)


async def corrections(request: web.Request) -> web.StreamResponse:
    """The public record, the newest first."""
    parameters.only(request, ("symbol", "from", "to", "limit"))
    context = request.app[CONTEXT]
    symbols, first, until = _asked(request, context)
    limit = parameters.whole(request, "limit", _LIMIT, 1, _MOST)
    found = await _read(context, symbols, first, until, limit)
    now = context.clock()
    begun, end = first or now - _MONTH, min(until or now, now)
    # The error record is of the whole range, however few entries were asked for.
    every = await _read(context, symbols, None, end, _MOST)
    counted = summary((each for each in every if (each.until or end) > begun), symbols, begun, end)
    answer = CorrectionsSchema(
        corrections=tuple(_schema(each) for each in found),
        summary={symbol: SummarySchema(**seconds) for symbol, seconds in counted.items()},
        from_=utc_moment(begun),
        to=utc_moment(end),
        material=MATERIAL,
        demo=context.demo,
    )
    newest = max((each.until or each.since for each in found), default=now)
    return answered(request, Representation(json.encode(answer), JSON, min(newest, now)), None)


async def atom(request: web.Request) -> web.StreamResponse:
    """The same as an Atom feed (RFC 4287)."""
    parameters.only(request, ("symbol",))
    context = request.app[CONTEXT]
    symbols, _, _ = _asked(request, context)
    found = await _read(context, symbols, None, None, _LIMIT)
    # Never by the Host of the request: a cache would give one client's invention to all others.
    base = context.public_url or ""
    now = context.clock()
    updated = max((each.until or each.since for each in found), default=now)
    body = "".join(
        (
            '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">',
            f"<title>Corrections</title><id>{_ID}</id>",
            f'<link rel="self" href={quoteattr(base + "/v1/corrections.atom")}/>',
            f"<author><name>Market ticker</name></author><updated>{utc_moment(updated)}</updated>",
            *(_entry(each, base) for each in found),
            "</feed>\n",
        )
    )
    return answered(request, Representation(body.encode(), _ATOM, min(updated, now)), None)


def _entry(one: Correction, base: str) -> str:
    stood = f"{one.seconds} s" if one.seconds is not None else "still"
    shown = "" if one.shown is None else f" shown {one.shown:f}"
    right = "" if one.right is None else f", right {one.right:f}"
    title = f"{one.symbol}: {one.kind},{shown}{right} ({stood})"
    return (
        f"<entry><title>{escape(title)}</title><id>{_ID}:{escape(one.symbol)}:{one.id}</id>"
        f"<updated>{utc_moment(one.until or one.since)}</updated><published>{utc_moment(one.since)}</published>"
        f"<link href={quoteattr(f'{base}/v1/corrections?symbol={one.symbol}')}/>"
        f"<summary>{escape(one.note or title)}</summary></entry>"
    )


async def _read(
    context: Context, symbols: Sequence[str], first: datetime | None, until: datetime | None, limit: int
) -> list[Correction]:
    entries = await told(context.records.corrections(symbols, first, until, limit))
    return [correction_of(each.text) for each in entries]


def _asked(request: web.Request, context: Context) -> tuple[list[str], datetime | None, datetime | None]:
    symbol = request.query.get("symbol")
    if symbol is not None:
        _known(context, symbol)
    symbols = [symbol] if symbol else [quote.symbol for quote in context.snapshot().quotes]
    first, last = moment(request, "from"), moment(request, "to")
    begun = None if first is None else _moment(first, last=False)
    end = None if last is None else _moment(last, last=True)
    if begun is not None and end is not None and begun > end:
        raise Problem(400, "'from' is later than 'to'", parameter="from")
    return symbols, begun, end


def _known(context: Context, symbol: str) -> Instrument:
    known = {quote.symbol: quote.instrument for quote in context.snapshot().quotes}
    if symbol not in known:
        detail = f"no instrument {symbol[:40]!r}; {nearest(symbol, known)}"
        raise Problem(404, detail, parameter="symbol", allowed=list(known))
    return known[symbol]


def _moment(of: date | datetime, *, last: bool) -> datetime:
    """A day begins and ends in UTC here."""
    if isinstance(of, datetime):
        return of
    return datetime.combine(of, time.max if last else time.min, UTC)


def _schema(one: Correction) -> CorrectionSchema:
    return CorrectionSchema(
        symbol=one.symbol,
        kind=one.kind,
        shown=one.shown,
        right=one.right,
        as_of=stamp(one.as_of),
        source=one.source,
        from_=utc_moment(one.since),
        to=None if one.until is None else utc_moment(one.until),
        seconds=one.seconds,
        found_by=one.found_by,
        material=one.material,
        note=one.note,
    )


def utc_moment(of: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
