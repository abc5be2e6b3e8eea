"""The fast path beside the ordinary one, by the million: python -m tests.bench.differential [REQUESTS [PROCESSES]].

Every request goes to the service with its fast path, with its cache alone, and with neither; the first difference in a
byte, a closed connection or a counter ends the run with what was said. Bytes of a Date apart, nothing is left out.
"""

from __future__ import annotations

import logging
import multiprocessing
import sys
import time
from random import Random
from typing import Any

import uvloop

from tests.support.differential import Differential, compare

# Of one seed; then the next one has services of its own.
PORTION = 50_000
# With "*" every origin is shown the same; with a list each its own.
SETTINGS: tuple[dict[str, Any], ...] = ({}, {"server__cors_origins": ["https://news.example", "https://two.example"]})


async def _portion(seed: int) -> tuple[int, int]:
    async with Differential(**SETTINGS[seed % len(SETTINGS)]) as all_:
        return await compare(all_, Random(seed), PORTION)  # noqa: S311 - to be run again


def portion(seed: int) -> tuple[int, int]:
    """Requests sent, and answered by the fast path."""
    # What is no HTTP is sent on purpose, thousands of times.
    logging.disable(logging.CRITICAL)
    try:
        return uvloop.run(_portion(seed))
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from None


def main() -> None:
    """As many as the command line says, ten million by default, in two processes."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    began, sent, at_once_all = time.monotonic(), 0, 0
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for told, at_once in pool.imap_unordered(portion, range(-(-wanted // PORTION))):
            sent, at_once_all = sent + told, at_once_all + at_once
            took = time.monotonic() - began
            print(f"{sent:10} requests alike, {at_once_all:9} by the fast path, {took:6.0f} s", flush=True)


if __name__ == "__main__":
    main()
