"""What the service withstands, a row each: how it is brought about, what readers see, which test and which defence.

`uv run python -m tests.support.defences` writes the tables into tests/README.md; `uv run python -m tests.mutations`
takes away one defence after the other in a copy of the tree and shows that its test then fails.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeGuard

from tests.support.project_files import ROOT

PAGE = ROOT / "tests" / "README.md"


@dataclass(frozen=True, slots=True)
class Mutation:
    """A defence taken away: within `target`, the code `old` becomes `new`, or goes where `new` is empty.

    `target` is a module and a qualified name in it ("ticker.fetch:Fetcher.get"), so that a defence is found wherever
    its file has moved to. `old` is an expression, a statement or a keyword argument, and is compared as code: layout
    and comments do not matter. A file that is not Python is named by its path, and `old` is its text.
    """

    target: str
    old: str
    new: str

    @property
    def file(self) -> str:
        """The path of the file, from the root of the repository."""
        module = self.target.partition(":")[0]
        if "/" in module:
            return module
        path = module.replace(".", "/")
        return f"{path}.py" if (ROOT / f"{path}.py").is_file() else f"{path}/__init__.py"

    def applied(self, text: str) -> str:
        """`text`, the whole file, without the defence. Raises ValueError where it does not stand there exactly once."""
        if not self.file.endswith(".py"):
            if text.count(self.old) != 1:
                raise ValueError(f"{self.file}: {self.old!r} stands there {text.count(self.old)} times, not once")
            return text.replace(self.old, self.new)
        found = [node for node in ast.walk(self._named(ast.parse(text))) if self._is_old(node)]
        if len(found) != 1:
            raise ValueError(f"{self.target}: {self.old!r} stands there {len(found)} times, not once")
        first, end = positions(text, found[0])
        if not self.new and text[end:].lstrip().startswith(","):
            end = text.index(",", end) + 1
        return text[:first] + textwrap.indent(self.new, " " * found[0].col_offset).lstrip() + text[end:]

    def _named(self, tree: ast.Module) -> ast.AST:
        node: ast.AST = tree
        for part in filter(None, self.target.partition(":")[2].split(".")):
            node = next((each for each in ast.iter_child_nodes(node) if part in names(each)), tree)
            if node is tree:
                raise ValueError(f"{self.target}: there is no such name")
        return node

    def _is_old(self, node: ast.AST) -> TypeGuard[ast.expr | ast.stmt | ast.keyword]:
        if not isinstance(node, ast.expr | ast.stmt | ast.keyword) or isinstance(node, ast.Expr):
            return False
        return ast.unparse(node) == normalized(self.old)


def names(node: ast.AST) -> set[str]:
    """What a definition or an assignment is called."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {each.id for each in targets if isinstance(each, ast.Name)}


def normalized(code: str) -> str:
    """`code` as `ast.unparse` writes it: an expression, a statement or a keyword argument."""
    try:
        return ast.unparse(ast.parse(code, mode="eval"))
    except SyntaxError:
        pass
    tree = ast.parse(code)
    match tree.body:
        case [ast.Assign(targets=[ast.Name(name)], value=value)] if code.startswith(f"{name}="):
            return f"{name}={ast.unparse(value)}"
    return ast.unparse(tree)


def positions(text: str, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
    """Where `node` begins and ends in `text`, in characters; ast counts bytes of a line."""
    lines = text.splitlines(keepends=True)
    starts = [0, *accumulate(len(line) for line in lines)]
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    first = len(lines[node.lineno - 1].encode()[: node.col_offset].decode())
    last = len(lines[end_line - 1].encode()[:end_column].decode())
    return starts[node.lineno - 1] + first, starts[end_line - 1] + last


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
