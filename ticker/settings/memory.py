"""What has been found good, kept for the next start: to look through it again would be a quarter of that start.

It is a file beside the store (of a store elsewhere, in $CACHE_DIRECTORY where there is one). It counts only for the
very same layers, read by the same code; anything else about it that is not as it was written, and the configuration is
looked through as if there were none. No secret stands in it: keys and the store's address come from the layers again.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ticker import __version__
from ticker.settings.coded import coded, read
from ticker.settings.model import Settings

_SQLITE = "sqlite:///"
_PACKAGE = Path(__file__).resolve().parent.parent
# Whose rules they are: ours, and those of the libraries that are asked.
_RULES = ("settings", "calendars", "stores/redis", "sources/__init__.py", "schedule/cadence.py")
_LIBRARIES = ("pydantic", "holidays", "apscheduler")
# Ten times what three hundred instruments take.
_LARGEST = 4_000_000
_HIGHEST_PORT = 65_535


class Memory:
    """What is known of the layers that `tree` is made of, at `path`. No record, which would show the keys in there."""

    __slots__ = ("path", "tree")

    def __init__(self, path: Path, tree: Mapping[str, Any]) -> None:
        self.path, self.tree = path, tree

    def recall(self) -> Settings | None:
        """The settings that were found good for the same layers; none where nothing is known for certain."""
        # Whatever is there, it cannot be worse than nothing.
        with suppress(Exception):
            told, _, body = _bytes(self.path).partition(b"\n")
            if told == _digest(self.tree, body):
                found = read(json.loads(body), self.tree)
                return found if isinstance(found, Settings) else None
        return None

    def remember(self, settings: Settings) -> None:
        """Keep `settings` for the next start; that it cannot be done is no reason to complain, let alone to end."""
        with suppress(Exception):
            body = json.dumps(coded(settings, self.tree)).encode()
            _replace(self.path, _digest(self.tree, body) + b"\n" + body)


def memory_of(tree: Mapping[str, Any], environment: Mapping[str, str]) -> Memory | None:
    """Where the layers of `tree` are remembered; none where there is no place for it."""
    store = tree.get("store")
    url = store.get("url") if isinstance(store, dict) else None
    if isinstance(url, str) and url.startswith(_SQLITE):
        return Memory(Path(f"{url.removeprefix(_SQLITE)}.settings"), tree)
    cache = environment.get("CACHE_DIRECTORY", "").partition(":")[0]
    return Memory(Path(cache, "ticker.settings"), tree) if cache and url != "memory://" else None


def _digest(tree: Mapping[str, Any], body: bytes) -> bytes:
    """One for all that went in and what came of it."""
    parts = (__version__, sys.version, *_marks(), repr(_without_door(tree)))
    known = hashlib.sha256("\0".join(parts).encode(errors="backslashreplace"))
    known.update(b"\0" + body)
    return known.hexdigest().encode()


def _marks() -> list[str]:
    """Size and time of every file that has a say, so that another version of one voids what an older has found."""
    files = [Path(spec.origin) for name in _LIBRARIES if (spec := find_spec(name)) and spec.origin]
    # By its name a version is told even where a build gives every file one date.
    files += [each for file in files for each in file.parents[1].glob(f"{file.parent.name}-*.dist-info")]
    for place in (_PACKAGE / name for name in _RULES):
        files += sorted(place.glob("*.py")) if place.is_dir() else [place]
    return [f"{file} {(about := file.stat()).st_size} {about.st_mtime_ns}" for file in files]


def _without_door(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """`tree` without host and port where every rule allows them: each start may be told others."""
    server = tree.get("server")
    if not isinstance(server, dict) or server.get("metrics_port") is not None:
        return tree
    host, port = server.get("host"), server.get("port")
    if type(host) is not str or type(port) is not int or not 0 <= port <= _HIGHEST_PORT:
        return tree
    return {**tree, "server": {**server, "host": "", "port": None}}


def _bytes(path: Path) -> bytes:
    """What a file says that nobody else could have written. Raises OSError for another."""
    with open(path, "rb", opener=_opened) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o022:
            raise PermissionError(path)
        return file.read(_LARGEST)


def _opened(path: str, flags: int) -> int:
    # Neither through a link nor waiting for whoever holds the other end of a pipe.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open(new, "xb", opener=_private) as file:
            file.write(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
