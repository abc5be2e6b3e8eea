"""The format: a folder of files, one a day (UTC), one JSON object a line, only ever appended to.

The first line of a file says the format's version, every other one is one answer or failure::

    {"at": "2024-11-22T09:00:02.123456+00:00", "source": "cbr", "path": "/scripts/XML_daily.asp", "took": 0.142,
     "status": 200, "headers": {"Content-Type": "…"}, "charset": "windows-1251", "body": "<?xml …"}
    {"at": …, "source": "moex", "path": …, "took": 10.0, "failure": "timeout", "detail": "…", "retry_after": null}

`at` is when the answer was complete, `took` how many seconds it took. A body is text where its bytes are UTF-8 (no
`charset`) or round-trip through the `charset` named, else it is `base64`; `"same": true` is the body last written for
that path in the same file. Files may be gzipped (`.ndjson.gz`). `jq`, `grep` and `zcat` read all of it.
"""

from __future__ import annotations

import base64
import gzip
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ticker.quotes import Reason, SourceError
from ticker.values import Struct, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

VERSION = 1
HEAD = "ticker_recording"
_CYRILLIC = "windows-1251"


class Entry(Struct, frozen=True):
    """One answer, or one failure, of one request: `path` is behind the source's base address, with its query."""

    at: datetime
    source: str
    path: str
    took: float
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: SourceError | None = None


class Recording(Struct, frozen=True):
    """Everything that could be read, in order of time; `damage` says where something could not."""

    entries: tuple[Entry, ...]
    damage: tuple[str, ...]


def read(folder: Path) -> Recording:
    """All of the recording in `folder`. A line that was cut or damaged is left out and named. Raises OSError."""
    entries: list[Entry] = []
    damage: list[str] = []
    for file in sorted(folder.glob("*.ndjson*")):
        bodies: dict[tuple[str, str], bytes] = {}
        for number, line in enumerate(_lines(file), start=1):
            try:
                entry = parse(line, bodies)
            except (ValueError, KeyError, TypeError, AttributeError):
                how = "damaged" if line.endswith(b"\n") else "cut"
                damage.append(f"{file.name}, line {number}: {how}")
                continue
            if entry is not None:
                entries.append(entry)
    return Recording(tuple(sorted(entries, key=lambda entry: entry.at)), tuple(damage))


def _lines(file: Path) -> Iterator[bytes]:
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as opened:
        try:
            yield from opened
        except (EOFError, gzip.BadGzipFile):
            yield b"a cut gzip file"


def written(entry: Entry, bodies: dict[tuple[str, str], bytes]) -> bytes:
    """The entry as a line; `bodies` are those already in the file, and are kept up."""
    line: dict[str, Any] = {"at": entry.at.isoformat(), "source": entry.source, "path": entry.path, "took": entry.took}
    if entry.failure is not None:
        wait = entry.failure.retry_after
        line |= {"failure": entry.failure.reason, "detail": entry.failure.detail}
        line |= {"retry_after": None if wait is None else wait.total_seconds()}
    else:
        key = (entry.source, entry.path)
        body = {"same": True} if bodies.get(key) == entry.body else _body(entry.body)
        line |= {"status": entry.status, "headers": dict(entry.headers), **body}
        bodies[key] = entry.body
    # Half of a surrogate pair, as a header of odd bytes is read, is no text that a tool could read.
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def parse(line: bytes, bodies: dict[tuple[str, str], bytes]) -> Entry | None:
    """The entry of a line, None for a file's first one. Raises ValueError and its like for anything else."""
    tree = json.loads(line)
    if tree.get(HEAD, VERSION) != VERSION:
        raise ValueError(f"version {tree[HEAD]} of the format")
    if HEAD in tree:
        return None
    at = datetime.fromisoformat(tree["at"])
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    entry = Entry(at, str(tree["source"]), str(tree["path"]), float(tree["took"]))
    if "failure" in tree:
        wait = tree["retry_after"]
        after = None if wait is None else timedelta(seconds=wait)
        return replace(entry, failure=SourceError(Reason(tree["failure"]), tree["detail"], retry_after=after))
    key = (entry.source, entry.path)
    bodies[key] = bodies[key] if tree.get("same") else _bytes(tree)
    return replace(entry, status=int(tree["status"]), headers=dict(tree["headers"]), body=bodies[key])


def _body(body: bytes) -> dict[str, str]:
    for charset in ("utf-8", *([_CYRILLIC] if _CYRILLIC.encode() in body[:200].lower() else [])):
        try:
            text = body.decode(charset)
        except UnicodeDecodeError:
            continue
        if text.encode(charset) == body:
            return {"body": text} if charset == "utf-8" else {"charset": charset, "body": text}
    return {"base64": base64.b64encode(body).decode()}


def _bytes(tree: Mapping[str, str]) -> bytes:
    if "base64" in tree:
        return base64.b64decode(tree["base64"], validate=True)
    return tree["body"].encode(tree.get("charset", "utf-8"))
