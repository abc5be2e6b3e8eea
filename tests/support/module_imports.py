"""The rooms of the house as their own source shows them: what each imports, calls and keeps."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.project_files import ROOT


@dataclass(frozen=True, slots=True)
class Import:
    """`module` is imported by a file; `type_only` where the name is there for type checkers alone.

    It is `late` where it stands inside a function.
    """

    file: str
    module: str
    type_only: bool
    late: bool

    @property
    def importer(self) -> str:
        """The module that imports, by its dotted name."""
        return f"ticker.{self.file.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")

    @property
    def room(self) -> str:
        """The room that imports."""
        return room(self.importer)

    @property
    def top(self) -> str:
        """The distribution's import name, or "ticker"."""
        return self.module.split(".")[0]


def room(module: str) -> str:
    """The top-level module or package of ticker that `module` belongs to; "ticker" for the package itself."""
    parts = [part for part in module.split(".") if part != "__init__"]
    return parts[1] if len(parts) > 1 else "ticker"


@cache
def trees() -> dict[str, ast.Module]:
    """Every file of ticker, by its path below `ticker/`."""
    return {_name(path): ast.parse(path.read_text()) for path in sorted((ROOT / "ticker").rglob("*.py"))}


def rooms() -> set[str]:
    """Every room there is."""
    return {room(f"ticker.{file.removesuffix('.py').replace('/', '.')}") for file in trees()}


def inside(*names: str) -> list[str]:
    """The files of the rooms `names`."""
    return [file for file in trees() if file.split("/")[0].removesuffix(".py") in names]


@cache
def imports() -> tuple[Import, ...]:
    """Every import statement of ticker; `from ticker import x` counts as `ticker.x` where that is a module."""
    return tuple(found for file, tree in trees().items() for found in _imports(file, tree))


def foreign() -> tuple[Import, ...]:
    """The imports of what is neither ours nor Python's own."""
    return tuple(each for each in imports() if each.top not in {*sys.stdlib_module_names, "ticker"})


def calls(tree: ast.AST) -> set[str]:
    """The dotted names of everything that is called, without arguments: "datetime.now", "open", ".read_text"."""
    return {_dotted(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def _name(path: Path) -> str:
    return path.relative_to(ROOT / "ticker").as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def assigned(tree: ast.AST) -> Iterator[ast.expr]:
    """Everything that is assigned to, each of several by itself."""
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else targets
        for target in targets:
            yield from target.elts if isinstance(target, ast.Tuple) else [target]


def bound(node: ast.AST) -> Iterator[str]:
    """The names that a statement of a module binds."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return (target.id for target in targets if isinstance(target, ast.Name))


def written(tree: ast.AST, mutators: Collection[str]) -> Iterator[str]:
    """Names that functions of the file assign into or call one of the `mutators` of."""
    for function in functions(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
                yield ast.unparse(node.value)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in mutators:
                yield ast.unparse(node.func.value)


def _imports(file: str, tree: ast.Module) -> Iterator[Import]:
    typing = {id(node) for block in ast.walk(tree) if _is_typing(block) for node in ast.walk(block)}
    late = {id(node) for function in functions(tree) for node in ast.walk(function)}
    for node in ast.walk(tree):
        for module in _modules(node):
            yield Import(file, module, id(node) in typing, id(node) in late)


def _is_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom) or node.module is None:
        return []
    dotted = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name if _is_module(name) else node.module for name in dotted]


def _is_module(dotted: str) -> bool:
    path = ROOT / dotted.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""
