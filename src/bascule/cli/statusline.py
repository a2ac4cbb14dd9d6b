"""`bascule statusline`: one line for Claude Code's status bar, quickly, and without ever disturbing it.

Claude Code starts the command anew for each line and cancels a slow one, so only what is needed is imported, and
reading ends at a deadline: what was read by then is shown as "at least".
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from bascule.offline.status_line import Call, Left, Tally, call_of, status_line

if TYPE_CHECKING:
    from bascule.model.policy import Budget
    from bascule.model.row import AttemptRow
    from bascule.storage.view import LedgerView

READING_S = 0.12
"""For the transcript and the ledger together; starting takes about as long again."""
MAX_INPUT_BYTES = 1 << 20
DAY_MS = 86_400_000
DEFAULT_FILE = Path("bascule.yaml")

T = TypeVar("T")


@click.command("statusline")
@click.option(
    "-c", "--config", "config_path", type=click.Path(path_type=Path), help="Whose ledger and budgets to show."
)
@click.option("--debug", is_flag=True, help="Show errors instead of leaving out what they concern.")
def command(config_path: Path | None, debug: bool) -> None:
    """The line of a session, from what Claude Code says on standard input: `bascule env claude --statusline`.

    Its cost by the price book, today's cost (UTC), what is left of its budget where it goes through the gateway, and
    how much of the prompt the provider had cached. `≥`: more than that, as a price is missing or there was no time to
    read it all; `~`: partly estimated.
    """
    line = Line(_told(), config_path, time.monotonic() + READING_S)
    try:
        text = line.text()
    except Exception:
        if debug:
            raise
        text = "bascule: no figures (see `bascule statusline --debug`)"
    sys.stdout.write(text + "\n")


def _told() -> dict[str, Any]:
    """What Claude Code says; nothing where it is not what is expected."""
    if sys.stdin.isatty():
        raise click.UsageError("Claude Code calls this; `bascule env claude --statusline` prints what to set")
    try:
        return msgspec.json.decode(sys.stdin.buffer.read(MAX_INPUT_BYTES), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


class Line:
    """One line being made."""

    def __init__(self, told: dict[str, Any], config_path: Path | None, deadline_s: float) -> None:
        self._told = told
        self._config_path = config_path
        self._deadline_s = deadline_s
        self._now_ms = time.time_ns() // 1_000_000
        self._today_ms = self._now_ms - self._now_ms % DAY_MS
        session = told.get("session_id")
        self._session_id = session if isinstance(session, str) and session else None

    def text(self) -> str:
        view, budgets = self._ledger()
        gateway = self._of_gateway(view)
        own = [call_of(row) for row in gateway]
        cut = self._late
        if not own:
            own, cut = self._of_transcript()
        session = Tally(cut=cut).plus(own)
        today = Tally().plus(call for call in own if call.ts_start_ms >= self._today_ms)
        self._add_others(today, view)
        return status_line(self._model(), session, today, self._left(gateway, view, budgets))

    @property
    def _late(self) -> bool:
        return time.monotonic() > self._deadline_s

    def _model(self) -> str | None:
        model = self._told.get("model")
        found = model.get("display_name") or model.get("id") if isinstance(model, dict) else None
        return found if isinstance(found, str) else None

    def _in_time(self, items: Iterator[T]) -> Iterator[T]:
        for number, item in enumerate(items):
            yield item
            if number % 64 == 0 and self._late:
                return

    def _ledger(self) -> "tuple[LedgerView | None, tuple[Any, ...]]":
        """The ledger of the configuration, where there is one, and the file's budgets."""
        path = self._config_path or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
        data_dir = Path(".bascule")
        budgets: tuple[Any, ...] = ()
        if path is not None:
            from bascule.config.load import load_file

            document = load_file(path)
            data_dir, budgets = document.directory / document.config.data_dir, document.config.budgets
            if document.config.database is not None:
                return None, budgets  # what others share is too far away for a line of text
        from bascule.storage.sqlite.connect import FILE_NAME, Database

        if not (data_dir / FILE_NAME).exists():
            return None, budgets
        from bascule.storage.sqlite.ledger import SqliteLedger
        from bascule.storage.view import LedgerView

        # Neither made nor migrated here: that is for commands that may take their time.
        ledger = SqliteLedger(Database(data_dir / FILE_NAME, "process"))
        return LedgerView(ledger, data_dir / "journal"), budgets

    def _of_gateway(self, view: "LedgerView | None") -> "list[AttemptRow]":
        """The session's rows where it goes through the gateway: billed exactly, so its transcript is not needed."""
        if view is None or self._session_id is None:
            return []
        from bascule.model.row import GATEWAY, RowFilter

        return list(self._in_time(view.attempts(RowFilter(session_id=self._session_id, origin=GATEWAY))))

    def _of_transcript(self) -> tuple[list[Call], bool]:
        """The session's calls from its own log and its sub-agents', each once, at the book's prices; whether there
        was no time to read them all."""
        told = self._told.get("transcript_path")
        path = Path(told).expanduser() if isinstance(told, str) else Path()
        if path.suffix != ".jsonl" or not path.is_file():
            return [], self._late
        from bascule.cli.transcript import Transcripts

        transcripts = Transcripts(lambda: self._late)
        calls = transcripts.calls(path)
        return calls, self._late and not transcripts.whole

    def _add_others(self, today: Tally, view: "LedgerView | None") -> None:
        """What other sessions cost today."""
        if view is None:
            return
        from bascule.model.row import RowFilter

        rows = view.attempts(RowFilter(since_ms=self._today_ms, until_ms=self._today_ms + DAY_MS))
        for row in self._in_time(rows):
            if self._session_id is None or row.session_id != self._session_id:
                today.add(call_of(row))
        today.cut = self._late

    def _left(self, gateway: "list[AttemptRow]", view: "LedgerView | None", budgets: tuple[Any, ...]) -> Left | None:
        """Of the budgets that the session is charged to, the one with the least left."""
        held = {(each.scope, each.window_id) for row in gateway for each in row.held}
        if not held or view is None or self._late:
            return None
        from bascule.decide.window import window_id
        from bascule.link.policy import budget_policy

        mine: list[Budget] = [
            budget
            for budget in map(budget_policy, budgets)
            if (budget.scope, window_id(budget.window, self._now_ms)) in held
        ]
        with view.snapshot() as snapshot:
            spent = snapshot.spent(mine, self._now_ms)
        found = []
        for budget in mine:
            each = spent.get((budget.scope, window_id(budget.window, self._now_ms)))
            used = 0 if each is None else each.settled_nanousd + each.held_nanousd
            found.append(Left(budget.limit_nanousd - used, budget.limit_nanousd, budget.window))
        return min(found, key=lambda one: one.left_nanousd, default=None)
