"""A data directory is copied while it is written to, and put back as it was."""

import io
import shutil
import tarfile
import threading
from pathlib import Path

import msgspec
import pytest

from bascule.compose import open_store
from bascule.config.shape import Config
from bascule.model.errors import StoreError
from bascule.offline.audit import read_trail
from bascule.offline.rows import documents
from bascule.offline.verify import verify_ledger
from bascule.storage.backup import MANIFEST, Manifest, back_up, restore
from bascule.storage.drainer import Drainer
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.keys import open_pepper
from bascule.storage.recover import recover
from bascule.testing.ledger import NOON_MS, a_settlement, an_intent

RELEASE = Path(__file__).parents[2] / "fixtures" / "release-0.1.0"


def ignored(done: int, total: int) -> None:
    """The progress of a test."""


def copy_of(data_dir: Path, archive: Path) -> Manifest:
    return back_up(data_dir, archive, made_ms=NOON_MS, program="1.2.3", progress=ignored)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """The data of the last release."""
    copy = tmp_path / "old"
    shutil.copytree(RELEASE / "data", copy)
    (copy / "pepper").chmod(0o600)
    return copy


def rows_of(data_dir: Path) -> list[object]:
    store = open_store(data_dir, Config())
    try:
        assert verify_ledger(store.view).findings == ()
        assert read_trail(store.governance, latest=0).verdict.findings == ()
        return list(documents(store.view, "attempts"))
    finally:
        store.database.close()


def test_upgraded_data_comes_back_as_the_last_release_left_it(data_dir: Path, tmp_path: Path) -> None:
    """The drill: copy, upgrade, go on, find it wanting, go back."""
    before = {path.name: path.read_bytes() for path in data_dir.rglob("*") if path.is_file()}
    manifest = copy_of(data_dir, tmp_path / "copy.tar.gz")
    upgraded = rows_of(data_dir)  # migrates the database
    store = open_store(data_dir, Config())
    journal = JournalWriter(store.journals, "local-0-later")
    drainer = Drainer(journal, store.ledger)
    journal.intent(an_intent(99))
    journal.settle(a_settlement(99))
    assert recover(store.journals, store.ledger, journal, drainer, NOON_MS).settled == 1
    assert drainer.close()
    store.database.close()
    assert restore(tmp_path / "copy.tar.gz", tmp_path / "back") == manifest
    after = {path.name: path.read_bytes() for path in (tmp_path / "back").rglob("*") if path.is_file()}
    assert after.pop("ledger.sqlite3")[:16] == before.pop("ledger.sqlite3")[:16]
    assert after == before
    assert rows_of(tmp_path / "back") == upgraded
    assert open_pepper(tmp_path / "back").digest(b"secret") == open_pepper(data_dir).digest(b"secret")


def test_a_copy_of_a_ledger_that_is_written_to_holds(tmp_path: Path) -> None:
    store = open_store(tmp_path / "live", Config())
    journal = JournalWriter(store.journals, "local-0-live")
    drainer = Drainer(journal, store.ledger)
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not stop.is_set() and written < 20_000:
            written += 1
            journal.intent(an_intent(written))
            journal.settle(a_settlement(written))
            if written % 50 == 0:
                drainer.drain()

    writer = threading.Thread(target=write)
    writer.start()
    for number in range(5):
        known = written
        copy_of(tmp_path / "live", tmp_path / f"{number}.tar.gz")
        restore(tmp_path / f"{number}.tar.gz", tmp_path / f"back{number}")
        assert len(rows_of(tmp_path / f"back{number}")) >= known - 1
    stop.set()
    writer.join()
    drainer.close()
    store.database.close()


def test_recorded_content_is_in_no_archive(data_dir: Path, tmp_path: Path) -> None:
    for name in ("content.sqlite3", "content.sqlite3-wal"):
        (data_dir / name).write_bytes(b"said")
    copy_of(data_dir, tmp_path / "copy.tar.gz")
    restore(tmp_path / "copy.tar.gz", tmp_path / "back")
    assert list((tmp_path / "back").glob("ledger.sqlite3"))
    assert not list((tmp_path / "back").glob("content*"))


def test_nothing_is_overwritten(data_dir: Path, tmp_path: Path) -> None:
    copy_of(data_dir, tmp_path / "copy.tar.gz")
    with pytest.raises(StoreError, match="is there already"):
        copy_of(data_dir, tmp_path / "copy.tar.gz")
    with pytest.raises(StoreError, match="is not empty"):
        restore(tmp_path / "copy.tar.gz", data_dir)


def repacked(source: Path, target: Path, change: dict[str, bytes | None]) -> None:
    """The archive with some members changed; None leaves one out."""
    with tarfile.open(source) as old, tarfile.open(target, "w:gz") as new:
        members = {member.name: old.extractfile(member).read() for member in old}
        for name, data in {**members, **change}.items():
            if data is not None:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                new.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pepper": b"another"}, "pepper is not as it was"),
        ({"pepper": None}, "lacks 'pepper'"),
        ({"more": b"x"}, "holds 'more'"),
        ({"../outside": b"x"}, "no backup does"),
        ({"/tmp/outside": b"x"}, "no backup does"),
        ({MANIFEST: b"{}"}, "damaged or no backup"),
        (
            {MANIFEST: msgspec.json.encode(Manifest(format=9, made_ms=0, program="9.0.0", files={}))},
            "made by Bascule 9.0.0; use that",
        ),
    ],
)
def test_what_is_not_as_it_was_made_is_refused_whole(
    data_dir: Path, tmp_path: Path, change: dict[str, bytes | None], said: str
) -> None:
    copy_of(data_dir, tmp_path / "copy.tar.gz")
    repacked(tmp_path / "copy.tar.gz", tmp_path / "changed.tar.gz", change)
    with pytest.raises(StoreError, match=said):
        restore(tmp_path / "changed.tar.gz", tmp_path / "back")
    assert not (tmp_path / "back").exists()
    assert not (tmp_path / "outside").exists()


def test_half_an_archive_and_no_archive_are_refused(data_dir: Path, tmp_path: Path) -> None:
    copy_of(data_dir, tmp_path / "copy.tar.gz")
    whole = (tmp_path / "copy.tar.gz").read_bytes()
    (tmp_path / "half.tar.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "none.tar.gz").write_bytes(b"PK")
    for name in ("half", "none"):
        with pytest.raises(StoreError, match="Take another copy"):
            restore(tmp_path / f"{name}.tar.gz", tmp_path / "back")


def test_a_copy_is_for_its_owner_alone(data_dir: Path, tmp_path: Path) -> None:
    copy_of(data_dir, tmp_path / "copy.tar.gz")
    restore(tmp_path / "copy.tar.gz", tmp_path / "back")
    kept = [tmp_path / "copy.tar.gz", *(path for path in (tmp_path / "back").rglob("*") if path.is_file())]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert (tmp_path / "back").stat().st_mode & 0o777 == 0o700
