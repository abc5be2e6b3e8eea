"""The laws of the house. A new room or library is a line in a table here, and a reason to think twice."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

from tests.support import module_imports
from tests.support.project_files import ROOT

# Who may import whom, at run time, in annotations and in functions alike. The arrows go one way.
MAY_IMPORT: dict[str, str] = {
    # values and types of fields
    "ticker": "",
    "fields": "",
    "clock": "",
    "log": "",
    "supervision": "log",
    "quotes": "fields",
    "calendars": "fields",
    "convert": "quotes",
    # what is configured: the models are read by whoever shows or does what they say
    "settings.errors": "",
    "settings.models": "ticker calendars fields quotes rendering.locales settings.errors storage",
    "settings.loader": "scheduling settings.errors settings.models sources",
    # from bytes to the board
    "sources": "quotes",
    "fetch": "quotes",
    "feeds": "calendars fetch normalize quotes settings.models sources",
    "normalize": "calendars quotes",
    "validate": "calendars quotes",
    "selection": "calendars quotes validate",
    "board": "overrides quotes",
    "evidence": "ticker calendars quotes selection storage",
    "corrections": "overrides quotes storage",
    "webhooks": "corrections log quotes rendering settings.models storage",
    "records": "board corrections evidence log polling quotes storage",
    "overrides": "quotes storage",  # a frozen number is kept as the store writes it
    "health": "clock log quotes supervision",
    "polling": "board calendars feeds fetch health log normalize quotes selection validate",
    "scheduling": "clock log settings.models",
    # what is kept, and who polls
    "storage": "calendars health log quotes supervision",
    "replicas": "board health log overrides polling quotes scheduling storage supervision",
    "backfill": "feeds fetch normalize quotes sources storage validate",
    "recording": "board clock fetch log polling quotes supervision",
    # what is shown
    "rendering.locales": "",
    "rendering": "calendars convert corrections health quotes rendering.locales settings.models storage",
    "metrics": "ticker calendars health quotes",
    "web": "ticker corrections evidence board convert health log metrics quotes rendering "
    "rendering.locales settings.models storage",
    "export": "board log quotes rendering storage",
    # what joins it
    "app": "corrections webhooks records backfill board calendars clock export feeds fetch health log metrics "
    "overrides polling quotes recording rendering replicas scheduling selection settings.loader "
    "settings.models sources storage web",
    "drill": "app clock feeds fetch metrics quotes scheduling settings.models sources storage",
    "cli": "corrections evidence ticker app backfill calendars clock drill export feeds fields log overrides "
    "quotes recording rendering rendering.locales settings.errors settings.loader settings.models sources storage "
    "supervision web",
    "__main__": "cli",
}
# Modules that stand in the table by themselves, because others may import them than may import the rest of their room.
ALONE = ("rendering.locales", "settings.errors", "settings.loader", "settings.models")
# The rooms in which a library's name may stand. One is the rule, each further one has its reason.
LIBRARIES: dict[str, str] = {
    "aiohttp": "fetch web app cli webhooks",  # the client; the server, its life (app), its runner (cli)
    "annotated_types": "fields quotes settings.models",  # bounds stand beside their fields
    "apscheduler": "scheduling",
    "babel": "rendering rendering.locales webhooks cli",  # a terminal's table names the locale it is written in
    "brotli": "rendering",
    "cachetools": "rendering web storage metrics",  # each bounded cache stands where its keys are known
    "defusedxml": "sources",
    "holidays": "calendars",
    "jinja2": "rendering",
    "markupsafe": "rendering",
    # The wire; what is kept and recorded; what is remembered and listed.
    "msgspec": "rendering storage selection overrides evidence corrections webhooks recording cli",
    "mcp": "cli",
    "mcp_types": "cli",
    "multidict": "web",
    "obstore": "export",
    "prometheus_client": "metrics",
    "pydantic": "settings.errors settings.loader settings.models rendering cli",  # what comes in; the wire; agents
    "redis": "storage",
    "resvg_py": "rendering",
    "rich": "cli",
    "standardwebhooks": "webhooks",
    "typer": "cli",
    "uvloop": "cli",
    "yarl": "fetch",
    "zstandard": "rendering",
}
# What a reader of the whole house meets. A feature may raise a ceiling, with a reason in its commit.
MODULES, LINES = 117, 24_866
TYPE_CHECKING_BLOCKS, LATE_IMPORTS = 20, 10

# What sources share: what an adapter is and its tools for reading.
SHARED = {"ticker.quotes", "ticker.sources.base"}
PURE = ("quotes", "fields", "convert", "normalize", "validate", "selection", "rendering", "calendars", "sources")
# What reaches outside the process or looks at a clock.
IMPURE = """
    asyncio concurrent ftplib glob http io locale logging mmap multiprocessing os pathlib random secrets select
    selectors shelve shutil signal smtplib socket socketserver sqlite3 ssl subprocess sys tempfile threading time
    urllib.request uuid aiohttp apscheduler redis ticker.log
"""
IMPURE_CALLS = re.compile(
    r"(?:^|.*\.)(?:open|print|input|now|utcnow|today|read_text|read_bytes|write_text|write_bytes|monotonic|sleep|getenv)"
)
# Parts of a service are made by the composer alone; whoever needs one is handed it.
COMPOSED = {"Board", "Fetcher", "Poller", "Timetable", "Replica", "ReplicaCoordinator", "Replayer", "StoreWriter"}
COMPOSED |= {"Renderer", "Exposition", "History", "ResponseCache", "RateLimiter", "ProcessHealth"}
# Where parts are joined: nothing is written there to what stands already but what the process is told of itself.
JOINING = ("app", "replicas", "cli")
TOLD = re.compile(r"(?:.*\.)?_?process_health\.\w+|timer\.daemon|report\.fields")
MUTATORS = "append add clear discard extend insert pop popitem remove setdefault update"


def line(module: str) -> str:
    """The line of the table that a module belongs to."""
    name = module.removeprefix("ticker.")
    return name if name in ALONE else module_imports.room(module)


def allowed(table: dict[str, str], name: str) -> set[str]:
    """The words of one line of a table."""
    return set(table.get(name, "").split())


def between_rooms() -> set[tuple[str, str]]:
    """Every arrow from one line of the table to another."""
    found = ((line(each.importer), line(each.module)) for each in module_imports.imports() if each.top == "ticker")
    return {(one, other) for one, other in found if one != other}


def test_every_room_stands_in_the_table() -> None:
    """A room nobody thought about, or one that is gone, is a fault; a package's docstring is no room."""
    found = {line(f"ticker.{file.removesuffix('.py').replace('/', '.')}") for file in module_imports.trees()}
    assert found - {"settings"} == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_whom_it_may_and_nobody_else(room: str) -> None:
    """Every arrow stands in the table, and the table allows none that nobody uses."""
    assert {other for one, other in between_rooms() if one == room} == allowed(MAY_IMPORT, room)


def test_there_is_no_circle_of_rooms() -> None:
    """Each line of the table could be built after those that it names."""
    built, left = set[str](), dict(MAY_IMPORT)
    while ready := [room for room in left if allowed(left, room) <= built]:
        built.update(ready)
        left = {room: others for room, others in left.items() if room not in built}
    assert not left


def test_there_is_no_circle_of_modules() -> None:
    """Imports of annotations and of functions count: who reads one file of a circle has to read them all."""
    arrows: dict[str, set[str]] = {}
    for each in module_imports.imports():
        if each.top == "ticker":
            arrows.setdefault(each.importer, set()).add(each.module)
    read, left = {module for targets in arrows.values() for module in targets} - arrows.keys(), dict(arrows)
    while ready := [module for module, targets in left.items() if targets <= read]:
        read.update(ready)
        left = {module: targets for module, targets in left.items() if module not in read}
    assert not left


@pytest.mark.parametrize("room", ["board", "rendering", "export", "web", "metrics"])
def test_nobody_who_answers_can_fetch(room: str) -> None:
    """A request cannot cause an upstream call, through whatever modules it reaches."""
    run = [each for each in module_imports.imports() if each.top == "ticker"]
    reached, new = set[str](), {each.importer for each in run if each.room == room}
    while new:
        reached |= new
        new = {each.module for each in run if each.importer in new} - reached
    fetching = {"fetch", "feeds", "polling", "scheduling", "sources", "app"}
    assert not {module_imports.room(module) for module in reached} & fetching


def test_a_source_imports_no_other_source() -> None:
    """What sources share stands in `base`; only the table of adapters knows them all."""
    for each in module_imports.imports():
        if each.room == "sources" and each.file != "sources/__init__.py" and each.top == "ticker":
            assert each.module in SHARED, each.file


def test_every_library_stands_in_the_table() -> None:
    """A library nobody gave a room, or one that nobody uses, is a fault."""
    assert {each.top for each in module_imports.foreign()} == set(LIBRARIES)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_stands_in_its_rooms_only(library: str) -> None:
    """To exchange a library is to rewrite the rooms of its line, and they are what they are said to be."""
    found = {line(each.importer) for each in module_imports.foreign() if each.top == library}
    assert found == allowed(LIBRARIES, library)


@pytest.mark.parametrize("file", module_imports.inside(*PURE))
def test_a_pure_room_touches_neither_world_nor_clock(file: str) -> None:
    """Values in, values out: `now` is an argument, and so is everything that was read."""
    imported = {each.module for each in module_imports.imports() if each.file == file}
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
def test_only_the_composer_builds_the_parts(file: str) -> None:
    """Whoever needs a part is handed it; nobody else makes one."""
    built = {call.split(".")[-1] for call in module_imports.calls(module_imports.trees()[file])} & COMPOSED
    assert not built or file == "app.py", built


@pytest.mark.parametrize("file", module_imports.inside(*JOINING))
def test_nothing_is_assigned_to_a_part_after_it_is_made(file: str) -> None:
    """What a part needs comes through its constructor."""
    attributes = [
        each for each in module_imports.assigned(module_imports.trees()[file]) if isinstance(each, ast.Attribute)
    ]
    outside = {ast.unparse(each) for each in attributes if ast.unparse(each.value) != "self"}
    assert not {each for each in outside if not TOLD.fullmatch(each)}


def test_no_two_classes_have_one_name() -> None:
    """A reader who meets a name knows what it is."""
    classes = (each for tree in module_imports.trees().values() for each in tree.body if isinstance(each, ast.ClassDef))
    times = Counter(each.name for each in classes)
    assert not {name for name, count in times.items() if count > 1}


@pytest.mark.parametrize("file", module_imports.trees())
def test_nothing_is_global(file: str) -> None:
    """No file keeps anything between two calls: its tables are constants, and nobody writes to them."""
    tree = module_imports.trees()[file]
    tables = {name for node in tree.body for name in module_imports.bound(node)}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
    assert not set(module_imports.written(tree, MUTATORS.split())) & tables


def test_what_is_cached_has_a_bound() -> None:
    """Functions that remember are pure and bounded."""
    for file, tree in module_imports.trees().items():
        for node in ast.walk(tree):
            decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
            for text in (ast.unparse(each) for each in decorators):
                if re.search(r"\b(?:lru_)?cache\b", text):
                    assert "maxsize=" in text and "None" not in text, file  # noqa: PT018 - one rule


def test_imports_stand_at_the_top() -> None:
    """A reader meets them once. One inside a function is for an optional extra or a system that lacks it."""
    assert len([each for each in module_imports.imports() if each.type_only]) == 0
    late = [each for each in module_imports.imports() if each.late]
    assert len(late) <= LATE_IMPORTS, late
    blocks = sum((ROOT / "ticker" / file).read_text().count("if TYPE_CHECKING:") for file in module_imports.trees())
    assert blocks <= TYPE_CHECKING_BLOCKS


def test_the_house_can_be_read() -> None:
    """So many files and lines and no more, without a reason."""
    files = [ROOT / "ticker" / file for file in module_imports.trees()]
    assert len(files) <= MODULES
    assert sum(len(file.read_text().splitlines()) for file in files) <= LINES
