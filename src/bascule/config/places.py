"""Where each value of a configuration stands in its file."""

from bascule.config.document import Mark
from bascule.model.errors import Problem

Path = tuple[str | int, ...]


class Places:
    """Paths of a configuration, e.g. `("routes", "auto", "candidates", 0)`, and their marks."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._marks: dict[Path, Mark] = {}

    def add(self, path: Path, mark: Mark) -> None:
        self._marks[path] = mark

    def __contains__(self, path: Path) -> bool:
        """Whether the file has it at all, even where its value could not be read."""
        return path in self._marks

    def names(self, section: str) -> tuple[str, ...]:
        """Names that the file has below a section, readable or not."""
        return tuple([str(path[1]) for path in self._marks if len(path) == 2 and path[0] == section])

    def where(self, path: Path) -> str:
        """`file:line:column` of the path or the nearest place above it that the file has."""
        for length in range(len(path), -1, -1):
            mark = self._marks.get(path[:length])
            if mark is not None:
                return f"{self.file}:{mark.line}:{mark.column}"
        return f"{self.file}: {'.'.join(map(str, path))}" if path else self.file

    def problem(self, path: Path, what: str, remedy: str) -> Problem:
        return Problem(self.where(path), what, remedy)
