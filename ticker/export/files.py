"""What is written: each representation in its codings, and the two files that tell of all the others."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path, PurePath
from typing import Protocol

from ticker.quotes import Quote, Snapshot, Status
from ticker.rendering.html import STYLES
from ticker.rendering.renderer import Renderer, View
from ticker.rendering.representation import JSON, Representation
from ticker.rendering.schemas import utc
from ticker.storage.base import Point

MANIFEST, STATUS = "manifest.json", "status.json"
# The ending of a file in a coding, as gzip_static and brotli_static look for it.
CODINGS = {"identity": "", "gzip": ".gz", "br": ".br"}
# A written file cannot count down to the end of its numbers, so nobody keeps a copy of it for a later failure.
KEPT = "public, max-age=15, stale-while-revalidate=30"
STEADY = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"
FRESH = "no-cache"


@dataclass(frozen=True, slots=True)
class Output:
    """One file or object: its bytes and what HTTP is to say of them."""

    body: bytes
    content_type: str
    cache_control: str
    coding: str = "identity"

    @property
    def digest(self) -> str:
        """What tells these bytes, so labelled, from any others."""
        label = f"{self.content_type}\n{self.cache_control}\n{self.coding}\n".encode()
        return hashlib.blake2b(label + self.body, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Trust:
    """How long what is written may be believed, and by whom it is said.

    `changes_at` is when it may change next at the earliest; `valid_until` is when time alone makes its words untrue,
    None for never; `trusted_until` is until when the exporter vouches that there is nothing newer; `marked_until` is
    when the first number is past its age altogether.
    """

    now: datetime
    changes_at: datetime | None
    valid_until: datetime | None
    trusted_until: datetime
    marked_until: datetime | None


def outputs_of(tree: Mapping[str, Representation], steady: Mapping[str, Representation]) -> dict[str, Output]:
    """The files of `tree`, and the `steady` ones that follow from the configuration, each also in gzip and br."""
    kept = {path: (each, KEPT) for path, each in tree.items()} | {path: (each, STEADY) for path, each in steady.items()}
    return {
        f"{path}{ending}": Output(made.encoded(coding), made.content_type, cache, coding)
        for path, (made, cache) in kept.items()
        for coding, ending in CODINGS.items()
    }


def manifest_of(digests: Mapping[str, str | None]) -> Output:
    """The list of what is there. A path without a digest is just being written."""
    body = json.dumps({"files": dict(sorted(digests.items()))}, indent=1)
    return Output(f"{body}\n".encode(), JSON, FRESH)


def digests_in(manifest: bytes) -> dict[str, str | None]:
    """The digests by path of a manifest, as `manifest_of` wrote it; none of one that cannot be read."""
    try:
        found = json.loads(manifest)["files"]
        return {str(path): digest for path, digest in found.items() if not digest or isinstance(digest, str)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def status_of(snapshot: Snapshot, langs: tuple[str, ...], trust: Trust) -> Output:
    """What there is to know of an export without reading it all: of when it is and how long that holds."""
    body = {
        "version": snapshot.version,
        "generated_at": utc(snapshot.generated_at),
        "status": str(snapshot.status),
        "next_change_at": utc(trust.changes_at),
        "valid_until": utc(trust.valid_until),
        "confirmed_at": utc(trust.now),
        "trusted_until": utc(trust.trusted_until),
        "languages": list(langs),
    }
    return Output(f"{json.dumps(body)}\n".encode(), JSON, FRESH)


# Where an export goes: a folder, or a store of objects by the scheme of its address.


class TargetError(Exception):
    """The target does not take what is written to it: what happened, and the mend."""

    def __init__(self, detail: str, mend: str) -> None:
        super().__init__(f"{detail}; {mend}")
        self.detail = detail
        self.mend = mend


class Target(Protocol):
    """Takes outputs by path, each whole or not at all. Every method raises TargetError."""

    renewal: timedelta
    """How often it is told that the exporter lives."""

    async def begin(self) -> None:
        """See whether it takes anything at all, before much is done for it."""

    async def write(self, outputs: Mapping[str, Output]) -> int:
        """Make it hold `outputs` and nothing else that an export wrote; how many had to be written."""

    async def confirm(self, status: Output, trust: Trust) -> None:
        """Say how long what it holds may be believed."""


# A folder as a target: every file whole (written aside, synced, renamed), the unchanged ones untouched.
#
# Whoever gives the files out must not do so when nobody vouches for them any more. A server of files knows the time
# but not a file's age, so there is a name for each stretch of time in which it may: `live/N` for the ten seconds
# numbered N since 1970, a link to `now`, and `late/N` for the thousand seconds, a link to `marked`. A dead exporter
# makes no new ones.


LIVE, LATE = 10, 1000
# Links of `late/` ahead: nobody reads marked numbers for longer than this.
_FARTHEST = timedelta(days=14)
_MEND = "name a folder that this user may write to, with room in it"
_SECOND = 1_000_000_000


class Folder:
    """Writes below `root`, which it makes where it is missing."""

    renewal = timedelta(seconds=5)

    def __init__(self, root: Path) -> None:
        self._root = root
        self._swept = False

    async def begin(self) -> None:
        """Make the folder, and see that it can be written to. Raises TargetError."""
        await asyncio.to_thread(self._begin)

    async def write(self, outputs: Mapping[str, Output]) -> int:
        """Write what is new, remove what an earlier export left. Raises TargetError."""
        return await asyncio.to_thread(self._write, outputs)

    async def confirm(self, status: Output, trust: Trust) -> None:
        """Make the names of the time to come, and remove those of the past and of what is no longer so."""
        await asyncio.to_thread(self._confirm, status, trust)

    def _begin(self) -> None:
        with _told(self._root), _alone(self._root):
            pass

    def _write(self, outputs: Mapping[str, Output]) -> int:
        with _told(self._root), _alone(self._root):
            for path in () if self._swept else outputs:
                _aside(self._root / path).unlink(missing_ok=True)
            self._swept = True
            before = digests_in(_read(self._root / MANIFEST) or b"")
            manifest = manifest_of({path: output.digest for path, output in outputs.items()})
            written = [path for path, output in outputs.items() if self._put(path, output.body)]
            for path in before.keys() - outputs.keys():
                self._remove(path)
            self._put(MANIFEST, manifest.body)
            # Those in which a folder was made as well.
            for folder in {PurePath(), *(each for path in written for each in PurePath(path).parents)}:
                _sync(self._root / folder)
            return len(written)

    def _confirm(self, status: Output, trust: Trust) -> None:
        with _told(self._root), _alone(self._root):
            until = min(filter(None, (trust.valid_until, trust.trusted_until)))
            self._link("live", "now", LIVE, trust.now, until)
            self._link("late", "marked", LATE, trust.now, min(trust.marked_until or trust.now, trust.now + _FARTHEST))
            self._put(STATUS, status.body)

    def _put(self, path: str, body: bytes) -> bool:
        """Make `path` hold `body`; False where it did."""
        file = self._root / path
        if _read(file) == body:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = _aside(file)
        with aside.open("wb") as handle:
            handle.write(body)
            handle.flush()
            os.fsync(handle.fileno())
        _date(aside, file)
        aside.replace(file)
        return True

    def _remove(self, path: str) -> None:
        file = self._root / path
        # A manifest that somebody has written by hand leads nowhere else.
        if self._root.resolve() not in file.resolve().parents:
            return
        file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            for folder in file.relative_to(self._root).parents[:-1]:
                (self._root / folder).rmdir()

    def _link(self, name: str, to: str, seconds: int, now: datetime, until: datetime) -> None:
        """Links below `name` for every whole stretch of `seconds` that ends by `until`, and no others."""
        folder = self._root / name
        folder.mkdir(exist_ok=True)
        first, end = int(now.timestamp()) // seconds, int(until.timestamp()) // seconds
        wanted, there = {str(number) for number in range(first, end)}, {each.name for each in folder.iterdir()}
        for stretch in there - wanted:
            (folder / stretch).unlink(missing_ok=True)
        for stretch in wanted - there:
            (folder / stretch).symlink_to(f"../{to}")


def _aside(file: Path) -> Path:
    """Where a file is while it is not whole; an exporter that was killed leaves it there."""
    return file.with_name(f".{file.name}.part")


def _date(aside: Path, file: Path) -> None:
    """Never two contents of one second: a server's tag of a file is its second and its size."""
    with contextlib.suppress(FileNotFoundError):
        before, now = file.stat().st_mtime_ns, aside.stat().st_mtime_ns
        if now // _SECOND <= before // _SECOND:
            later = (before // _SECOND + 1) * _SECOND
            os.utime(aside, ns=(later, later))


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _sync(folder: Path) -> None:
    """Make the renames in `folder` outlive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Two exporters that write one file aside at the same time would make one half of it each."""
    root.mkdir(parents=True, exist_ok=True)
    handle = os.open(root / ".lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise TargetError(f"{root}: another exporter is writing there", "one folder has one exporter") from None
    finally:
        os.close(handle)


@contextlib.contextmanager
def _told(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or root
        raise TargetError(f"cannot write to {where}: {error.strerror or error}", _MEND) from error


# A file cannot grow old by itself, so each number is there in four ways: below LANG/ every number tells of when it is;
# below now/LANG/ stands what the service says, for as long as somebody vouches for it; below marked/LANG/ the same
# numbers marked as stale, for when nobody does any more; and below gone/LANG/ no number at all.

# What a widget of a style is called.
WIDGETS = {style: "widget.html" if style == "plain" else f"widget-{style}.html" for style in STYLES}

# Milliseconds between two looks at a file of events.
POLLED = 15_000


def tree_of(
    renderer: Renderer,
    snapshot: Snapshot,
    langs: Iterable[str],
    now: datetime,
    past: Mapping[str, Sequence[Point]] | None = None,
) -> dict[str, Representation]:
    """The files of `snapshot` as it stands at `now`, by path; `past` are the lines to draw, by symbol."""
    shown = [each for lang in langs for each in _views(snapshot, lang, now)]
    made = {path: renderer.render_uncached(board, view, past) for path, board, view in shown}
    return {path: _paced(each) if path.endswith("/stream") else each for path, each in made.items()}


def _paced(events: Representation) -> Representation:
    """A file of events ends at once; who listens asks again after the pause that it names (HTML, 9.2.6)."""
    return replace(events, body=b"retry: %d\n" % POLLED + events.body)


def marked(snapshot: Snapshot) -> Snapshot:
    """The same numbers, none of them fresh: nobody has looked since whether there are newer ones."""
    quotes = (replace(q, status=Status.STALE) if q.status is Status.FRESH else q for q in snapshot.quotes)
    return replace(snapshot, version=snapshot.version + 1, quotes=tuple(quotes))


def gone(snapshot: Snapshot) -> Snapshot:
    """The same instruments without a number."""
    return replace(snapshot, version=0, quotes=tuple(Quote(quote.instrument) for quote in snapshot.quotes))


def _views(snapshot: Snapshot, lang: str, now: datetime) -> Iterator[tuple[str, Snapshot, View]]:
    old = marked(snapshot)
    stale = any(quote.status is Status.STALE for quote in snapshot.quotes)
    # As the service's own handler has it.
    hour = now.replace(minute=0, second=0, microsecond=0) if stale else None
    for folder in (lang, f"now/{lang}"):
        yield from _json(f"{folder}/v1", snapshot, lang)
        yield f"{folder}/v1/stream", snapshot, View("event", lang=lang)
    yield from _json(f"marked/{lang}/v1", old, lang)
    for style, name in WIDGETS.items():
        yield f"{lang}/{name}", snapshot, View("widget", lang=lang, style=style, dated=True)
        yield f"now/{lang}/{name}", snapshot, View("widget", lang=lang, style=style, hour=hour)
        yield f"marked/{lang}/{name}", old, View("widget", lang=lang, style=style, dated=True)
        yield f"gone/{lang}/{name}", gone(snapshot), View("widget", lang=lang, style=style)


def _json(folder: str, snapshot: Snapshot, lang: str) -> Iterator[tuple[str, Snapshot, View]]:
    yield f"{folder}/quotes.json", snapshot, View("quotes", lang=lang)
    for quote in snapshot.quotes:
        yield f"{folder}/quotes/{quote.symbol}.json", snapshot, View("quote", (quote.symbol,), lang)
