"""The laws of the house. A new room or library is a line in a table here, and a reason to think twice."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import rooms

if TYPE_CHECKING:
    from collections.abc import Iterator

# Who may import whom at run time. The values (`quotes`) go everywhere; the arrows of the design go one way.
MAY_IMPORT: dict[str, str] = {
    "values": "",
    "ticker": "",
    "quotes": "",
    "clock": "",
    "threads": "",
    "log": "",
    "calendars": "",
    "sources": "quotes",
    "fetch": "quotes",
    "normalise": "quotes",
    "validate": "quotes",
    "select": "quotes validate",
    "board": "",
    "health": "log",
    "vitals": "log clock health",
    "schedule": "log clock",  # a clock that is set
    # What it hides of the key in an answer, the client and a recording hide too.
    "feeds": "quotes fetch normalise sources",
    "carry": "quotes validate",
    "poll": "quotes carry feeds normalise validate select health",
    "stores": "log quotes health threads",
    "replicas": "log quotes stores",
    "history": "quotes select stores",
    "backfill": "quotes normalise stores validate",
    "recording": "log quotes fetch",
    "render": "quotes convert",
    "web": "log quotes health vitals render history stores convert",
    "metrics": "ticker quotes health vitals",
    "export": "log history stores render",
    "settings": "ticker calendars sources stores",  # whose version it is; adapters there are; how a Redis is addressed
    "keys": "settings sources",
    "facts": "",
    "convert": "quotes",
    "configured": "quotes calendars keys settings feeds schedule select",
    "app": "ticker quotes clock configured facts keys fetch poll schedule board stores history backfill recording "
    "export render replicas vitals web metrics",
    "cli": "log ticker quotes clock keys settings stores recording render export app threads",
    "__main__": "cli",
}
# What a record is made of: every room has some.
EVERY = {"values"}
# What else a room may name in annotations: the parts that the composer hands to it.
MAY_NAME: dict[str, str] = {
    "normalise": "calendars",
    "validate": "calendars",
    "select": "calendars",
    "feeds": "calendars fetch sources",
    "carry": "calendars",
    "poll": "board calendars fetch",
    "history": "calendars",
    "backfill": "feeds fetch sources",
    "export": "board",
    "facts": "settings",
    "recording": "board clock fetch poll",
    "render": "facts health history stores",
    "replicas": "board health poll schedule vitals",
    "web": "board facts metrics",
    "cli": "backfill feeds recording",
    "metrics": "health web",
    "app": "feeds settings",
}
# The rooms in which a library's name may stand. One is the rule, each further one has its reason.
LIBRARIES: dict[str, str] = {
    "aiohttp": "fetch web app cli",  # client; server, its life (app), its runner (cli)
    "apscheduler": "schedule",
    "brotli": "render",
    "cachetools": "render history",
    "defusedxml": "sources",
    "holidays": "calendars",
    "jinja2": "render",
    "markupsafe": "render",
    "msgspec": "values",
    "obstore": "export",
    "prometheus_client": "metrics",
    "pydantic": "settings render",  # what comes in by configuration; the models and the schema of what goes out
    "redis": "stores",
    "rich": "cli",
    "typer": "cli",
    "typing_extensions": "render",
    "uvloop": "cli",
    "yarl": "fetch",
    "zstandard": "render",
}
# For annotations only: what a library hands out has to be called by its name.
LIBRARIES_NAMED: dict[str, str] = {}

# What no start imports.
LATER = {
    "apscheduler",
    "defusedxml",
    "holidays",
    "jinja2",
    "markupsafe",
    "prometheus_client",
    "pydantic",
    "redis",
    "rich",
    "zstandard",
}

# What sources share: what an adapter is, reading tools, the ways in which the exchange and the Bank write.
SHARED = {
    "ticker.quotes",
    "ticker.values",
    *(f"ticker.sources.{name}" for name in ("adapter", "base", "digits", "iss", "series", "sheet", "table")),
}

PURE = ("quotes", "convert", "normalise", "validate", "select", "carry", "render", "calendars", "sources")
# What reaches outside the process or looks at a clock.
IMPURE = """
    asyncio concurrent ftplib glob http io locale logging mmap multiprocessing os pathlib random secrets select
    selectors shelve shutil signal smtplib socket socketserver sqlite3 ssl subprocess sys tempfile threading time
    urllib.request uuid aiohttp apscheduler redis ticker.log
"""
IMPURE_CALLS = re.compile(
    r"(?:^|.*\.)(?:open|print|input|now|utcnow|today|read_text|read_bytes|write_text|write_bytes|monotonic|sleep|getenv)"
)
COMPOSED = {"Board": "app", "Fetcher": "app", "Poller": "app", "Timetable": "app", "Renderer": "app"}
# What the configuration says, as values; still nothing that runs.
COMPOSED |= {"Replica": "app", "Following": "app"}
COMPOSED |= {"Plan": "configured", "Feed": "configured"}
# A cache of a pure function is no state that anybody can notice; it must have a bound.
CACHED = {
    "calendars/holidays.py",
    "render/cldr/__init__.py",
    "render/locales.py",
    "render/series.py",
    "stores/coding.py",
}
MUTATORS = "append add clear discard extend insert pop popitem remove setdefault update"


def allowed(table: dict[str, str], name: str) -> set[str]:
    """The words of one line of a table."""
    return set(table.get(name, "").split())


def test_every_room_stands_in_the_table() -> None:
    """A room nobody thought about, or one that is gone, is a fault."""
    assert rooms.rooms() == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_whom_it_may(room: str) -> None:
    """Every arrow between rooms stands in the table, at run time and for types alike."""
    found = [each for each in rooms.imports() if each.room == room and each.top == "ticker"]
    for each in found:
        may = (
            {room}
            | EVERY
            | allowed(MAY_IMPORT, room)
            | (allowed(MAY_NAME, room) | {"quotes"} if each.type_only else set())
        )
        assert rooms.room(each.module) in may, f"{each.file} imports {each.module}"


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_the_table_allows_nothing_that_nobody_does(room: str) -> None:
    """A permission that is not used any more is withdrawn."""
    found = [each for each in rooms.imports() if each.room == room and each.top == "ticker"]
    run, typed = ({rooms.room(each.module) for each in found if each.type_only is only} for only in (False, True))
    assert allowed(MAY_IMPORT, room) <= run
    assert allowed(MAY_NAME, room) <= typed


@pytest.mark.parametrize("room", ["board", "render", "export", "web", "metrics"])
def test_nobody_who_answers_can_fetch(room: str) -> None:
    """A request cannot cause an upstream call, through whatever rooms it reaches."""
    reached, new = set[str](), {room}
    while new:
        reached |= new
        run = {each for each in rooms.imports() if each.room in new and each.top == "ticker" and not each.type_only}
        new = {rooms.room(each.module) for each in run} - reached
    assert not reached & {"fetch", "poll", "schedule", "sources", "app"}


def test_a_source_imports_no_other_source() -> None:
    """What sources share stands in modules of its own; only the list of them knows them all."""
    for each in rooms.imports():
        if each.room == "sources" and each.file != "sources/__init__.py" and each.top == "ticker":
            # A source of several markets is a package: its own parts are not another source.
            own = f"ticker.{each.file.rpartition('/')[0].replace('/', '.')}"
            assert each.module in SHARED or (own != "ticker.sources" and each.module.startswith(own)), each.file


def test_every_library_stands_in_the_table() -> None:
    """A library nobody gave a room, or one that nobody uses, is a fault."""
    assert {each.top for each in rooms.foreign()} == set(LIBRARIES)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_stands_in_its_rooms_only(library: str) -> None:
    """To exchange a library is to rewrite the rooms of its line, and they are what they are said to be."""
    found = [each for each in rooms.foreign() if each.top == library]
    named = {each.room for each in found if each.type_only} - allowed(LIBRARIES, library)
    assert {each.room for each in found} - named == allowed(LIBRARIES, library)
    assert named == allowed(LIBRARIES_NAMED, library)


@pytest.mark.parametrize("file", rooms.inside(*PURE))
def test_a_pure_room_touches_neither_world_nor_clock(file: str) -> None:
    """Values in, values out: `now` is an argument, and so is everything that was read."""
    imported = {each.module for each in rooms.imports() if each.file == file and not each.type_only}
    assert not (imported | {module.split(".")[0] for module in imported}) & set(IMPURE.split())
    assert not {call for call in rooms.calls(rooms.trees()[file]) if IMPURE_CALLS.fullmatch(call)}


@pytest.mark.parametrize("file", rooms.inside(*PURE))
def test_a_pure_room_never_asks_where_the_machine_stands(file: str) -> None:
    """A time without a zone would be read in the machine's own."""
    for node in ast.walk(rooms.trees()[file]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            lonely = {"astimezone": 0, "fromtimestamp": 1}.get(node.func.attr, -1)
            assert len(node.args) + len(node.keywords) > lonely, f"{file}:{node.lineno}"


def test_only_the_composer_builds_the_parts() -> None:
    """Who needs a part is handed it; nobody else makes one."""
    for file, tree in rooms.trees().items():
        for built in {call.split(".")[-1] for call in rooms.calls(tree)} & COMPOSED.keys():
            assert file.split("/")[0].removesuffix(".py") == COMPOSED[built], f"{file} builds {built}"


@pytest.mark.parametrize("file", rooms.trees())
def test_nothing_is_global(file: str) -> None:
    """No file keeps anything between two calls: its tables are constants, and nobody writes to them."""
    tree = rooms.trees()[file]
    tables = {name for node in tree.body for name in _bound(node)}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
    assert not set(_written(tree)) & tables
    lowercase = {name for node in tree.body if _is_container(node) for name in _bound(node) if name.upper() != name}
    assert not lowercase - {"__all__"}


def test_a_start_imports_no_library_that_the_first_answer_does_without() -> None:
    """Every rollout and every restart waits for it; the rest is imported by the function that needs it."""
    code = "import sys, ticker.cli, ticker.cli.serving; print(*{each.partition('.')[0] for each in sys.modules})"
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert LIBRARIES.keys() >= LATER
    assert not LATER & set(done.stdout.split())


def test_no_answer_waits_for_the_models_library() -> None:
    """What renders and answers is checked against the models before it runs; only the OpenAPI document reads them."""
    rooms_of = "ticker.web, ticker.render.catalogue, ticker.render.conversion, ticker.render.page, ticker.render.series"
    done = subprocess.run(
        (sys.executable, "-c", f"import sys, {rooms_of}; print(*sys.modules)"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ticker.render.wire" in done.stdout.split()
    assert not {"pydantic", "pydantic_core"} & set(done.stdout.split())


def test_what_is_cached_has_a_bound() -> None:
    """Functions that remember are few, pure and bounded."""
    found = set()
    for file, tree in rooms.trees().items():
        for node in ast.walk(tree):
            decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
            texts = [ast.unparse(each) for each in decorators if "cache" in ast.unparse(each)]
            assert all("maxsize=" in text and "None" not in text for text in texts), file
            found |= {file} if texts else set()
    assert found == CACHED


def _bound(node: ast.AST) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return (target.id for target in targets if isinstance(target, ast.Name))


def _is_container(node: ast.AST) -> bool:
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    made = isinstance(value, ast.Call) and ast.unparse(value.func) in {"dict", "list", "set", "Counter", "deque"}
    return made or isinstance(value, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp)


def _written(tree: ast.Module) -> Iterator[str]:
    """Names that functions of the file assign into or call a mutating method of."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
                yield ast.unparse(node.value)
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in MUTATORS.split()
            ):
                yield ast.unparse(node.func.value)
