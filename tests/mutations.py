"""Can each test of a defence fail? `uv run python -m tests.mutations [PART OF A NAME…]`, by hand: a few minutes.

One defence at a time is taken away in a copy of the tree, and the test that its row names is run there. In a network of
its own where the machine allows it (root, `unshare`): a mutant without its guard must not reach anybody.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.defences import Fault
from tests.support.project_files import ROOT, files
from tests.support.tables import TABLES

APART = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
# Of pytest: tests were run, and some failed.
RED, GREEN = 1, 0
PATIENCE = 240


def copied(to: Path) -> None:
    """Everything that git knows."""
    for file in files():
        (to / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, to / file)


def alone() -> Sequence[str]:
    """What begins a command that may reach this machine only."""
    allowed = subprocess.run((*APART, "true"), check=False, capture_output=True).returncode == 0
    return APART if allowed else ()


def run(tree: Path, test: str, apart: Sequence[str]) -> tuple[int, str]:
    """Pytest's exit code for `test` in `tree`, and its last line."""
    command = (*apart, sys.executable, "-m", "pytest", "-q", "-x", "--tb=native", "-p", "no:cacheprovider", test)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return RED, f"did not end in {PATIENCE} s"
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("FAILED", "ERROR", "E  "))]
    return done.returncode, said[-1] if said else done.stdout.strip().splitlines()[-1]


def verdict(row: Fault, tree: Path, apart: Sequence[str]) -> str:
    """Empty where the row's test passes with the defence in its place and fails without it."""
    file = tree / row.mutation.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(row.mutation.applied(whole), encoding="utf-8")
    try:
        code, said = run(tree, row.test, apart)
    finally:
        file.write_text(whole, encoding="utf-8")
    if code == RED:
        return ""
    return f"GREEN without its defence: {said}" if code == GREEN else f"not run (pytest says {code}): {said}"


def main() -> None:
    """One line a row; exit 1 where a test does not need its defence."""
    wanted = [part.lower() for part in sys.argv[1:]]
    rows = [(table, row) for table, each in TABLES.items() for row in each]
    chosen = [(t, row) for t, row in rows if not wanted or any(part in f"{t} {row.name}".lower() for part in wanted)]
    apart, found = alone(), 0
    print(f"{len(chosen)} rows; run as {shlex.join(apart) or 'anybody'}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copied(tree)
        for table, row in chosen:
            problem = verdict(row, tree, apart)
            found += bool(problem)
            print(
                f"{'ok   ' if not problem else 'WRONG'} {table}: {row.name} ({row.mutation.file}) {problem}", flush=True
            )
    print(f"{len(chosen) - found} passed, {found} failed")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
