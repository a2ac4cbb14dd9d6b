"""How much memory is used, of how much: from the files that Linux shows it in. Elsewhere that is unknown.

A limit that was stated, or the machine's own, is compared with what this process has resident. A cgroup's (version 2
or 1, the tightest above us) is compared as the kernel does before it kills: with everything in the group but file
pages that it can drop.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

UNLIMITED_BYTES = 1 << 60
"""Version 1 says no limit with a number near 2**63."""


class MemoryUse(Struct, frozen=True):
    used_bytes: int
    limit_bytes: int

    @property
    def share(self) -> float:
        return self.used_bytes / self.limit_bytes


ReadMemory = Callable[[], MemoryUse | None]


def memory_reader(stated_bytes: int | None, root: Path = Path("/"), *, workers: int = 1) -> ReadMemory | None:
    """What to ask for the use of memory; None where nothing is known here. `root` is where /proc and /sys are.

    A process that is one of several `workers` has its part of what all may use together, but for a cgroup's limit,
    with which all are compared.
    """
    statm = root / "proc/self/statm"
    if not statm.exists():
        return None
    if stated_bytes is not None:
        return _of_process(statm, stated_bytes // workers)
    groups = list(_groups(root))
    if groups:
        return _of_group(min(groups, key=lambda group: group.limit_bytes))
    total_bytes = _machine_bytes(root / "proc/meminfo")
    return None if total_bytes is None else _of_process(statm, total_bytes // workers)


class _Group(Struct, frozen=True):
    usage: Path
    stat: Path
    droppable: str
    limit_bytes: int


def _of_process(statm: Path, limit_bytes: int) -> ReadMemory:
    page_bytes = os.sysconf("SC_PAGE_SIZE")

    def read() -> MemoryUse | None:
        text = _text(statm)
        return None if text is None else MemoryUse(int(text.split()[1]) * page_bytes, limit_bytes)

    return read


def _of_group(group: _Group) -> ReadMemory:
    def read() -> MemoryUse | None:
        used_bytes, stat = _number(group.usage), _text(group.stat)
        if used_bytes is None or stat is None:
            return None
        for line in stat.splitlines():
            name, _, value = line.partition(" ")
            if name == group.droppable:
                used_bytes -= int(value)
        return MemoryUse(max(0, used_bytes), group.limit_bytes)

    return read


def _groups(root: Path) -> Iterator[_Group]:
    """Ours and those above it that have a limit."""
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        place = top / path.strip("/")
        for folder in (place, *place.parents):
            limit_bytes = _number(folder / names[0])
            if limit_bytes is not None and limit_bytes < UNLIMITED_BYTES:
                yield _Group(folder / names[1], folder / "memory.stat", names[2], limit_bytes)
            if folder == top:
                break


def _machine_bytes(meminfo: Path) -> int | None:
    for line in (_text(meminfo) or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _number(path: Path) -> int | None:
    """None where there is no such file, or it says `max`."""
    text = _text(path)
    return int(text) if text is not None and text.strip().isdigit() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return None  # no such file system here, or not for us: unknown
