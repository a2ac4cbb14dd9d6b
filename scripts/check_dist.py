"""Check what is about to be released, and write its checksums.

usage: python scripts/check_dist.py DIST

A wheel may hold the package as it is tracked and its metadata, and nothing else: no `.pth`, which Python runs at every
start, no compiled code, no file that nobody reviewed.
"""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUMS = "SHA256SUMS"


def tracked(checkout: Path) -> dict[str, bytes]:
    """The package's files as they were committed, by their name in a wheel."""
    command = ["git", "-C", str(checkout), "ls-tree", "-r", "-z", "HEAD", "src/bascule"]
    listing = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    found = {}
    for line in filter(None, listing.split("\0")):
        blob, name = line.split()[2], line.split("\t", 1)[1]
        found[name.removeprefix("src/")] = blob.encode()
    return found


def blob_of(data: bytes) -> bytes:
    """Git's name for these bytes."""
    return hashlib.sha1(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest().encode()


def findings(wheel: Path, committed: dict[str, bytes]) -> Iterator[str]:
    """What is wrong with a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        seen = set()
        for name in archive.namelist():
            seen.add(name)
            if name.partition("/")[0].endswith(".dist-info"):
                continue
            if name not in committed:
                yield f"{name} is not in the repository"
            elif blob_of(archive.read(name)) != committed[name]:
                yield f"{name} is not as it was committed"
        yield from (f"{name} is missing" for name in sorted(committed.keys() - seen))


def checksums(folder: Path) -> str:
    files = sorted(path for path in folder.iterdir() if path.name != SUMS and not path.name.startswith("."))
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        print(f"{folder} has {len(wheels)} wheels; empty it and run make dist", file=sys.stderr)
        return 1
    wrong = list(findings(wheels[0], tracked(ROOT)))
    for line in wrong:
        print(f"{wheels[0].name}: {line}", file=sys.stderr)
    if not wrong:
        (folder / SUMS).write_text(checksums(folder), encoding="ascii")
        print((folder / SUMS).read_text(encoding="ascii"), end="")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
