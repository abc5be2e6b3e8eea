"""The project's own files, as a clone has them."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Left out where git cannot tell, because there is none: an unpacked archive in which tests have run.
LEFT_BEHIND = {".git", ".hypothesis", ".uv", ".venv", "build", "dist", "node_modules", "uv.lock", "var"}


@cache
def files() -> tuple[Path, ...]:
    """What is committed or would be, relative to ROOT."""
    return _by_git() or _by_walk()


def _by_git() -> tuple[Path, ...]:
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(Path(name) for name in names if (ROOT / name).is_file())


def _by_walk() -> tuple[Path, ...]:
    every = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return tuple(path for path in every if path.parts[0] not in LEFT_BEHIND and not _is_cache(path))


def _is_cache(path: Path) -> bool:
    return any(part == "__pycache__" or part.endswith("_cache") for part in path.parts)
