"""What the project promises about itself: version, locks, layers, and its own guards."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import bascule

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pinned(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / lock).read_text(encoding="utf-8"), re.M))


def names(requirements: list[str]) -> set[str]:
    """Distribution names, normalised as the lock files write them."""
    return {re.split(r"[^A-Za-z0-9._-]", item)[0].replace(".", "-").replace("_", "-").lower() for item in requirements}


def test_version_is_the_same_everywhere() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    latest = re.search(r"^## (\d+\.\d+\.\d+)", changes, re.M)
    assert latest is not None
    assert PROJECT["project"]["version"] == bascule.__version__ == latest.group(1)


def imported(module: Path, known: set[str]) -> set[str]:
    """The modules of ours that a module names in its imports, those inside functions and for types alone too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= full & known or {node.module}
    return found & known


def test_no_modules_import_each_other_in_a_circle() -> None:
    source = ROOT / "src"
    paths = {
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__"): path
        for path in source.rglob("*.py")
    }
    graph = {name: imported(path, paths.keys() - {name}) for name, path in paths.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(paths) > 200  # raises CycleError


def test_every_package_says_what_it_is() -> None:
    mute = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "src").rglob("__init__.py"))
        if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert mute == []


@pytest.mark.parametrize("lock", ["runtime.txt", "all.txt", "dev.txt"])
def test_every_dependency_is_locked(lock: str) -> None:
    assert names(PROJECT["project"]["dependencies"]) - pinned(lock) == set()


def test_the_locks_agree_on_versions() -> None:
    versions: dict[str, set[str]] = {}
    for lock in ("build.txt", "runtime.txt", "all.txt", "dev.txt"):
        text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
        for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.M):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}
    extras = PROJECT["project"]["optional-dependencies"]
    for extra in extras.keys() - {"all"}:
        assert names(extras[extra]) - {"bascule"} <= pinned("all.txt"), extra
    assert names(PROJECT["dependency-groups"]["build"]) <= pinned("build.txt")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("see https://pypi" + ".org/simple", "names a package registry"),
        ("opened {home}/notes.txt", "names a path of this machine"),
        ("opened {checkout}/notes.txt", "names a path of this machine"),
        ("opened /usr/share/notes.txt", ""),
    ],
)
def test_check_tracked_finds_what_must_not_be_committed(tmp_path: Path, line: str, found: str) -> None:
    home, checkout = tmp_path / "home", tmp_path / "work" / "checkout"
    checkout.mkdir(parents=True)
    (checkout / "notes.md").write_text(line.format(home=home, checkout=checkout) + "\n", encoding="utf-8")
    (checkout / "untracked.md").write_text(str(home) + "/\n", encoding="utf-8")
    for command in (["init", "-q"], ["add", "notes.md"]):
        subprocess.run(["git", "-C", checkout, *command], check=True)
    script: list[str | Path] = [sys.executable, ROOT / "scripts" / "check_tracked.py", checkout]
    run = subprocess.run(script, env={**os.environ, "HOME": str(home)}, capture_output=True, text=True, check=False)
    assert run.returncode == (1 if found else 0), run.stderr
    assert run.stdout.count("\n") == (1 if found else 0)
    assert found in run.stdout


@pytest.mark.parametrize(("no_skips", "outcome"), [("", "2 passed, 2 skipped, 1 xfailed"), ("1", "1 error")])
def test_a_skip_fails_where_none_is_allowed(tmp_path: Path, no_skips: str, outcome: str) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_whole_file.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    (tmp_path / "test_each.py").write_text(
        "import pytest\n"
        "def test_runs(): pass\n"
        "def test_skips(): pytest.skip('not here')\n"
        "@pytest.mark.xfail\ndef test_expected(): assert False\n"
        "@pytest.mark.real\ndef test_marked(): pass\n"
    )
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--strict-markers",
        tmp_path,
    ]
    environment = {**os.environ, "BASCULE_NO_SKIPS": no_skips}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert outcome in run.stdout
    if no_skips:
        (tmp_path / "test_whole_file.py").unlink()
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert "1 failed, 2 passed, 1 xfailed" in run.stdout
        assert run.returncode == 1
