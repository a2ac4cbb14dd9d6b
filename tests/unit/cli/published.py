"""A table of published figures in the layout that `trend --from`, `market --from` and `viable --from` read."""

from pathlib import Path

TABLE = Path(__file__).with_name("published.yaml").read_text()


def write_table(folder: Path, *swaps: tuple[str, str]) -> Path:
    """The table as a file, with each text replaced by another; each must stand there exactly once."""
    text = TABLE
    for old, new in swaps:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "published.yaml"
    path.write_text(text)
    return path
