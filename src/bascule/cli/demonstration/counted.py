"""The other side of the ledger: what the simulated providers counted, held against it."""

import http.client
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from bascule.model.row import AttemptRow
from bascule.offline.sums import TOKENS

TIMEOUT_S = 10.0


class Counted(Struct, frozen=True, kw_only=True):
    """How both sides compare."""

    exchanges: int
    """Requests that reached the simulated providers."""
    attempts: int
    """Attempts in the ledger; cache hits are none."""
    compared: int
    """Attempts whose usage the provider reported, and which must have an answer of the same id."""
    differing: tuple[str, ...]
    """Those of them whose tokens are others than were billed, and those without their counterpart."""

    @property
    def agrees(self) -> bool:
        return self.exchanges == self.attempts and not self.differing


def served_by(port: int) -> list[dict[str, Any]]:
    """The simulation's record of every request that it got. Raises OSError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/_served")
        return msgspec.json.Decoder(dict[str, Any]).decode_lines(connection.getresponse().read())
    finally:
        connection.close()


def compare(rows: Iterable[AttemptRow], served: list[dict[str, Any]]) -> Counted:
    """Attempts against requests that were served, by the answer's own id."""
    billed = {record["response_id"]: record["usage"] for record in served}
    attempts = [row for row in rows if row.role != "cache"]
    reported = [row for row in attempts if row.usage_source == "reported"]
    return Counted(
        exchanges=len(served),
        attempts=len(attempts),
        compared=len(reported),
        differing=tuple([row.attempt_id for row in reported if _tokens(row) != _billed(row, billed)]),
    )


def _tokens(row: AttemptRow) -> int:
    return sum(getattr(row, name) or 0 for name in TOKENS)


def _billed(row: AttemptRow, billed: dict[str, dict[str, Any] | None]) -> int | None:
    """All tokens that were billed for an attempt, of a usage in either wire form."""
    usage = billed.get(row.upstream_request_id or "")
    if usage is None:
        return None
    if "prompt_tokens" in usage:
        return int(usage["prompt_tokens"]) + int(usage["completion_tokens"])
    counts = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    return sum(int(usage[name]) for name in counts)
