"""A replica's name among replicas: unlike any other, and on one machine telling whether its process still is."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

# Where Linux tells what is running; elsewhere nobody is known to be gone, and leases run out instead.
_PROC = Path("/proc")


def named() -> str:
    """A name for this process: where it runs, its number, when it began, and something that nobody else has."""
    return f"{_place()}/{os.getpid()}/{_began(os.getpid()) or ''}/{secrets.token_hex(8)}"


def gone(holder: str) -> bool:
    """Whether the process that was `named` so ran here and is no more; False where that cannot be known."""
    place, _, rest = holder.rpartition("/")[0].partition("/")
    number, _, began = rest.partition("/")
    if not began or place != _place() or not number.isdecimal():
        return False
    return _began(int(number)) not in (began, None)


def _place() -> str:
    """This boot of this machine and the name space of its process numbers: a container has one of its own."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return secrets.token_hex(8)


def _began(number: int) -> str | None:
    """When the process began, in ticks since the boot; empty where there is none, None where it is hidden from us."""
    try:
        fields = (_PROC / str(number) / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None if _there(number) else ""
    # A zombie has ended; only its parent has not looked yet. A number that was given anew began at another time.
    return "" if fields[0] in {"Z", "X"} else fields[19]


def _there(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
