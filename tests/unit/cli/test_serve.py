"""What `serve` says when it is up is of the log's own form."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bascule.cli.serve import announce
from bascule.compose import read_document, snapshot_of
from bascule.decide.redaction import Redactor
from bascule.server.logs import configure_logging


@pytest.fixture
def restored() -> Iterator[None]:
    """The log's own handlers again after the test."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.usefixtures("restored")
def test_every_line_of_the_start_is_json_in_a_pipe(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    snapshot = snapshot_of(read_document(None, {}), {"CI_KEY": "short"}, stored_keys=True)
    assert snapshot.warnings
    configure_logging(Redactor([]), level="error")  # where it listens is said all the same
    announce(snapshot, "http://127.0.0.1:8787")
    first, *others = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert first["message"].endswith("listens on http://127.0.0.1:8787")
    assert first["address"] == "http://127.0.0.1:8787"
    assert first["providers"] == {"local": "http://127.0.0.1:9/v1 (from the spec only)"}
    assert [line["level"] for line in others] == ["warning"] * len(snapshot.warnings)
