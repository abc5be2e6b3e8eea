from __future__ import annotations

import gzip
import threading
from datetime import datetime, timedelta
from pathlib import Path

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import HOUR, NOON
from ticker.export import files
from ticker.export.exporter import target_of
from ticker.export.files import KEPT, Folder, Output, TargetError, Trust, digests_in, outputs_of
from ticker.rendering.representation import JSON, Representation

STATUS = Output(b"{}", JSON, KEPT)
SECOND = timedelta(seconds=1)


def outputs(**texts: str) -> dict[str, Output]:
    """Pages of these texts in a folder `en`, in every coding."""
    tree = {f"en/{name}.html": Representation(text.encode(), "text/html", NOON) for name, text in texts.items()}
    return outputs_of(tree, {})


def held(root: Path) -> set[str]:
    """The files there, without those that tell of the others."""
    found = {each.relative_to(root).as_posix() for each in root.rglob("*") if each.is_file()}
    return found - {"manifest.json", "status.json", ".lock"}


async def test_every_file_has_its_codings_beside_it(tmp_path: Path) -> None:
    """By the endings that a server of files looks for, readable for others, and a manifest that names them all."""
    assert await Folder(tmp_path / "new").write(outputs(one="first")) == 3
    root = tmp_path / "new"
    assert held(root) == {"en/one.html", "en/one.html.gz", "en/one.html.br"}
    assert (root / "en/one.html").read_text() == "first"
    assert gzip.decompress((root / "en/one.html.gz").read_bytes()) == b"first"
    assert brotli.decompress((root / "en/one.html.br").read_bytes()) == b"first"
    assert digests_in((root / "manifest.json").read_bytes()).keys() == held(root)
    assert (root / "en/one.html").stat().st_mode & 0o444 == 0o444


async def test_what_has_not_changed_keeps_its_time(tmp_path: Path) -> None:
    """And what has changed gets another second, however fast it came: a server's tag is the second and the size."""
    target = Folder(tmp_path)
    await target.write(outputs(one="first", two="100"))
    one, two = tmp_path / "en/one.html", tmp_path / "en/two.html"
    before = one.stat(), two.stat()
    for text in ("101", "102"):
        assert await target.write(outputs(one="first", two=text)) == 3
        assert (one.stat().st_mtime_ns, one.stat().st_ino) == (before[0].st_mtime_ns, before[0].st_ino)
        assert int(two.stat().st_mtime) > int(before[1].st_mtime)
        before = one.stat(), two.stat()


async def test_what_is_no_longer_exported_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """What the manifest does not name is somebody else's."""
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "theirs.txt").write_text("theirs")
    (tmp_path.parent / "outside.txt").write_text("theirs")
    await Folder(tmp_path).write({**outputs(one="first"), "ru/one.html": Output(b"x", "text/html", KEPT)})
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"ru/one.html"', '"../outside.txt": "0", "ru/one.html"'))
    await Folder(tmp_path).write(outputs(two="second"))
    assert held(tmp_path) == {"en/two.html", "en/two.html.gz", "en/two.html.br", "en/theirs.txt"}
    assert not (tmp_path / "ru").exists()
    assert (tmp_path.parent / "outside.txt").exists()


async def test_a_file_of_an_exporter_that_was_killed_is_swept(tmp_path: Path) -> None:
    """It stands aside under a name that nobody asks for, and the next exporter takes it away."""
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / ".one.html.part").write_text("<ul class")
    await Folder(tmp_path).write(outputs(one="first"))
    assert not (tmp_path / "en" / ".one.html.part").exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"files": []}', '{"files": {"a": 3}}', "\x00"])
async def test_a_manifest_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    """Everything is compared with the files themselves."""
    (tmp_path / "manifest.json").write_text(text)
    assert await Folder(tmp_path).write(outputs(one="first")) == 3
    assert len(digests_in((tmp_path / "manifest.json").read_bytes())) == 3


async def test_a_folder_that_cannot_be_written_is_named_with_the_mend(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(TargetError) as raised:
        await Folder(tmp_path / "taken").write(outputs(one="first"))
    assert str(tmp_path / "taken") in raised.value.detail
    assert raised.value.mend


def trust(now: datetime, *, valid: datetime | None, lease: timedelta, marked: datetime | None) -> Trust:
    """What an exporter says at `now`."""
    return Trust(now, None, valid, now + lease, marked)


@given(st.integers(0, 5000), st.integers(0, 300), st.integers(0, 300), st.integers(0, 20_000))
def test_no_name_outlives_what_was_said(
    tmp_path_factory: pytest.TempPathFactory, began: int, valid: int, lease: int, marked: int
) -> None:
    """Names of both kinds end no later than the earliest of all that ends them, and go on without a gap from now."""
    root = tmp_path_factory.mktemp("names")
    now = NOON + began * SECOND
    until = now + min(valid, lease) * SECOND
    said = trust(now, valid=now + valid * SECOND, lease=lease * SECOND, marked=now + marked * SECOND)
    Folder(root)._confirm(STATUS, said)
    for name, seconds, end in (("live", 10, until), ("late", 1000, now + marked * SECOND)):
        numbers = sorted(int(each.name) for each in (root / name).iterdir())
        first = int(now.timestamp()) // seconds
        assert numbers == list(range(first, first + len(numbers)))
        assert all((number + 1) * seconds <= end.timestamp() for number in numbers)
        assert len(numbers) >= (end - now).total_seconds() // seconds - 1


async def test_names_of_the_past_and_of_what_is_no_longer_so_are_taken_away(tmp_path: Path) -> None:
    """Said anew for a shorter time, the longer one does not stand."""
    target = Folder(tmp_path)
    await target.write(outputs(one="first"))
    await target.confirm(STATUS, trust(NOON, valid=None, lease=HOUR, marked=NOON + HOUR))
    assert len(list((tmp_path / "live").iterdir())) == 360
    await target.confirm(STATUS, trust(NOON, valid=NOON + 20 * SECOND, lease=HOUR, marked=None))
    assert {each.name for each in (tmp_path / "live").iterdir()} == {
        str(int(NOON.timestamp()) // 10 + n) for n in (0, 1)
    }
    assert list((tmp_path / "late").iterdir()) == []
    assert (tmp_path / "live" / str(int(NOON.timestamp()) // 10)).readlink().as_posix() == "../now"


async def test_two_exporters_never_write_one_file_at_a_time(tmp_path: Path) -> None:
    """The second is told so, and tried again it finds the first one done."""
    with files._alone(tmp_path):
        with pytest.raises(TargetError, match="another exporter"):
            await Folder(tmp_path).write(outputs(one="first"))
    assert await Folder(tmp_path).write(outputs(one="first")) == 3


def test_an_address_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A folder may be called anything; what looks like an address is one of three."""
    assert isinstance(target_of(str(tmp_path)), Folder)
    for where in ("ftp://host/x", "s3://", "http://host", "S3://bucket", "s3:/bucket/x", "gs:bucket"):
        with pytest.raises(ValueError, match="s3://BUCKET"):
            target_of(where)


def test_a_file_is_never_seen_half(tmp_path: Path) -> None:
    """A reader who reads all the time sees one whole text or the other."""
    target, seen, stop = Folder(tmp_path), set[bytes](), threading.Event()
    whole = {name * 20_000 for name in (b"a", b"b")}
    target._write({"file": Output(min(whole), "text/plain", KEPT)})

    def read() -> None:
        while not stop.is_set():
            seen.add((tmp_path / "file").read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    rounds = 0
    while rounds < 20 or not seen >= whole:
        rounds += 1
        for body in whole:
            target._write({"file": Output(body, "text/plain", KEPT)})
    stop.set()
    reader.join()
    assert seen == whole
