"""Puts a kit into the user's cache, once for each set of pins. What is not to be had is an error, not a skip."""

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.acceptance.clients.kits import Kit

INSTALL_S = 600
NPM_OPTIONS = ("--no-audit", "--no-fund", "--no-package-lock", "--no-save", "--ignore-scripts")
_DONE = ".installed"


class NotInstalled(Exception):
    """The client is not to be had here; says what the installer said."""


def python_of(kit: Kit) -> Path:
    """An interpreter that imports the kit. Raises NotInstalled."""
    if kit.developed is not None and _developed(kit.developed) is not None:
        return Path(sys.executable)
    return installed(kit) / "bin" / "python"


def program_of(kit: Kit, name: str) -> Path:
    """A command that the kit brings. Raises NotInstalled."""
    folder = installed(kit)
    return folder / ("bin" if kit.language == "python" else "node_modules/.bin") / name


def version_of(kit: Kit) -> str:
    """Of what runs: the development environment's where it has the kit, else the pin."""
    return (_developed(kit.developed) if kit.developed is not None else None) or kit.version


def installed(kit: Kit) -> Path:
    """The kit's folder: a virtual environment, or the parent of node_modules. Raises NotInstalled."""
    pins = hashlib.sha256("\n".join((sys.version, *kit.packages)).encode()).hexdigest()[:12]
    folder = _cache() / f"{kit.name}-{pins}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:  # another run may be installing it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _DONE).exists():
            shutil.rmtree(folder, ignore_errors=True)  # what an installation that broke off has left
            folder.mkdir()
            _install(kit, folder)
            (folder / _DONE).touch()
    return folder


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bascule-clients"


def _developed(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _install(kit: Kit, folder: Path) -> None:
    if kit.language == "python":
        _run(kit, sys.executable, "-m", "venv", str(folder))
        pip = (str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet")
        _run(kit, *pip, "install", *kit.packages)
        return
    _run(kit, "npm", "install", *NPM_OPTIONS, "--prefix", str(folder), *kit.packages)
    if kit.postinstall is not None:
        _run(kit, "node", str(folder / "node_modules" / kit.postinstall))


def _run(kit: Kit, *command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"{kit.name} needs {command[0]} and its registry: {error}") from error
    if done.returncode:
        raise NotInstalled(f"{kit.name}: {' '.join(command)}\n{done.stdout}\n{done.stderr}")
