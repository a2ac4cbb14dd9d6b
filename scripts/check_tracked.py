"""Fail where a tracked file names a package registry's host or a path of the machine it was made on.

usage: python scripts/check_tracked.py [CHECKOUT]
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

REGISTRY = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|npmjs\.com|crates\.io|deb\.debian\.org)\b"
    r"|--(?:extra-)?index-url|--find-[l]inks"
    r'|"resolved": *"https?:'
)

SHARED_FOLDERS = {"/", "/tmp", "/home", "/opt", "/srv", "/usr/src", "/var/tmp", "/builds"}  # noqa: S108
"""A checkout may lie in these anywhere, so that a mention of one tells nothing about this machine."""


def machine_paths(checkout: Path, home: str) -> tuple[str, ...]:
    """Folders that exist because of this machine: the checkout, the folder it lies in, and the user's home."""
    folders = {str(checkout), str(checkout.parent), home.rstrip("/")}
    return tuple(sorted(f"{folder}/" for folder in folders if folder and folder not in SHARED_FOLDERS))


def findings(text: str, paths: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line numbers, from 1, with what is wrong there."""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := REGISTRY.search(line):
            yield number, f"names a package registry ({match.group()})"
        if path := next((path for path in paths if path in line), None):
            yield number, f"names a path of this machine ({path})"


def tracked(checkout: Path) -> list[str]:
    listing = subprocess.run(["git", "-C", checkout, "ls-files", "-z"], check=True, capture_output=True)
    return [name for name in listing.stdout.decode().split("\0") if name]


def main(arguments: list[str]) -> int:
    checkout = Path(arguments[0] if arguments else ".").resolve()
    paths = machine_paths(checkout, os.environ.get("HOME", ""))
    found = 0
    for name in tracked(checkout):
        path = checkout / name
        content = path.read_bytes() if path.is_file() else b""
        if b"\0" in content:
            continue
        for number, problem in findings(content.decode(errors="replace"), paths):
            found += 1
            print(f"{name}:{number}: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
