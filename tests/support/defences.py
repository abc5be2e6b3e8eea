"""What the service withstands, a row each: how it is brought about, what readers see, which test and which defence.

`uv run python -m tests.support.defences` writes the tables into tests/README.md; `uv run python -m tests.mutations`
takes away one defence after the other in a copy of the tree and shows that its test then fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tests.support.project_files import ROOT

PAGE = ROOT / "tests" / "README.md"


@dataclass(frozen=True, slots=True)
class Mutation:
    """A defence taken away: in `file`, a path of this repository, `old`, which stands there once, becomes `new`."""

    file: str
    old: str
    new: str

    def applied(self, text: str) -> str:
        """`text` without the defence. Raises ValueError where it does not stand there exactly once."""
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file}: {self.old!r} stands there {text.count(self.old)} times, not once")
        return text.replace(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: the first three are told in tests/README.md; `test` is pytest's name of the test that proves it."""

    name: str
    injected: str
    seen: str
    test: str
    mutation: Mutation


def markdown(rows: Iterable[Fault]) -> str:
    """The rows as a table for readers."""
    lines = [f"| {row.name} | {row.injected} | {row.seen} |" for row in rows]
    return "\n".join(("| what happens | brought about by | what is seen |", "| --- | --- | --- |", *lines))


def between(name: str) -> re.Pattern[str]:
    """Where the table `name` stands on the page."""
    return re.compile(rf"(?<=<!-- {name} -->\n)(.*?)(?=\n<!-- end of {name} -->)", re.DOTALL)


def main() -> None:
    """Write the tables into the page."""
    from tests.support.tables import TABLES  # noqa: PLC0415 - the one imports the other

    text = PAGE.read_text(encoding="utf-8")

    for name, rows in TABLES.items():
        # As pieces: a table may hold backslashes, which `sub` would read.
        before, _, after = between(name).split(text)
        text = f"{before}{markdown(rows)}{after}"
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
