"""What a run found, read back from the lines that its tests wrote, and the table of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.promises.promised import PENDING, PROMISES


@dataclass(frozen=True, kw_only=True)
class Result:
    """One test's outcome."""

    promise: int
    fault: str
    limit: str
    test: str
    passed: bool
    seconds: float
    figures: list[list[str]]
    error: str

    @property
    def figure(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.figures)


def read(path: Path) -> list[Result]:
    """In the order of promises."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return sorted((Result(**json.loads(line)) for line in lines), key=lambda result: (result.promise, result.test))


def unproved(results: Iterable[Result]) -> list[int]:
    """Promises that are not pending and that no test was run for."""
    seen = {result.promise for result in results}
    return [number for number in PROMISES if number not in seen and number not in PENDING]


def markdown(results: Iterable[Result]) -> str:
    """The page's table: promise, fault, limit, figure, test."""
    rows = ["| # | promise | fault | holds if | last figure | test | result |", "|---|---|---|---|---|---|---|"]
    by_number: dict[int, list[Result]] = {}
    for result in results:
        by_number.setdefault(result.promise, []).append(result)
    for number, words in PROMISES.items():
        if number in PENDING and number not in by_number:
            rows.append(f"| {number} | {words} |  |  |  |  | pending: {PENDING[number]} |")
        for result in by_number.get(number, []):
            test = result.test.removeprefix("tests/promises/")
            cells = (str(number), words, result.fault, result.limit, result.figure, f"`{test}`", verdict(result))
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def verdict(result: Result) -> str:
    return "pass" if result.passed else "FAIL"
