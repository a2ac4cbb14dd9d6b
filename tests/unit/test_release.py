"""What a release holds, and how the workflows that make it are pinned."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from scripts import check_dist

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "bascule/__init__.py"


@pytest.fixture(scope="module")
def on_disk() -> dict[str, bytes]:
    """The tracked files of the package as they are here, changed or not."""
    listing = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "src/bascule"], check=True, capture_output=True)
    names = filter(None, listing.stdout.decode().split("\0"))
    return {name.removeprefix("src/"): check_dist.blob_of((ROOT / name).read_bytes()) for name in names}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture
def wheel(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path))


def test_a_wheel_holds_the_package_and_nothing_else(built: Path, on_disk: dict[str, bytes]) -> None:
    assert list(check_dist.findings(built, on_disk)) == []


@pytest.mark.parametrize("name", ["evil.pth", "bascule/extra.py", "bascule/fast.so", "other/__init__.py"])
def test_a_file_of_unknown_origin_is_found(wheel: Path, on_disk: dict[str, bytes], name: str) -> None:
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(name, "import os")
    assert list(check_dist.findings(wheel, on_disk)) == [f"{name} is not in the repository"]


def test_a_changed_and_a_missing_file_are_found(wheel: Path, on_disk: dict[str, bytes]) -> None:
    committed = {**on_disk, PACKAGE: check_dist.blob_of(b"another"), "bascule/gone.py": b"0" * 40}
    found = list(check_dist.findings(wheel, committed))
    assert found == [f"{PACKAGE} is not as it was committed", "bascule/gone.py is missing"]


def test_checksums_are_those_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"abc")
    (tmp_path / check_dist.SUMS).write_text(check_dist.checksums(tmp_path), encoding="ascii")
    done = subprocess.run(["sha256sum", "--check", check_dist.SUMS], cwd=tmp_path, check=True, capture_output=True)
    assert done.stdout == b"a.whl: OK\n"


WORKFLOWS = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / "action.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_rights_are_least(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: *(\S+)", text)
    assert used
    assert [name for name in used if not re.search(r"@[0-9a-f]{40}$", name)] == []
    if path.parent != ROOT:
        assert YAML(typ="safe").load(text)["permissions"] == {"contents": "read"}
