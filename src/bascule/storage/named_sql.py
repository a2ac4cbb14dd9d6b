"""SQL in files: named statements, and migrations in the order of their numbers.

A store's folder holds `.sql` files with statements under `-- name: …` lines, and a folder `migrations` of files that
begin with four digits.
"""

from functools import cache
from importlib.resources import files

_NAME = "-- name:"


@cache
def named_sql(package: str, file_name: str) -> dict[str, str]:
    """The statements of one file by name. Raises ValueError where a name occurs twice or has no text."""
    text = files(package).joinpath(file_name).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        if line.startswith(_NAME):
            name = line.removeprefix(_NAME).strip()
            if name in found:
                raise ValueError(f"{file_name}: two statements are named {name}")
            current = found[name] = []
        elif current is not None and not line.startswith("--"):
            current.append(line)
    named = {name: "\n".join(lines).strip() for name, lines in found.items()}
    empty = [name for name, sql in named.items() if not sql]
    if empty:
        raise ValueError(f"{file_name}: no statement under {', '.join(empty)}")
    return named


def migration_files(package: str) -> list[tuple[int, str, str]]:
    """Number, file name and text of every migration of a store, in order."""
    folder = files(package).joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), name, folder.joinpath(name).read_text(encoding="utf-8")) for name in names]
