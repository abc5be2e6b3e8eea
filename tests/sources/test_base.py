from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.refusals import refused
from ticker.quotes import Reason, SourceError
from ticker.sources import SOURCES
from ticker.sources.base import as_json, as_xml, decimal_of, nominal, number, optional_number, sane

NEVER_JSON = {
    "nothing": b"",
    "a hundred thousand brackets": b"[" * 100_000,
    "a hundred thousand objects": b'{"a":' * 100_000,
    "two documents": b"{}{}",
    "a text": b"Too Many Requests",
}
NO_NUMBERS = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "minus Infinity": b"-Infinity",
    "1e999": b"1e999",
    "an exponent beyond decimals": b"1e99999999999999999999",
    "1e-999": b"1e-999",
    "a million digits": b"9" * 1_000_000,
    "a million decimals": b"0." + b"1" * 1_000_000,
}
PAGES = [
    b"<!DOCTYPE html><html></html>",
    b"  \r\n<HTML lang='en'>",
    b"\xef\xbb\xbf<html><body>",
    b"<?xml version='1.0' encoding='utf-8'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN'>",
    b"<!-- guard --><html>",
    b"<head><meta charset=utf-8>",
    b"<script>location.reload()</script>",
    b"<title>DDOS-GUARD</title>",
    b"<center><h1>403 Forbidden</h1>",
]
BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]><a>&y;</a>"""
NEVER_XML = {
    "nothing": b"",
    "an entity bomb": BOMB,
    "an outside entity": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "a bare DTD": b"<!DOCTYPE a><a/>",
    "an unknown entity": b"<a>&nbsp;</a>",
    "an open end": b"<a><b>",
    "two roots": b"<a/><a/>",
    "a text": b"Error",
    "JSON": b"{}",
}


def test_json_keeps_every_digit() -> None:
    """A JSON number is the decimal that stands there, trailing zeros included, never a binary neighbour."""
    assert str(as_json(b'{"a": [100.6798, 73.70, 1, 1e2]}')["a"]) == str(
        [Decimal("100.6798"), Decimal("73.70"), Decimal(1), Decimal("1e2")]
    )


def test_json_may_bear_a_byte_order_mark() -> None:
    """Some servers put one before UTF-8."""
    assert as_json(b"\xef\xbb\xbf[1]") == as_json(b"\r\n\xef\xbb\xbf\n[1]\n") == [1]


@pytest.mark.parametrize("body", NEVER_JSON.values(), ids=NEVER_JSON)
def test_what_is_no_json_is_a_parse_failure(body: bytes) -> None:
    """No body whatever raises another error than `parse`, however deep or long it is."""
    assert refused(as_json, body) is Reason.PARSE


@pytest.mark.parametrize("written", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_number_of_this_world_harms_no_other(written: bytes) -> None:
    """Refused where it is asked for, without arithmetic; the rest of the answer is as good as before."""
    found = as_json(b'{"KRW": ' + written + b', "USD": 1.50}')
    assert refused(number, found["KRW"], "KRW") is Reason.PARSE
    assert optional_number(found["KRW"]) is None
    assert str(found["USD"]) == "1.50"


def test_a_name_that_stands_twice_has_no_value() -> None:
    """Of two prices for one currency nobody can say which is meant; the rest of the answer is as good as before."""
    found = as_json(b'{"USD": 1, "USD": 2, "EUR": 3}')
    assert refused(number, found["USD"], "USD") is Reason.SCHEMA
    assert (found["EUR"], found.repeated) == (3, ("USD",))


def test_a_name_that_stands_twice_alike_has_its_value() -> None:
    """Said twice is still said."""
    found = as_json(b'{"USD": {"a": 1}, "USD": {"a": 1}}')
    assert (found["USD"], found.repeated) == ({"a": 1}, ("USD",))


@pytest.mark.parametrize("body", PAGES)
@pytest.mark.parametrize("reader", [as_json, as_xml])
def test_a_web_page_is_blocked(reader: Callable[[bytes], object], body: bytes) -> None:
    """A page instead of data is a guard or a consent page, whatever its status."""
    assert refused(reader, body) is Reason.BLOCKED


@pytest.mark.parametrize("blank", [b"\n", b" \r\n\t", b"\xef\xbb\xbf", b"\n\xef\xbb\xbf\n"])
@pytest.mark.parametrize("prolog", [b"", b'<?xml version="1.0" encoding="utf-8"?>', b"<?xml version='1.0'?>\n"])
def test_blank_lines_before_the_prolog_do_no_harm(blank: bytes, prolog: bytes) -> None:
    """A proxy that puts a line before a document changes none of its numbers."""
    assert as_xml(blank + prolog + b"<a>1</a>").text == "1"


@pytest.mark.parametrize("body", NEVER_XML.values(), ids=NEVER_XML)
def test_what_is_no_plain_xml_is_a_parse_failure(body: bytes) -> None:
    """Broken XML and anything with a document type are refused before an entity is looked up."""
    assert refused(as_xml, body) is Reason.PARSE


@pytest.mark.parametrize(
    "encoding", ["idna", "punycode", "undefined", "rot13", "unicode_escape", "zip", "utf-7", "utf-16", "no-such"]
)
def test_an_encoding_that_no_source_uses_is_refused(encoding: str) -> None:
    """A prolog can name any of Python's codecs; some are slow, some raise errors of their own."""
    body = f'<?xml version="1.0" encoding="{encoding}"?><a>b</a>'.encode()
    assert refused(as_xml, body) is Reason.ENCODING


@pytest.mark.parametrize("body", [b'{"a": "\xcf"}', "[1]".encode("utf-16"), "<a/>".encode("utf-32")])
@pytest.mark.parametrize("reader", [as_json, as_xml])
def test_bytes_of_another_encoding_are_refused(reader: Callable[[bytes], object], body: bytes) -> None:
    """What is not UTF-8, and does not say so, is an encoding failure and not a guess."""
    assert refused(reader, body) is Reason.ENCODING


def test_utf8_under_a_windows_prolog_is_an_encoding_failure() -> None:
    """A proxy that transcodes and leaves the prolog may have changed anything else."""
    text = '<?xml version="1.0" encoding="windows-1251"?><a>Доллар</a>'
    assert as_xml(text.encode("cp1251")).text == "Доллар"
    assert refused(as_xml, text.encode()) is Reason.ENCODING


def test_deep_xml_does_no_harm() -> None:
    """Nested elements are read, more of them than any table has are refused before they are built."""
    assert as_xml(b"<a>" * 20_000 + b"</a>" * 20_000).tag == "a"
    assert refused(as_xml, b"<a>" * 100_000 + b"</a>" * 100_000) is Reason.PARSE


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Decimal(0), Reason.RANGE),
        (Decimal("-1.5"), Reason.RANGE),
        ("0,0000", Reason.RANGE),
        ("-1", Reason.RANGE),
        ("-37,63", Reason.RANGE),
        ("--1", Reason.PARSE),
        ("1 234,5", Reason.PARSE),
        ("1.234,5", Reason.PARSE),
        ("1e5", Reason.PARSE),
        ("NaN", Reason.PARSE),
        ("٣", Reason.PARSE),
        ("", Reason.PARSE),
        ("9" * 1_000_000, Reason.PARSE),
        (None, Reason.SCHEMA),
        (True, Reason.SCHEMA),
        ([], Reason.SCHEMA),
        ({}, Reason.SCHEMA),
    ],
)
def test_a_price_is_a_positive_decimal(value: object, reason: Reason) -> None:
    """Whatever else stands where a price should is refused with the reason it deserves."""
    assert refused(number, value, "USD") is reason


@given(st.integers(1, 10**8))
def test_a_nominal_is_a_power_of_ten(units: int) -> None:
    """1, 10, … 10000000 and nothing between."""
    if units in {10**power for power in range(8)}:
        assert nominal(str(units), "JPY") == units
    else:
        assert refused(nominal, str(units), "JPY") is Reason.UNIT


@pytest.mark.parametrize("value", ["", "1.0", "01", "1e1", "-1", "ten", None, [1]])
def test_a_nominal_is_written_plainly(value: object) -> None:
    """A column that has slipped is no nominal."""
    assert refused(nominal, value, "JPY") is Reason.UNIT


@pytest.mark.parametrize("year", [1, 1970, 1979, 2200, 9999])
def test_a_price_is_of_our_time(year: int) -> None:
    """No calendar can reckon at the ends of Python's years."""
    assert refused(sane, datetime(year, 1, 1, tzinfo=UTC), "Date") is Reason.SCHEMA


def test_what_an_upstream_wrote_cannot_break_a_log() -> None:
    """An error quotes its upstream without half characters, line ends or megabytes."""
    error = SourceError(Reason.SCHEMA, "\ud800\n\x1b[31m" + "x" * 10_000)
    assert json.dumps(error.detail, ensure_ascii=False).encode()
    assert error.detail.isprintable()
    assert len(str(error)) < 250


@given(body=st.binary(max_size=200), name=st.sampled_from(sorted(SOURCES)))
def test_no_bytes_raise_anything_but_a_source_error(body: bytes, name: str) -> None:
    """Noise is refused by every adapter of the table."""
    with pytest.raises(SourceError):
        SOURCES[name].parse(body)


NAMES = ["chart", "result", "meta", "Valute", "Date", "securities", "marketdata", "columns", "data"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["chart", "result", "meta", "Valute", "Date", "securities", "marketdata", "columns", "data"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(document=JSON, name=st.sampled_from(sorted(SOURCES)))
def test_no_json_raises_anything_but_a_source_error(document: object, name: str) -> None:
    """Well-formed answers of any other shape are refused as well."""
    with pytest.raises(SourceError):
        SOURCES[name].parse(json.dumps(document).encode())


@given(st.decimals(0, 10**11, allow_nan=False, allow_infinity=False, places=6), st.sampled_from(".,"))
def test_a_decimal_is_read_to_the_digit(value: Decimal, mark: str) -> None:
    """With point or comma, and its trailing zeros."""
    value = value.copy_abs()
    assert str(decimal_of(f"{value:f}".replace(".", mark))) == f"{value:f}"


@pytest.mark.parametrize(
    "text",
    ["", " ", "1,2,3", "1.2.3", "1.", ".5", "+1", "-1", "1e5", "NaN", "Infinity", "0x10", "1_000", "٣", "9" * 13],
)
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    """Python reads more than a source may write."""
    with pytest.raises(SourceError, match="parse"):
        decimal_of(text)


@given(st.text(max_size=30))
def test_no_text_is_read_as_another_number(text: str) -> None:
    """Whatever is read stands there in digits."""
    try:
        value = decimal_of(text)
    except SourceError:
        return
    assert set(text) <= set("0123456789.,")
    assert value == Decimal(text.replace(",", "."))
