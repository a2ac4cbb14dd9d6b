"""The matrix of dialects as rows of a table and as a page. Pure."""

from collections.abc import Mapping, Sequence

from bascule.model.matrix import Cell, Matrix, Verdict

SIGNS: dict[Verdict, str] = {"kept": "kept", "lost": "lost", "refused": "refused"}
_SHORT = {"openai_chat": "chat", "openai_responses": "responses", "anthropic_messages": "messages"}


def short_name(dialect: str) -> str:
    """A dialect's name for the head of a column."""
    return _SHORT.get(dialect, dialect)


def client_rows(matrix: Matrix, cells: Sequence[Cell], signs: Mapping[Verdict, str]) -> list[list[str | None]]:
    """A row per feature that one client has a word for: its name, then what each provider makes of it."""
    rows: list[list[str | None]] = []
    for kind, names in (("request", matrix.asked), ("answer", matrix.answered)):
        for name in names:
            found = [cell.features.get(name) for cell in cells]
            if any(found):
                rows.append([f"{kind}: {name}", *[None if one is None else signs[one] for one in found]])
    return rows


def legend(signs: Mapping[Verdict, str]) -> str:
    """What the signs mean."""
    return (
        f"{signs['kept']}: arrives, in the other dialect's words; {signs['lost']}: goes on without it; "
        f"{signs['refused']}: a 400 that names it, before anything is sent."
    )


def matrix_page(matrix: Matrix) -> str:
    """docs/dialects.md's tables: one per client dialect."""
    sections = []
    for client in dict.fromkeys(cell.client for cell in matrix.cells):
        cells = [cell for cell in matrix.cells if cell.client == client]
        head = [f"from `{client}`", *[f"to `{cell.provider}`" for cell in cells]]
        lines: list[list[str | None]] = [[*head], ["---"] * len(head), *client_rows(matrix, cells, SIGNS)]
        sections.append("\n".join(["| " + " | ".join([cell or "" for cell in line]) + " |" for line in lines]))
    return "\n\n".join(sections) + "\n"
