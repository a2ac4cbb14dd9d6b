"""Recordings of real clients are no part of the project. Without them their tests are left out, and that is said."""

import pytest
from tests.wire.recordings import FOLDER

collect_ignore = [] if FOLDER.exists() else ["test_clients.py", "test_sessions.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        terminalreporter.write_line(
            f"left out: {', '.join(collect_ignore)} of tests/wire, which read recordings beside {FOLDER}"
        )
