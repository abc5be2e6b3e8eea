"""Everything that is too long for every change, one part after the other: `python -m tests.sweep [--quick] [PART…]`.

Each part is a command of its own with a bound in time, its whole output is kept in `build/sweep/`, and its last line is
what it found. A table closes the run, and what each part found is written into tests/README.md with its date. `--quick`
runs each part small, in some minutes, to see that all of them work; it writes nothing. Exit 1 where a part failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.support.defences import PAGE, between
from tests.support.project_files import ROOT

LOGS = ROOT / "build" / "sweep"
# A part that is told to stop has this long to end what it has started.
GRACE = 10
PYTEST = ("pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "--tb=short")


@dataclass(frozen=True, slots=True)
class Part:
    """One command: what it shows, its arguments after `python -m`, those of a quick run, its bound in minutes."""

    name: str
    shows: str
    whole: tuple[str, ...]
    quick: tuple[str, ...]
    minutes: float
    # A file of the repository without which there is no such part.
    file: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a part."""

    part: Part
    passed: bool
    said: str
    seconds: float


PARTS = (
    Part(
        "mutations",
        "each defence taken away turns its test red",
        ("tests.mutations",),
        ("tests.mutations", "entities", "future"),
        90,
    ),
    Part(
        "differential",
        "the fast path and the ordinary one answer alike, byte for byte",
        ("tests.bench.differential", "1000000", "2"),
        ("tests.bench.differential", "50000", "1"),
        30,
    ),
    Part(
        "backtest",
        "wrong numbers are stopped and right ones shown, years long",
        ("tests.sweep.honest", "backtest", "400"),
        ("tests.sweep.honest", "backtest", "1"),
        60,
    ),
    Part(
        "year",
        "every minute of 2025 and 2026: nothing old is fresh, nothing fresh is called old",
        ("tests.sweep.honest", "year", "104"),
        ("tests.sweep.honest", "year", "1"),
        60,
    ),
    Part(
        "cold start",
        "an empty store, and somebody wrong",
        ("tests.sweep.honest", "coldstart", "5"),
        ("tests.sweep.honest", "coldstart", "1", "--every", "40"),
        40,
    ),
    Part(
        "parsers",
        "wounded answers: nothing escapes, nothing is invented",
        ("tests.bench.mutations", "--count", "1000000"),
        ("tests.bench.mutations", "--count", "5000"),
        30,
    ),
    Part(
        "properties",
        "hypothesis' tests with fifty times the examples",
        (*PYTEST, "-m", "hypothesis", "--hypothesis-profile=sweep", "--timeout", "1800"),
        (*PYTEST, "-m", "hypothesis", "tests/rendering/test_locales.py"),
        60,
    ),
    Part(
        "languages",
        "every locale of CLDR with its countries: fragment, page, JSON",
        ("tests.sweep.languages",),
        ("tests.sweep.languages", "--every", "40"),
        20,
    ),
    Part(
        "foreign hosts",
        "WordPress, Apache, Varnish, React, Vue, htmx; clients that were generated",
        (*PYTEST, "tests/hosts", "tests/contract"),
        (*PYTEST, "tests/hosts/test_apache.py"),
        20,
    ),
    Part(
        "chaos",
        "replicas killed, stopped, cut off, starved, under load",
        ("tests.sweep.chaos",),
        ("tests.sweep.chaos", "--quick"),
        60,
        file="tests/sweep/chaos.py",
    ),
)


def run(part: Part, command: Sequence[str], minutes: float) -> Result:
    """Run one part to its end, or to the end of its time."""
    log, began = LOGS / f"{part.name.replace(' ', '-')}.txt", time.monotonic()
    environment = {**os.environ, "TICKER_REQUIRE_ALL": "1", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            (sys.executable, "-m", *command),
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(minutes * 60)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            end(process)
    took = time.monotonic() - began
    if code is None:
        return Result(part, passed=False, said=f"did not end in {minutes:g} minutes; {last(log)}", seconds=took)
    return Result(part, passed=code == 0, said=last(log), seconds=took)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a part and whatever it has started: it leads a session of its own."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, ending)
            process.wait(GRACE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def last(log: Path) -> str:
    """The last line that a part said; pytest frames its own."""
    lines = [line.strip(" =") for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "said nothing")


def table(results: Sequence[Result]) -> Table:
    """The closing table, for a terminal."""
    made = Table("part", "", "minutes", "what it found")
    for each in results:
        made.add_row(each.part.name, "ok" if each.passed else "FAILED", f"{each.seconds / 60:.1f}", each.said)
    return made


def kept(before: str, results: Sequence[Result], day: str) -> str:
    """The table for tests/README.md: what was `before` in it, with the rows of `results` in place of older ones."""
    rows = {line.split("|")[1].strip(): line for line in before.splitlines() if line.startswith("| ")}
    for each in results:
        said = f"{'' if each.passed else '**failed**: '}{each.said.replace('|', '/')}"
        rows[each.part.name] = f"| {each.part.name} | {each.part.shows} | {said} | {each.seconds / 60:.0f} | {day} |"
    head = ["| part | what is to be shown | what was found | minutes | on |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *(rows[part.name] for part in PARTS if part.name in rows)])


def main() -> None:
    """Run the parts that were asked for, all by default."""
    parts = [part for part in PARTS if not part.file or (ROOT / part.file).is_file()]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(part.name for part in parts))
    parser.add_argument("--quick", action="store_true", help="each part small; nothing is written")
    given = parser.parse_args()
    chosen = [part for part in parts if not given.parts or part.name in given.parts]
    if unknown := {*given.parts} - {part.name for part in parts}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(p.name for p in parts)}")
    LOGS.mkdir(parents=True, exist_ok=True)
    out, results = Console(), list[Result]()
    for part in chosen:
        out.print(f"{part.name}: {part.shows}", highlight=False, soft_wrap=True)
        result = run(part, part.quick if given.quick else part.whole, 10 if given.quick else part.minutes)
        out.print(f"  {result.said}", markup=False, highlight=False, soft_wrap=True)
        results.append(result)
    out.print(table(results))
    if not given.quick:
        before, rows, after = between("sweep").split(PAGE.read_text(encoding="utf-8"))
        PAGE.write_text(f"{before}{kept(rows, results, f'{datetime.now(UTC):%-d %B %Y}')}{after}", encoding="utf-8")
    sys.exit(0 if all(each.passed for each in results) else 1)


if __name__ == "__main__":
    main()
