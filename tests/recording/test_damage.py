"""Damaged recordings: whatever stands in a line or a file, it is named, and the rest is read."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker import recording
from ticker.recording import Entry, parse, read

GOOD = {"at": "2024-11-22T09:00:00+00:00", "source": "cbr", "path": "/x", "took": 0.1, "status": 200, "headers": {}}
FAILED = {"at": "2024-11-22T09:00:00+00:00", "source": "cbr", "path": "/x", "took": 0.1, "failure": "timeout"}
DAMAGED = {
    "unknown charset": {**GOOD, "body": "x", "charset": "klingon"},
    "charset of no text": {**GOOD, "body": "x", "charset": "rot13"},
    "charset that grows": {**GOOD, "body": "x", "charset": "punycode"},
    "endless wait": {**FAILED, "detail": "x", "retry_after": 1e308},
    "no wait": {**FAILED, "detail": "x", "retry_after": float("nan")},
    "negative wait": {**FAILED, "detail": "x", "retry_after": -5},
    "year one": {**GOOD, "at": "0001-01-01T00:00:00+14:00", "body": "x"},
    "last year": {**GOOD, "at": "9999-12-31T23:59:59-12:00", "body": "x"},
    "no zone": {**GOOD, "at": "2024-11-22T09:00:00", "body": "x"},
    "took for ever": {**GOOD, "took": float("inf"), "body": "x"},
    "headers of no text": {**GOOD, "headers": {"A": 5}, "body": "x"},
    "detail of no text": {**FAILED, "detail": 5, "retry_after": None},
    "status of no answer": {**GOOD, "status": 10**400, "body": "x"},
    "a list": [],
}


def line(tree: object) -> bytes:
    """The tree as a line."""
    return json.dumps(tree).encode() + b"\n"


def written(folder: Path, *lines: bytes, name: str = "2024-11-22.ndjson") -> Path:
    """A recording of these lines."""
    (folder / name).write_bytes(b"".join(lines))
    return folder


@pytest.mark.parametrize("tree", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_line_is_named_and_the_rest_is_read(tmp_path: Path, tree: object) -> None:
    """By file and number; no traceback."""
    found = read(written(tmp_path, line({**GOOD, "body": "a"}), line(tree), line({**GOOD, "body": "b"})))
    assert [each.body for each in found.entries] == [b"a", b"b"]
    assert found.damage == ("2024-11-22.ndjson, line 2: damaged",)


def test_brackets_without_end_are_a_damaged_line(tmp_path: Path) -> None:
    """Python's own reader gives up with an error that is no ValueError."""
    found = read(written(tmp_path, b"[" * 100_000 + b"\n", line({**GOOD, "body": "b"})))
    assert (len(found.entries), found.damage) == (1, ("2024-11-22.ndjson, line 1: damaged",))


def test_only_files_are_read(tmp_path: Path) -> None:
    """A named pipe would be waited for without end; a folder is none."""
    os.mkfifo(tmp_path / "pipe.ndjson")
    (tmp_path / "folder.ndjson").mkdir()
    found = read(written(tmp_path, line({**GOOD, "body": "b"})))
    assert len(found.entries) == 1
    assert sorted(found.damage) == ["folder.ndjson: no file", "pipe.ndjson: no file"]


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    """As on a bad disk: this one opens and gives an error for its first byte."""
    written(tmp_path, line({**GOOD, "body": "x"}))
    (tmp_path / "bad.ndjson").symlink_to("/proc/self/mem")
    found = read(tmp_path)
    assert (len(found.entries), found.damage) == (1, ("bad.ndjson, line 1: cut",))


def test_a_gzip_bomb_is_put_out_before_it_has_grown(tmp_path: Path) -> None:
    """A line is read up to a size, a file up to a size: the rest is named and passed over."""
    with gzip.open(tmp_path / "bomb.ndjson.gz", "wb", compresslevel=1) as file:
        for _ in range(100):
            file.write(b" " * 1_000_000)
    written(tmp_path, line({**GOOD, "body": "b"}))
    tracemalloc.start()
    found = read(tmp_path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.entries) == 1
    assert found.damage == ("bomb.ndjson.gz, line 1: too long",)
    assert most < 3 * recording.MAX_LINE_BYTES


def test_a_file_of_nothing_but_damage_is_given_up(tmp_path: Path) -> None:
    """Millions of damaged lines would be millions of sentences."""
    (tmp_path / "lines.ndjson.gz").write_bytes(gzip.compress(b"\n" * 10_000_000, 1))
    found = read(tmp_path)
    assert len(found.damage) == 1001
    assert found.damage[-1] == "lines.ndjson.gz: too much damage, the rest is left out"


def test_a_cut_gzip_file_gives_what_is_whole(tmp_path: Path) -> None:
    """As after a full disk; a damaged one ends where it is damaged."""
    whole = gzip.compress(b"".join(line({**GOOD, "body": f"{n:032d}"}) for n in range(2000)))
    written(tmp_path, whole[: len(whole) // 2], name="cut.ndjson.gz")
    written(tmp_path, whole[:40] + bytes(8) + whole[48:], name="spoilt.ndjson.gz")
    found = read(tmp_path)
    assert found.entries
    assert {each.partition(",")[0] for each in found.damage} == {"cut.ndjson.gz", "spoilt.ndjson.gz"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [*GOOD, "body", "charset", "base64", "same", "failure", "detail", "retry_after", "ticker_recording"]


@given(
    st.sampled_from([{**GOOD, "body": "x"}, {**FAILED, "detail": "x", "retry_after": 5}]),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3),
)
def test_any_line_is_an_entry_or_a_refusal(good: dict[str, object], spoilt: dict[str, object]) -> None:
    """Whatever stands in a field."""
    _parsed(json.dumps({**good, **spoilt}).encode())


@given(st.binary(max_size=64))
def test_any_bytes_are_an_entry_or_a_refusal(data: bytes) -> None:
    """Whatever a disk made of it."""
    _parsed(data)


def _parsed(data: bytes) -> None:
    try:
        found = parse(data, {})
    except recording.DAMAGE:
        return
    if isinstance(found, Entry):
        # What is taken can be put in order, moved to, and told.
        assert found.at.timestamp() > 0
        assert found.took >= 0
        assert isinstance(found.body, bytes)
        assert found.failure is None or isinstance(found.failure.detail, str)
