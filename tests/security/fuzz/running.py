"""What the three have in common: seeds in a folder, coverage of our code, libFuzzer's options."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

LONGEST = 20_000


def fuzz(one: Callable[[bytes], None], seeds: Iterable[bytes]) -> None:
    """Feed `one` until the time given is over or it raises. Does not return: libFuzzer ends the process."""
    folder = Path(tempfile.mkdtemp(prefix="seeds-"))
    for number, seed in enumerate(seeds):
        (folder / f"{number:04}").write_bytes(seed)
    os.chdir(folder)  # what it finds is written here
    sys.stderr.write(f"seeds, and what is found: {folder}\n")
    given = sys.argv[1:] or ["-max_total_time=600"]
    atheris.Setup([sys.argv[0], f"-max_len={LONGEST}", *given, str(folder)], one)
    atheris.Fuzz()
