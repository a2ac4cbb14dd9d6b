"""docs/promises.md: what is promised, which test proves it, and the figures of the last full run."""

from pathlib import Path

from tests.promises.results import Result, markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "promises.md"
HEAD = """<!-- Written by `make promises PROMISES_ARGS=--write`; change the tests instead. -->

# Promises

What the gateway promises under faults, with several replicas and under attack. Each line is a test that does the harm
and measures; `make promises` runs them all and prints this table, and `python -m tests.promises --mutants` shows each
test failing on code that was broken on purpose. Times and sizes depend on the machine; those here are of the last full
run.

"""


def write(results: list[Result]) -> None:
    PAGE.write_text(HEAD + markdown(results), encoding="utf-8")


def tests_named(page: str) -> set[str]:
    """The tests that the page's table names."""
    return {line.split("`")[1] for line in page.splitlines() if line.startswith("| ") and "`" in line}
