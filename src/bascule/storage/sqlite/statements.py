"""Named SQL: each `.sql` file beside this one holds statements under `-- name: …` lines."""

from functools import cache
from importlib.resources import files

_NAME = "-- name:"


@cache
def statements(file_name: str) -> dict[str, str]:
    """The statements of one file by name. Raises ValueError where a name occurs twice or has no text."""
    text = files(__package__).joinpath(file_name).read_text(encoding="utf-8")
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


def with_rows(sql: str, columns: int, rows: int) -> str:
    """The statement with its `:rows` replaced by `rows` tuples of `columns` placeholders.

    One statement for many rows: the database then works through all of them without coming back to Python, and so
    without fighting the event loop for the interpreter lock at every row.
    """
    one = "(" + ",".join("?" * columns) + ")"
    return sql.replace(":rows", ",".join([one] * rows))
