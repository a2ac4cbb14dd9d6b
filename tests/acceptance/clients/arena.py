"""A scripted provider of every dialect and a real gateway before it, for one client after another."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.acceptance.configuration import PROVIDER_ENV, configuration
from tests.acceptance.money import TARIFF
from tests.acceptance.process import Gateway, Json
from tests.acceptance.provider import Provider, from_body

from bascule.testing.chaos.reconcile import reconcile_sound
from bascule.testing.script import Script
from bascule.testing.served import Served

ANSWER = "Eighteen degrees and dry, so the bridge opens."


EDIT = "Put 'edited' into note.txt."
EDITED = "note.txt\n```\nedited\n```\n"
"""The whole file after its name, as aider reads it."""


def script(body: dict[str, Any]) -> Script:
    """A model that calls the tool it is told to, fills in a schema, edits a file, and else always says the same."""
    return Script(text=EDITED) if EDIT in json.dumps(body) else Script(plain_text=ANSWER)


class Arena:
    """Both processes; `rows` and `served` are those since `clear`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bascule-clients-")
        self.provider = Provider()
        self.gateway: Gateway
        self._seen: set[str] = set()

    @property
    def folder(self) -> Path:
        return Path(self._folder.name)

    def __enter__(self) -> Self:
        self.provider.start()
        config = configuration(self.provider.openai_url, self.provider.anthropic_url)
        home = self.folder / "gateway"
        home.mkdir()
        try:
            self.gateway = Gateway(home, config, PROVIDER_ENV).start()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gateway.kill()
        self._leave()

    def _leave(self) -> None:
        self.provider.stop()
        self._folder.cleanup()

    def clear(self) -> None:
        """Forget what was asked before."""
        self.provider.use(from_body(script))

    @property
    def served(self) -> list[Served]:
        self.provider.quiet()
        return self.provider.served

    def new_rows(self) -> list[Json]:
        """The ledger's rows that no earlier call has given."""
        self.gateway.settled()
        rows = [row for row in self.gateway.rows() if row["attempt_id"] not in self._seen]
        self._seen.update(row["attempt_id"] for row in rows)
        return rows


def ledger_findings(rows: list[Json], served: list[Served], told: list[list[int]]) -> list[str]:
    """What does not fit between the ledger, the provider's count, and the usage that the client was told."""
    findings = [str(one) for one in reconcile_sound(rows, served, TARIFF).findings]
    inputs = ("tokens_in", "tokens_cache_read", "tokens_cache_write_5m", "tokens_cache_write_1h")
    outputs = ("tokens_out", "tokens_reasoning")
    kept = Counter((sum(row[name] or 0 for name in inputs), sum(row[name] or 0 for name in outputs)) for row in rows)
    missing = Counter((tokens_in, tokens_out) for tokens_in, tokens_out in told) - kept
    findings += [f"the client was told {usage}, which no row has: {sorted(kept)}" for usage in missing]
    return findings
