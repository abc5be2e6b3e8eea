"""What an adapter is, and the reading tools that all of them share.

An adapter is pure extraction: which requests ask for the codes wanted, and which ticks an answer holds. It knows
neither settings nor clock nor instruments, and raises nothing but `SourceError`.

A row that cannot be read is left out and told (`Skipped`), so that a cell of one currency never costs another one.
What cannot be an answer of the source at all is refused whole, with its reason.
"""

from __future__ import annotations

import csv
import json
import re
import reprlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from ticker.quotes import PriceType, Reason, SourceError, Tick

MOSCOW = ZoneInfo("Europe/Moscow")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Request:
    """One GET: `path` behind the source's base URL, with its query.

    `optional` is what only bears witness: that it is not answered is no failure of the source.
    """

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was left out, and why; `symbol` is what it speaks of, None where even that cannot be read.

    `as_of` is the day of a row of a history.
    """

    symbol: str | None
    reason: Reason
    detail: str
    as_of: datetime | None = None

    def error(self) -> SourceError:
        """The same as a failure, for whoever asked for this very row."""
        return SourceError(self.reason, self.detail)


@dataclass(frozen=True, slots=True)
class Extract:
    """What one answer says: its ticks, the newest of a symbol first, and the rows that were left out."""

    ticks: tuple[Tick, ...]
    skipped: tuple[Skipped, ...] = ()

    def why_not(self, *symbols: str) -> SourceError | None:
        """Why nothing is said of `symbols`: the first fault of a row of theirs, None where there is none."""
        return next((each.error() for each in self.skipped if each.symbol in symbols), None)


@dataclass(frozen=True, slots=True)
class Adapter:
    """How one upstream is asked and read.

    `requests(codes, now)` gives the requests that fetch `codes` at `now` (aware); `parse(body)` what one answer says.
    `publisher` is whose numbers these are. `codes` maps a pair such as "BRENT/USD" to the source's own word where that
    is not the base; `graces` the words of numbers that come more seldom than the market prints, each with its grace.

    `earlier(codes, day)` gives the requests for the table that holds on `day`, for a source whose newest one may be of
    a day to come.

    `archive(codes, first, last)` gives the requests for the days from `first` to `last`, both included, which may be
    many; `parse_archive(body)`, by default `parse`, what one such answer says, of several dates, nothing where nothing
    was published. An archive by the day answers 404 for a day without a publication. Its host is `archive_url` where
    that is another one.

    `key_parameter` is the query parameter of the user's key, for a source that asks for one.
    """

    publisher: str
    base_url: str
    requests: Callable[[Sequence[str], datetime], Sequence[Request]]
    parse: Callable[[bytes], Extract]
    codes: Mapping[str, str] = field(default_factory=dict)
    graces: Mapping[str, timedelta] = field(default_factory=dict)
    earlier: Callable[[Sequence[str], date], Sequence[Request]] | None = None
    archive: Callable[[Sequence[str], date, date], Sequence[Request]] | None = None
    parse_archive: Callable[[bytes], Extract] | None = None
    archive_url: str | None = None
    key_parameter: str | None = None


# --- Formats: bytes to JSON, XML, rows. ------------------------------------------------------------------------------

# What the sources write; Python knows others, some of which take quadratic time or raise errors of their own.
_ENCODINGS = frozenset({"utf-8-sig", "utf-8", "windows-1251", "us-ascii", "iso-8859-1", "iso-8859-9", "windows-1254"})
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body|script|title|meta|center|h1)[\s>/]",
    re.IGNORECASE | re.DOTALL,
)
_PROLOG = re.compile(rb"""<\?xml[^>]*?encoding=["']([A-Za-z0-9._-]{1,40})["']""")
# Ten years of one currency have 25000; a megabyte of nothing but tags takes a second to build and throw away.
_MOST_TAGS = 50_000
# A whole futures board has 35000; each becomes a decimal, and four megabytes of them are a second of work.
_MOST_VALUES = 150_000
# A year of the European Central Bank's history has 15000; each is a date to be read, and a million take two seconds.
_MOST_ROWS = 25_000
_MOST_CELLS = 250_000
# Not what Unicode calls an end of a line: a cell may hold one.
_LINES = re.compile(r"\r\n?|\n")


class Repeating(dict[str, Any]):
    """A JSON object in which names stood twice: `repeated` are these names, each once for every further time.

    Under a name that stood there with different values is an `Ambiguous`, which no reader takes for a value.
    """

    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotANumber:
    """What stands where JSON has a number and is none of this world: no row but its own is harmed by it."""

    text: str


class Ambiguous:
    """Several values under one name: of two prices for one currency nobody can say which is meant."""


def as_json(body: bytes) -> Any:  # noqa: ANN401 - what an upstream sends can be anything
    """The JSON of `body` with exact decimals; NaN, Infinity and numbers of absurd length are each a `NotANumber`.

    Raises SourceError: `blocked` for a web page, `encoding` for bytes that are not UTF-8, `parse` for anything else
    that is not JSON.
    """
    text = text_of(body.lstrip(_BLANK), "utf-8-sig")
    if body.count(b",") > _MOST_VALUES:
        raise SourceError(Reason.PARSE, f"more than {_MOST_VALUES} values")
    try:
        return json.loads(
            text, parse_float=_number, parse_int=_number, parse_constant=_number, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as error:
        raise SourceError(Reason.PARSE, f"not JSON: {error}") from error


def as_xml(body: bytes) -> Element:
    """The XML root of `body`, read as bytes so that the prolog's encoding is honoured.

    A byte order mark or blank lines before the prolog do no harm. Raises SourceError: `blocked` for a web page,
    `encoding` where the bytes do not fit the prolog's encoding, `parse` for malformed XML and for any document type
    declaration (entity bombs).
    """
    body = body.lstrip(_BLANK).removeprefix(_BOM).lstrip(_BLANK)
    encoding = _declared(body)
    text = text_of(body, encoding)
    if encoding not in {"utf-8", "utf-8-sig"} and not text.isascii() and _is_utf8(body):
        # A proxy that transcodes and leaves the prolog: nobody can say what else it has changed.
        raise SourceError(Reason.ENCODING, f"UTF-8 under a prolog that says {encoding}")
    if body.count(b"<") > _MOST_TAGS or body.count(b"=") > 2 * _MOST_TAGS:
        raise SourceError(Reason.PARSE, f"more than {_MOST_TAGS} tags or twice as many attributes")
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise SourceError(Reason.PARSE, f"not XML: {str(error) or type(error).__name__}") from error
    return root


def as_csv(body: bytes) -> tuple[Sequence[str], Sequence[dict[str, str]], tuple[Skipped, ...]]:
    """The header of `body`, its rows by the names in it, and the rows that do not have its columns.

    Nothing of all three where nothing is written. Raises SourceError as `as_json` does, `schema` for a header with a
    name in it twice.
    """
    text = text_of(body.lstrip(_BLANK), "utf-8-sig")
    if body.count(b"\n") + body.count(b"\r") > 2 * _MOST_ROWS or body.count(b",") > _MOST_CELLS:
        raise SourceError(Reason.PARSE, f"more than {_MOST_ROWS} rows or {_MOST_CELLS} cells")
    try:
        header, *rows = [row for row in csv.reader(_LINES.split(text)) if any(map(str.strip, row))] or [[]]
    except csv.Error as error:
        raise SourceError(Reason.PARSE, f"not CSV: {error}") from error
    if len(set(header)) != len(header):
        raise schema("a header with a name in it twice")
    whole = [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)]
    ragged = [row for row in rows if len(row) != len(header)]
    return header, whole, tuple(_left_out(None, schema(f"a row without the header's columns: {row}")) for row in ragged)


def text_of(body: bytes, encoding: str) -> str:
    """The text of `body`. Raises SourceError: `blocked` for a web page, `encoding` for bytes of another encoding."""
    if _PAGE.match(body[:512].removeprefix(_BOM)):
        raise SourceError(Reason.BLOCKED, "a web page instead of data: a guard or consent page")
    if encoding not in _ENCODINGS:
        raise SourceError(Reason.ENCODING, f"written in {encoding}, which no source uses")
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(Reason.ENCODING, str(error)[:200]) from error


def _declared(body: bytes) -> str:
    found = _PROLOG.match(body[:256])
    return found[1].decode("ascii").lower() if found else "utf-8-sig"


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: Repeating = Repeating()
    repeated: list[str] = []
    for name, value in pairs:
        if name in seen:
            repeated.append(name)
            value = value if value == seen[name] else Ambiguous()  # noqa: PLW2901 - what stands there from now on
        seen[name] = value
    seen.repeated = tuple(repeated)
    return seen


# --- Values: numbers, dates, nominals. -------------------------------------------------------------------------------

# Longer than any price and short enough that arithmetic on it is instant: a million digits is an attack, not a rate.
_DIGITS = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,12})?")
_LONGEST = 40
_TENS = re.compile("10{0,7}")
_BRIEF = reprlib.Repr()
_BRIEF.maxlevel = 3


def decimal_of(text: str) -> Decimal:
    """The exact decimal that `text` writes, with point or comma.

    Raises SourceError (`parse`) for anything that is not an unsigned decimal number of sane length.
    """
    if not _DIGITS.fullmatch(text):
        raise SourceError(Reason.PARSE, f"not a number: {text[:40]!r}")
    return Decimal(text.replace(",", "."))


def number(value: object, where: str) -> Decimal:
    """The positive exact decimal that `value` is or writes.

    Raises SourceError: `parse` for text that is no number, `schema` for what is neither, `range` for zero and less.
    """
    found = signed(value, where)
    if found <= 0:
        raise SourceError(Reason.RANGE, f"{where}: {found} is not a price")
    return found


def signed(value: object, where: str) -> Decimal:
    """The exact decimal that `value` is or writes, which may be below zero. Raises SourceError as `number` does."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = decimal_of(text.removeprefix("-")) * (-1 if text.startswith("-") else 1)
        except SourceError as error:
            raise SourceError(error.reason, f"{where}: {error.detail}") from None
    if isinstance(value, NotANumber):
        raise SourceError(Reason.PARSE, f"{where}: not a number of this world: {value.text}")
    if isinstance(value, bool) or not isinstance(value, Decimal):
        raise SourceError(Reason.SCHEMA, f"{where}: no number but {brief(value)}")
    return value


def optional_number(value: object) -> Decimal | None:
    """What `number` gives, or None: of what only bears witness, as the price before does, nothing is refused."""
    try:
        return number(value, "")
    except SourceError:
        return None


def optional_signed(value: object) -> Decimal | None:
    """What `signed` gives, or None."""
    try:
        return signed(value, "")
    except SourceError:
        return None


def raw_of(value: object) -> str:
    """A price as it stood in the answer: text as it is, a number by its digits."""
    return str(value).strip()


def nominal(value: object, where: str) -> int:
    """The number of units a price is for: a power of ten up to ten millions.

    Raises SourceError (`unit`): every table publishes powers of ten, anything else is a column that has slipped.
    """
    units = str(value).strip()
    if not _TENS.fullmatch(units):
        raise SourceError(Reason.UNIT, f"{where}: nominal {units[:20]!r} is not a power of ten")
    return int(units)


def before(price: Decimal, change: object, where: str) -> Decimal | None:
    """The price before `change`, which is signed; None where none is told. Raises SourceError."""
    text = str(change or "").strip()
    if not text:
        return None
    step = decimal_of(text.lstrip("+-"))
    previous = price + step if text.startswith("-") else price - step
    if previous <= 0:
        raise SourceError(Reason.RANGE, f"{where}: {price} cannot have changed by {text[:20]}")
    return previous


def sane(moment: datetime, where: str) -> datetime:
    """`moment`, if it is of our time. Raises SourceError (`schema`): no calendar reckons in the years 1 and 9999."""
    if not 1980 <= moment.year < 2200:  # noqa: PLR2004 - older than every feed, later than every clock gone wrong
        raise schema(f"{where}: {moment:%Y-%m-%d} is no date of a price")
    return moment


def midnight(value: object, pattern: str, zone: ZoneInfo, where: str) -> datetime:
    """The start in `zone` of the day that `value` writes as `pattern` (strptime). Raises SourceError (`schema`)."""
    try:
        return sane(datetime.strptime(str(value), pattern).replace(tzinfo=zone), where)
    except ValueError as error:
        raise schema(f"{where}: no date but {str(value)[:40]!r}") from error


def unix(value: object, where: str) -> datetime:
    """The moment that `value` gives in seconds since 1970. Raises SourceError (`schema`)."""
    try:
        return sane(datetime.fromtimestamp(int(str(value)), UTC), where)
    except (ValueError, OverflowError, OSError) as error:
        raise schema(f"{where}: no time but {str(value)[:40]!r}") from error


def spans(first: date, last: date, days: int) -> Iterator[tuple[date, date]]:
    """The days from `first` to `last` in spans of `days` at most; both ends of each are included."""
    while first <= last:
        end = min(last, first + timedelta(days=days - 1))
        yield first, end
        first = end + timedelta(days=1)


def brief(value: object) -> str:
    """How a part of an answer begins, for a message: writing four megabytes out would hold the loop."""
    return _BRIEF.repr(value)[:80]


def schema(message: str) -> SourceError:
    """The error of a well-formed answer that is not the one asked for."""
    return SourceError(Reason.SCHEMA, message)


def _number(text: str) -> Decimal | NotANumber:
    """A JSON number, or NaN and its like, which are none; 1e999 is how infinity gets in."""
    try:
        value = Decimal(text) if len(text) <= _LONGEST else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or not -30 <= value.adjusted() <= 30:  # noqa: PLR2004 - an Earth of zeros
        return NotANumber(text[:40])
    return value


# --- Tables: rows to ticks. ------------------------------------------------------------------------------------------

# A body of the Bank of Russia cut by a proxy can stay well-formed and hold only the first few currencies; real tables
# had 33 and more.
FEWEST_ROWS = 30


def table(
    rows: Iterable[Row],
    code: Callable[[Row], str],
    read: Callable[[Row, str], Tick],
    *,
    fewest: int = 1,
    skipped: Iterable[Skipped] = (),
) -> Extract:
    """The ticks of a table, one for each `code` in it, each row read by `read`.

    What cannot be read is left out. A row that stands there twice, alike, counts once; of rows for one code that
    differ none counts, since nobody can say which is meant. `skipped` is what was left out before.

    Raises SourceError where fewer than `fewest` rows can be read: `schema`, or what is wrong with the only rows.
    """
    found: dict[str, Tick] = {}
    left_out = list(skipped)
    in_doubt: set[str] = set()
    for row in rows:
        name = None
        try:
            name = code(row)
            tick = read(row, name)
        except SourceError as error:
            left_out.append(_left_out(name, error))
            in_doubt |= {name} if name else set()
            continue
        if name in found:
            left_out.append(_left_out(name, schema(f"{name} stands in the table twice")))
            in_doubt |= {name} if found[name] != tick else set()
        found.setdefault(name, tick)
    ticks = tuple(tick for name, tick in found.items() if name not in in_doubt)
    if len(ticks) < fewest:
        raise _too_few(ticks, left_out, fewest)
    return Extract(ticks, tuple(left_out))


def _too_few(ticks: Sequence[Tick], left_out: Sequence[Skipped], fewest: int) -> SourceError:
    if left_out and len(ticks) + len(left_out) >= fewest:
        # Long enough, and most of it cannot be read: what is wrong with most of it is what is wrong.
        reason, _ = Counter(each.reason for each in left_out).most_common(1)[0]
        first = next(each for each in left_out if each.reason is reason)
        return SourceError(reason, f"{len(left_out)} rows cannot be read: {first.detail}")
    return schema(f"a truncated table: {len(ticks)} rows, a whole one has {fewest} at least")


def _left_out(symbol: str | None, error: SourceError, as_of: datetime | None = None) -> Skipped:
    return Skipped(symbol, error.reason, error.detail, as_of)


def with_both(extract: Extract, *symbols: str) -> Extract:
    """`extract`, if it speaks of all `symbols`, of which a cross rate is made. Raises SourceError."""
    known = {tick.symbol for tick in extract.ticks}
    for symbol in symbols:
        if symbol not in known:
            raise extract.why_not(symbol) or schema(f"{symbol} is not in the table: a truncated one, or another")
    return extract


def listed(body: bytes, code: str, read: Callable[[Any, str], Tick]) -> Extract:
    """The cross table to the rouble of a JSON list, whose objects name their currency as `code`. Raises SourceError."""
    rows = as_json(body)
    if not isinstance(rows, list):
        raise schema(f"no table of rates: {brief(rows)}")
    return with_both(table(rows, lambda row: name_of(row, code), read), "RUB")


def name_of(row: object, key: str) -> str:
    """What the object `row` says it speaks of under `key`. Raises SourceError (`schema`)."""
    name = row.get(key) if isinstance(row, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise schema(f"a row without {key}: {brief(row)}")
    return name.strip()


# --- Series: days to ticks. ------------------------------------------------------------------------------------------


def newest(extract: Extract) -> Extract:
    """The newest tick of each series in `extract`. Raises SourceError (`schema`) where there is none.

    A series whose newest day cannot be read gives none: the day before it is not the newest.
    """
    found: dict[tuple[str, str], Tick] = {}
    for tick in extract.ticks:
        pair = (tick.symbol, tick.currency)
        if pair not in found or tick.as_of > found[pair].as_of:
            found[pair] = tick
    doubts: dict[str, datetime] = {}
    for each in extract.skipped:
        if each.symbol and each.as_of:
            doubts[each.symbol] = max(each.as_of, doubts.get(each.symbol, each.as_of))
    found = {pair: tick for pair, tick in found.items() if pair[0] not in doubts or doubts[pair[0]] < tick.as_of}
    if not found:
        last = max(doubts.values(), default=None)
        why = (each.error() for each in extract.skipped if last and each.as_of == last)
        raise next(why, None) or schema("no day of the series has a price")
    return Extract(tuple(found.values()), extract.skipped)


def history(symbol: str, currency: str, rows: Iterable[tuple[object, object]], zone: ZoneInfo) -> Extract:
    """The ticks of one series of daily assessments, oldest first, each with the one before it.

    `rows` are a day (YYYY-MM-DD) and a price each, of the days that have one; either order will do. A row that cannot
    be read is left out, and what follows it has no price before.

    An assessment is of the kind `fixing`: one number for one date, the same digits wherever it is copied, and never to
    be compared with what a futures market did at some minute of that day (on 22.11.2024: 76.10 here, 73.73 there).
    """
    left_out: list[Skipped] = []
    days: dict[datetime, list[tuple[Decimal, str] | None]] = {}
    for day, value in rows:
        as_of = None
        try:
            as_of = midnight(day, "%Y-%m-%d", zone, symbol)
            days.setdefault(as_of, []).append((number(value, symbol), raw_of(value)))
        except SourceError as error:
            left_out.append(_left_out(symbol, error, as_of))
            if as_of is not None:
                days.setdefault(as_of, []).append(None)
    ticks: list[Tick] = []
    last: tuple[Decimal | None, datetime | None] = (None, None)
    for as_of, prices in sorted(days.items()):
        twice = schema(f"{symbol}: {as_of:%Y-%m-%d} stands there twice")
        found = prices[0]
        if found is None or any(each is None or each[0] != found[0] for each in prices):
            left_out += [_left_out(symbol, twice, as_of) for _ in prices[1:]]
            last = (None, None)
            continue
        left_out += [_left_out(symbol, twice) for _ in prices[1:]]  # alike: the day counts, the repetition does not
        ticks.append(Tick(symbol, found[0], currency, as_of, PriceType.FIXING, 1, *last, raw=found[1]))
        last = (found[0], as_of)
    return Extract(tuple(ticks), tuple(left_out))


def joined(extracts: Iterable[Extract]) -> Extract:
    """Several extracts as one."""
    parts = list(extracts)
    return Extract(
        tuple(tick for each in parts for tick in each.ticks), tuple(row for each in parts for row in each.skipped)
    )
