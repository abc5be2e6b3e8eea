"""One body ready to be sent."""

from __future__ import annotations

import gzip

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.upstream import NOON
from ticker.rendering.representation import Representation


def of(body: bytes) -> Representation:
    """A representation of `body`."""
    return Representation(body, "text/plain", NOON)


@given(st.binary(max_size=2000))
def test_every_coding_gives_the_body_back(body: bytes) -> None:
    """Nothing is lost on the way."""
    made = of(body)
    assert made.encoded("identity") == body
    assert gzip.decompress(made.encoded("gzip")) == body
    assert brotli.decompress(made.encoded("br")) == body


@given(st.lists(st.binary(max_size=400), unique=True, min_size=2, max_size=5))
def test_other_bytes_have_another_tag(bodies: list[bytes]) -> None:
    """In each coding and between them: strong tags are of what is sent."""
    tags = [of(body).etag(coding) for body in bodies for coding in ("identity", "gzip", "zstd", "br")]
    assert len(set(tags)) == len(tags)


def test_the_same_bytes_have_the_same_tag_and_the_same_forms() -> None:
    """Two replicas, or one after a restart, agree with each other's clients."""
    one, other = of(b"x" * 999), of(b"x" * 999)
    for coding in ("identity", "gzip", "zstd", "br"):
        assert (one.etag(coding), one.encoded(coding)) == (other.etag(coding), other.encoded(coding))


def test_a_tag_is_a_quoted_string() -> None:
    """Of the characters that RFC 9110 lets stand in one."""
    assert of(b"").etag("identity").startswith('"')
    assert of(b"").etag("br").endswith('-br"')


def test_a_small_body_is_sent_as_it_is() -> None:
    """Compression would make it longer."""
    assert of(b"x" * 255).codings == ("identity",)
    assert of(b"x" * 256).codings == ("br", "zstd", "gzip", "identity")


def test_a_form_is_made_once() -> None:
    """And only when it is asked for."""
    made = of(b"x" * 999)
    assert made.encoded("br") is made.encoded("br")
    assert "gzip" not in made._made


def test_another_coding_is_an_error() -> None:
    """It was not offered."""
    with pytest.raises(KeyError):
        of(b"").encoded("deflate")
