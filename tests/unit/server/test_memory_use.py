"""Where the use of memory is read from, in folders that look like Linux."""

import os
from pathlib import Path

import pytest

from bascule.server.memory_use import memory_reader

PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(root: Path, **files: str) -> Path:
    defaults = {"proc/self/statm": "900 100 30 1 0 60 0\n", "proc/meminfo": "MemTotal:   4096 kB\nMemFree: 1 kB\n"}
    for name, text in {**defaults, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def use(root: Path, stated_bytes: int | None = None) -> tuple[int, int]:
    read = memory_reader(stated_bytes, root)
    assert read is not None
    found = read()
    assert found is not None
    return found.used_bytes, found.limit_bytes


def test_elsewhere_than_on_linux_it_is_unknown(tmp_path: Path) -> None:
    assert memory_reader(1_000, tmp_path) is None


def test_a_stated_limit_is_compared_with_what_is_resident(tmp_path: Path) -> None:
    assert use(tree(tmp_path), 1_000) == (100 * PAGE, 1_000)


def test_without_a_limit_the_machines_memory_counts(tmp_path: Path) -> None:
    assert use(tree(tmp_path)) == (100 * PAGE, 4096 * 1024)
    assert use(tree(tmp_path, **{"proc/self/cgroup": "0::/a/b\n"})) == (100 * PAGE, 4096 * 1024)


def test_the_tightest_group_of_version_2_counts_without_pages_that_can_be_dropped(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/a"
    files = {
        "proc/self/cgroup": "0::/a/b\n",
        f"{group}/b/memory.max": "max\n",
        f"{group}/memory.max": "5000\n",
        f"{group}/memory.current": "3000\n",
        f"{group}/memory.stat": "anon 10\ninactive_file 1200\n",
        "sys/fs/cgroup/memory.max": "9000\n",
    }
    assert use(tree(tmp_path, **files)) == (1800, 5000)


def test_a_group_of_version_1(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/memory/pod"
    files = {
        "proc/self/cgroup": "5:cpu:/pod\n4:memory:/pod\n0::/\n",
        f"{group}/memory.limit_in_bytes": "7000\n",
        f"{group}/memory.usage_in_bytes": "3000\n",
        f"{group}/memory.stat": "inactive_file 1\ntotal_inactive_file 500\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    assert use(tree(tmp_path, **files)) == (2500, 7000)


def test_what_cannot_be_read_for_once_is_unknown(tmp_path: Path) -> None:
    root = tree(tmp_path)
    read = memory_reader(1_000, root)
    assert read is not None
    (root / "proc/self/statm").unlink()
    assert read() is None


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no Linux")
def test_here_it_is_known() -> None:
    used, limit = use(Path("/"))
    assert 10_000_000 < used < limit


def test_one_of_several_workers_has_its_part(tmp_path: Path) -> None:
    """A group's use is that of all of them already."""
    root = tree(tmp_path)
    stated, machine = memory_reader(1_000, root, workers=4), memory_reader(None, root, workers=4)
    assert stated is not None
    assert machine is not None
    assert (stated().limit_bytes, machine().limit_bytes) == (250, 1024 * 1024)
