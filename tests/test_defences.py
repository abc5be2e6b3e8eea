"""The tables of what the service withstands are true: told in tests/README.md, tested, and each test able to fail."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tests.support.defences import PAGE, Fault, between, markdown
from tests.support.project_files import ROOT
from tests.support.tables import TABLES

ROWS = [(table, row) for table, rows in TABLES.items() for row in rows]
each_row = pytest.mark.parametrize("row", [row for _, row in ROWS], ids=[f"{table}: {row.name}" for table, row in ROWS])


@pytest.mark.parametrize("table", TABLES)
def test_the_page_has_the_table_as_it_is(table: str) -> None:
    """Word for word; `python -m tests.support.defences` writes it."""
    (told,) = between(table).findall(PAGE.read_text(encoding="utf-8"))
    assert told == markdown(TABLES[table])


def test_no_row_is_told_twice() -> None:
    """Each has a name of its own."""
    assert [name for name, count in Counter(row.name for _, row in ROWS).items() if count > 1] == []


@each_row
def test_its_test_is_there(row: Fault) -> None:
    """The function is in the file that the row names."""
    file, _, name = row.test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name.partition("[")[0] in functions


@each_row
def test_its_defence_is_there(row: Fault) -> None:
    """The code that the mutation takes away stands in its target once; `python -m tests.mutations` takes it away."""
    whole = (ROOT / row.mutation.file).read_text(encoding="utf-8")
    without = row.mutation.applied(whole)
    assert without != whole
    if row.mutation.file.endswith(".py"):
        ast.parse(without)  # what cannot be imported shows nothing
