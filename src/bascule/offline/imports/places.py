"""Where agents keep their logs, and in which order to read them."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class LogFile(Struct, frozen=True):
    path: Path
    size_bytes: int
    changed_ms: int
    """When it was last written; nothing in it is younger."""


class Unreadable(Struct, frozen=True):
    path: Path
    why: str


class Found(Struct, frozen=True):
    files: tuple[LogFile, ...]
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


class NoLogs(Exception):
    """Nothing to import there. The message says what was looked for and where to point instead."""


def claude_homes(environment: Mapping[str, str], home: Path) -> list[Path]:
    """Claude Code's folders: CLAUDE_CONFIG_DIR (one, or several with commas between) where it is set, else both that
    it has used."""
    given = environment.get("CLAUDE_CONFIG_DIR", "").strip()
    if given:
        return [Path(part.strip()).expanduser() for part in given.split(",") if part.strip()]
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    return [home / ".claude", config / "claude"]


def codex_homes(environment: Mapping[str, str], home: Path) -> list[Path]:
    given = environment.get("CODEX_HOME", "").strip()
    return [Path(given).expanduser()] if given else [home / ".codex"]


def find_logs(
    roots: list[Path], inside: tuple[str, ...], *, given: bool, suffixes: tuple[str, ...] = (".jsonl",)
) -> Found:
    """The logs under `roots`: of a program's folder those in its `inside` folders, else every one below, or the one
    file. Sessions come in the order in which they were last written, so that what a resumed session copied is met in
    its original first, each followed by its sub-agents' files.

    Raises NoLogs where there is none; `given` says that the user named the path.
    """
    present = [root for root in roots if root.exists()]
    if not present:
        names = " and ".join([str(root) for root in roots])
        mend = "check the path" if given else "name the folder: PATH may be it or anything in it"
        raise NoLogs(f"{names}: there is no such file or folder; {mend}")
    files: dict[Path, LogFile] = {}
    unreadable: list[Unreadable] = []
    for root in present:
        below = [root / name for name in inside if (root / name).is_dir()]
        for start in below or ([root] if given else []):
            _walk(start, suffixes, files, unreadable)
    if not files and not unreadable:
        names = " and ".join([str(root) for root in present])
        kinds = " or ".join([f"*{suffix}" for suffix in suffixes])
        whole = f"the program's folder (with {' or '.join(inside)} in it), " if inside else ""
        raise NoLogs(f"{names} holds no {kinds}; PATH may be {whole}a folder of such files, or one file")
    return Found(tuple(sorted(files.values(), key=lambda file: _order(file, files))), tuple(unreadable))


def _walk(start: Path, suffixes: tuple[str, ...], files: dict[Path, LogFile], unreadable: list[Unreadable]) -> None:
    if start.is_file():
        _add(start, files, unreadable)
        return

    def failed(error: OSError) -> None:
        unreadable.append(Unreadable(Path(str(error.filename or start)), error.strerror or "cannot be read"))

    for folder, folders, names in os.walk(start, onerror=failed):
        folders.sort()
        for name in names:
            if name.endswith(suffixes):
                _add(Path(folder) / name, files, unreadable)


def _add(path: Path, files: dict[Path, LogFile], unreadable: list[Unreadable]) -> None:
    try:
        real = path.resolve()
        stat = path.stat()
    except OSError as error:
        unreadable.append(Unreadable(path, error.strerror or "cannot be read"))
        return
    files.setdefault(real, LogFile(path, stat.st_size, stat.st_mtime_ns // 1_000_000))


def _order(file: LogFile, files: Mapping[Path, LogFile]) -> tuple[int, str, bool, str]:
    session = session_file(file.path)
    owner = files.get(session.resolve()) if session != file.path else None
    shown = file if owner is None else owner
    return shown.changed_ms, str(shown.path), owner is not None, str(file.path)


def session_file(path: Path) -> Path:
    """The session's own file, of a sub-agent's `<session>/subagents/…/agent-<id>.jsonl`; else the file itself."""
    parts = path.parts
    if "subagents" in parts[:-1]:
        at = len(parts) - 1 - parts[::-1].index("subagents")
        folder = Path(*parts[:at])
        return folder.with_name(folder.name + ".jsonl")
    return path
