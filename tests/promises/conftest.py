"""The marker, the fixtures, and one line of JSON for each test to the file that `python -m tests.promises` names."""

import json
import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

FULL, RESULTS = "BASCULE_PROMISES_FULL", "BASCULE_PROMISES_RESULTS"

Figure = Callable[..., None]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "promise(number, fault, limit): proves a promise; says what is done and what holds"
    )


@pytest.fixture
def full() -> bool:
    """The run of `make promises`: minutes. Else seconds."""
    return bool(os.environ.get(FULL))


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """`figure(name, value, unit)` keeps what was measured, for the table."""

    def record(name: str, value: float | str, unit: str = "") -> None:
        request.node.user_properties.append(
            (name, f"{value:g} {unit}".strip() if not isinstance(value, str) else value)
        )

    return record


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    named = os.environ.get(RESULTS)
    mark = item.get_closest_marker("promise")
    if named and mark is not None and (report.when == "call" or report.failed):
        line = {
            "promise": mark.args[0],
            "fault": mark.kwargs["fault"],
            "limit": mark.kwargs["limit"],
            "test": item.nodeid,
            "passed": report.passed,
            "seconds": round(report.duration, 1),
            "figures": [list(pair) for pair in item.user_properties],
            "error": "" if call.excinfo is None else call.excinfo.exconly(),
        }
        with Path(named).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    return report
