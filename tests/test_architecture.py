"""The laws of the house. A new room or library is a line in a table here, and a reason to think twice.

The table of who may import whom comes back when every room of the new house stands; until then these laws hold.
"""

from __future__ import annotations

import ast
import re

import pytest

from tests.support import module_imports

# What sources share: the values, what an adapter is and the reading tools.
SHARED = {"ticker.quotes", "ticker.sources.base"}
PURE = (
    *("quotes", "convert", "normalize", "validate", "select", "selection", "carry", "render", "rendering"),
    *("calendars", "sources"),
)
# What reaches outside the process or looks at a clock.
IMPURE = """
    asyncio concurrent ftplib glob http io locale logging mmap multiprocessing os pathlib random secrets select
    selectors shelve shutil signal smtplib socket socketserver sqlite3 ssl subprocess sys tempfile threading time
    urllib.request uuid aiohttp apscheduler redis ticker.log
"""
IMPURE_CALLS = re.compile(
    r"(?:^|.*\.)(?:open|print|input|now|utcnow|today|read_text|read_bytes|write_text|write_bytes|monotonic|sleep|getenv)"
)
ANSWERING = [
    room for room in ("board", "render", "rendering", "export", "web", "metrics") if room in module_imports.rooms()
]


@pytest.mark.parametrize("room", ANSWERING)
def test_nobody_who_answers_can_fetch(room: str) -> None:
    """A request cannot cause an upstream call, through whatever rooms it reaches."""
    run = [each for each in module_imports.imports() if each.top == "ticker" and not each.type_only]
    reached, new = set[str](), {each.importer for each in run if each.room == room}
    while new:
        reached |= new
        new = {each.module for each in run if each.importer in new} - reached
    assert not {module_imports.room(module) for module in reached} & {"fetch", "scheduling", "app"}


def test_a_source_imports_no_other_source() -> None:
    """What sources share stands in modules of its own; only the list of them knows them all."""
    for each in module_imports.imports():
        if each.room == "sources" and each.file != "sources/__init__.py" and each.top == "ticker":
            assert each.module in SHARED, each.file


@pytest.mark.parametrize("file", module_imports.inside(*PURE))
def test_a_pure_room_touches_neither_world_nor_clock(file: str) -> None:
    """Values in, values out: `now` is an argument, and so is everything that was read."""
    imported = {each.module for each in module_imports.imports() if each.file == file and not each.type_only}
    assert not (imported | {module.split(".")[0] for module in imported}) & set(IMPURE.split())
    assert not {call for call in module_imports.calls(module_imports.trees()[file]) if IMPURE_CALLS.fullmatch(call)}


@pytest.mark.parametrize("file", module_imports.inside(*PURE))
def test_a_pure_room_never_asks_where_the_machine_stands(file: str) -> None:
    """A time without a zone would be read in the machine's own."""
    for node in ast.walk(module_imports.trees()[file]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            lonely = {"astimezone": 0, "fromtimestamp": 1}.get(node.func.attr, -1)
            assert len(node.args) + len(node.keywords) > lonely, f"{file}:{node.lineno}"


@pytest.mark.parametrize("file", module_imports.trees())
def test_nothing_is_global(file: str) -> None:
    """No function writes to a global variable."""
    assert not [node for node in ast.walk(module_imports.trees()[file]) if isinstance(node, ast.Global)]
