"""A data directory as a gateway leaves it, and a way to run commands over it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from tests.unit.cli.calculator_figures import ARTICLES

from bascule.cli import main
from bascule.compose import Store, open_store, read_document
from bascule.model.entry import HeldScope, Intent, Settlement
from bascule.model.money import Rates
from bascule.model.usage import Usage
from bascule.storage.drainer import Drainer
from bascule.storage.journal.writer import JournalWriter

collect_ignore = [] if ARTICLES.exists() else ["test_published_table.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        terminalreporter.write_line(f"left out: tests/unit/cli/test_published_table.py, which reads {ARTICLES}")


NOON = 1_795_262_400_000
"""2026-11-21T12:00:00Z"""

CONFIG = """
data_dir: data
providers:
  local:
    dialect: openai_chat
    base_url: http://127.0.0.1:9/v1
    api_key: none
models:
  small:
    endpoints: [{provider: local, model: small-up}]
    price: {input: 0.10, output: 0.40}
    max_output: 8000
    quality: 0.75
  big:
    endpoints: [{provider: local, model: big-up}]
    price: {input: 3.00, output: 15.00, cache_read: 0.30}
    context_window: 200000
    max_output: 64000
    quality: {default: 0.88, code_generation: 0.67}
routes:
  auto: {candidates: [small, big], quality: 0.7}
aliases: {claude-haiku-4-5: small}
baseline: {model: big}
keys:
  ci: {secret: "env:CI_KEY", team: platform, models: [auto, small], max_output_tokens: 4000}
budgets:
  - {scope: "key:ci", limit_usd: 50, window: day}
  - {scope: "team:platform", limit_usd: 2000, window: month, mode: warn}
"""


class Result(Struct, frozen=True):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with bascule.yaml, which is the working directory."""
    (tmp_path / "bascule.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CI_KEY", "a-key-of-thirty-two-characters-00")
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `bascule` in this process."""

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        try:
            main(list(arguments))
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


class Bookkeeper:
    """Writes attempts through the journal. What was written before `drain` is in the store, the rest in the tail."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.journal = JournalWriter(store.journals, "test-0-1")
        self.drainer = Drainer(self.journal, store.ledger)
        self.count = 0

    def drain(self) -> None:
        self.drainer.drain()

    def attempt(
        self,
        *,
        request: str | None = None,
        no: int = 1,
        cost: int | None = 1_000_000,
        start: int = NOON,
        end: int | None = 500,
        first: int | None = 100,
        usage: Usage | None = None,
        settlement: dict[str, Any] | None = None,
        **intent: Any,
    ) -> str:
        """One attempt; `cost` in nano-USD (None: unpriced), `end` and `first` milliseconds after `start`.

        `end` None leaves it open.
        """
        self.count += 1
        request = request or f"req_{self.count:04d}"
        attempt_id = f"att_{request[4:]}.{no}"
        given: dict[str, Any] = {"model": "small", "provider": "local", "upstream_model": "small-up", "key": "ci",
                                 "team": "platform", "hold_nanousd": 2_000_000,
                                 "held": (HeldScope("key:ci", "2026-11-21"), HeldScope("team:platform", "2026-11")),
                                 "window_id": "2026-11-21", "dialect_in": "openai_chat",
                                 "price_version": "test"} | intent  # fmt: skip
        self.journal.intent(
            Intent(attempt_id=attempt_id, request_id=request, attempt_no=no, ts_start_ms=start, **given)
        )
        if end is not None:
            told: dict[str, Any] = {"status": 200, "rates": Rates(input=100_000, output=400_000)} | (settlement or {})
            self.journal.settle(
                Settlement(
                    attempt_id=attempt_id,
                    ts_first_ms=None if first is None else start + first,
                    ts_end_ms=start + end,
                    usage=usage or Usage(tokens_in=1_000, tokens_out=100, source="reported"),
                    cost_nanousd=cost,
                    **told,
                )
            )
        return attempt_id


@pytest.fixture
def book(place: Path) -> Bookkeeper:
    document = read_document(None, {})
    return Bookkeeper(open_store(place / "data", document.config))
