"""The service, with one more thread that tells what the process holds when a line comes on standard input.

`python -m tests.bench.soak.inside serve …` is `ticker serve …`; with the soak's own arguments it is the soak's service.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import gc
import json
import sys
import threading
from typing import Any

from cachetools import Cache

from tests.bench.soak import service
from ticker import cli

_FIELDS = ["arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"]


class Mallinfo(ctypes.Structure):
    """What glibc's allocator tells of itself: bytes got from the kernel, in use, free, and by mmap."""

    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS]


def allocator() -> dict[str, float]:
    """MB in use and free in glibc's heap, and mapped for big blocks."""
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = Mallinfo
    info = libc.mallinfo2()
    return {"used": info.uordblks / 2**20, "free": info.fordblks / 2**20, "mapped": info.hblkhd / 2**20}


def sqlite() -> float:
    """MB that SQLite holds: pages, mostly."""
    library = ctypes.CDLL("libsqlite3.so.0")
    library.sqlite3_memory_used.restype = ctypes.c_int64
    return int(library.sqlite3_memory_used()) / 2**20


def caches(objects: list[Any]) -> dict[str, int]:
    """How many entries each cache of ours holds, by a name that says where it is."""
    found: dict[str, int] = {}
    wrapper = type(functools.lru_cache(maxsize=1)(len))
    for each in objects:
        if isinstance(each, wrapper):
            if str(each.__module__).startswith(("ticker", "babel", "yarl", "aiohttp")):
                name = f"{each.__module__}.{each.__qualname__}"
                found[name] = found.get(name, 0) + each.cache_info().currsize
        elif isinstance(each, Cache):
            name = f"{type(each).__name__}({each.maxsize:g})"
            found[name] = found.get(name, 0) + len(each)
        elif str(type(each).__module__).startswith("ticker"):
            for name, value in _fields(each):
                if isinstance(value, (dict, set, list)) and len(value) > 0:
                    place = f"{type(each).__name__}.{name}"
                    found[place] = max(found.get(place, 0), len(value))
    return found


def _fields(each: object) -> list[tuple[str, object]]:
    slots = [name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ())]
    names = {*getattr(each, "__dict__", ()), *slots}
    return [(name, getattr(each, name, None)) for name in names]


def told() -> dict[str, Any]:
    """Everything, as JSON can say it."""
    gc.collect()
    gc.unfreeze()
    objects = gc.get_objects()
    loops = [each for each in objects if isinstance(each, asyncio.AbstractEventLoop)]
    kinds: dict[str, int] = {}
    for each in objects:
        kinds[type(each).__name__] = kinds.get(type(each).__name__, 0) + 1
    return {
        "objects": len(objects),
        "blocks": sys.getallocatedblocks(),
        "tasks": sum(len(asyncio.all_tasks(loop)) for loop in loops),
        "caches": caches(objects),
        "kinds": {name: count for name, count in kinds.items() if count > 200},
        "sqlite": sqlite(),
        **allocator(),
    }


def answer() -> None:
    """One line of JSON for each that comes."""
    for _ in sys.stdin:
        print(json.dumps(told()), flush=True)


def main() -> None:
    """Serve."""
    threading.Thread(target=answer, daemon=True).start()
    if sys.argv[1] == "serve":
        cli.main()
    else:
        service.main()


if __name__ == "__main__":
    main()
