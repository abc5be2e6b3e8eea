"""Wounded answers by the hundred thousand through every parser: what escapes, what is slow, what is greedy.

`uv run python -m tests.bench.mutations [--count N] [--seed S]`. Each answer is a sample in the source's own format with
bytes flipped, cut, doubled, spliced and exchanged. A parser may refuse (SourceError), or read numbers that stand in the
bytes; anything else, more than 100 ms of processor time or more than 50 MB is a finding.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from tests.support import wounds
from tests.support.answers import HISTORY, LIVE
from tests.support.upstreams import formats, forts, listing, yahoo
from ticker.quotes import SourceError
from ticker.sources import SOURCES, Extract

SLOW, GREEDY = 0.1, 50 * 1024
SCRAPS: tuple[bytes, ...] = tuple(b'" < > { } [ ] , . - 0 1e999 NaN null & ; true N/D -1 <!DOCTYPE&html> '.split())
SCRAPS += (b"9" * 40, b"\x00", b"\xff", b"\n", b"\xef\xbb\xbf", b"<!DOCTYPE html>", b"<!ENTITY a 'b'>", b"&a;")
NOON = datetime(2024, 11, 22, 12, tzinfo=forts.MOSCOW)
TABLE = {"USD": Decimal("100.6798"), "EUR": Decimal("106.0762")}
BRENT = Decimal("73.73")
TRIO = {
    "cbr": formats.cbr_daily(NOON.date(), TABLE),
    "cbr_mirror": formats.cbr_mirror(NOON.date(), NOON.date() - timedelta(days=1), NOON, TABLE, TABLE),
    "moex": forts.moex_forts(NOON, listing.contracts(NOON.date(), BRENT, BRENT)),
    "yahoo": yahoo.yahoo_chart("BZ=F", "USD", BRENT, NOON, BRENT, "FUTURE"),
}


def wounded(body: bytes, random: Random) -> bytes:
    """`body` after one to four accidents."""
    data = bytearray(body)
    for _ in range(random.randint(1, 4)):
        at, width = random.randrange(len(data) + 1), random.choice((1, 1, 2, 8, 64, 512))
        accident = random.randrange(6)
        if accident == 0:
            data[at : at + 1] = bytes([random.randrange(256)])
        elif accident == 1:
            del data[at : at + width]
        elif accident == 2:
            data[at:at] = random.choice(SCRAPS)
        elif accident == 3:
            data[at:at] = data[at : at + width] * random.choice((1, 2, 50))
        elif accident == 4:
            other = random.randrange(len(data) + 1)
            data[at : at + width] = data[other : other + width]
        else:
            del data[at:]
    return bytes(data)


def parsers() -> list[tuple[str, Callable[[bytes], Extract], bytes]]:
    """Every parser with a whole answer to wound."""
    found = [(source, SOURCES[source].parse, body) for source, body in {**TRIO, **LIVE}.items()]
    for source, body in HISTORY.items():
        found.append((f"{source} archive", SOURCES[source].parse_archive or SOURCES[source].parse, body))
    return found


def verdict(name: str, parse: Callable[[bytes], Extract], body: bytes) -> tuple[str, float]:
    """What became of one answer, and the seconds of processor time it took."""
    began = time.thread_time()
    try:
        ticks = parse(body).ticks
    except SourceError as error:
        return f"refused: {error.reason}", time.thread_time() - began
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"FOUND: {name}: {error!r}"[:200], time.thread_time() - began
    took = time.thread_time() - began
    # The previous price may be a difference (Uzbekistan and Kazakhstan publish the change); the price never is.
    invented = {tick.price for tick in ticks} - wounds.written(body)
    return (f"FOUND: {name}: a number nobody wrote" if invented else "read"), took


def main() -> None:
    """Wound and read; print what was found; exit 1 where there is anything."""
    given = argparse.ArgumentParser()
    given.add_argument("--count", type=int, default=1_000_000)
    given.add_argument("--seed", type=int, default=1)
    options = given.parse_args()
    random, verdicts, slowest = Random(options.seed), Counter[str](), 0.0  # noqa: S311 - reproducible
    every = parsers()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for i in range(options.count):
        name, parse, whole = every[i % len(every)]
        said, took = verdict(name, parse, wounded(whole, random))
        slowest = max(slowest, took)
        verdicts[said] += 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    out = [f"{count:>9}  {said}" for said, count in sorted(verdicts.items())]
    out.append(
        f"{options.count} answers over {len(every)} parsers; slowest {slowest * 1000:.1f} ms; grown {grown // 1024} MB"
    )
    sys.stdout.write("\n".join(out) + "\n")
    found = any(said.startswith("FOUND") for said in verdicts)
    sys.exit(found or slowest > SLOW or grown > GREEDY)


if __name__ == "__main__":
    main()
