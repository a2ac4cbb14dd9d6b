"""Ledger lines for tests: whole, plausible, and every part replaceable."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import structs

from bascule.model.chain import ChainedLine, chain_start, next_chain
from bascule.model.entry import Adjustment, Decision, HeldScope, Intent, Line, Settlement
from bascule.model.imported import Imported, import_id
from bascule.model.money import Rates
from bascule.model.row import AttemptRow
from bascule.model.usage import Usage

NOON_MS = 1_795_262_400_000
"""2026-11-21T12:00:00Z."""

RATES = Rates(input=150_000, output=600_000)


def an_intent(number: int = 1, **changes: Any) -> Intent:
    """The intent of attempt `att-<number>`, alone in request `req-<number>`, held from `key:ci` for the day."""
    intent = Intent(
        attempt_id=f"att-{number:06d}",
        request_id=f"req-{number:06d}",
        attempt_no=1,
        key="ci",
        team="platform",
        user="ann",
        tags={"feature": "search"},
        route="auto",
        model="small",
        model_requested="auto",
        provider="sim",
        upstream_model="small-upstream",
        dialect_in="openai_chat",
        dialect_out="openai_chat",
        ts_start_ms=NOON_MS + number,
        window_id="2026-11-21",
        hold_nanousd=1_000_000,
        held=(HeldScope("key:ci", "2026-11-21"),),
        reason="cheapest",
    )
    return structs.replace(intent, **changes)


def a_settlement(number: int = 1, **changes: Any) -> Settlement:
    """What settles `an_intent(number)`: 100 tokens in and 20 out at RATES, 27,000 nano-USD."""
    settlement = Settlement(
        attempt_id=f"att-{number:06d}",
        ts_first_ms=NOON_MS + number + 40,
        ts_end_ms=NOON_MS + number + 90,
        status=200,
        model_reported="small-upstream-2026",
        usage=Usage(tokens_in=100, tokens_out=20, source="reported", raw='{"prompt_tokens":100}'),
        cost_nanousd=27_000,
        rates=RATES,
        baseline_nanousd=60_000,
        saved_nanousd=33_000,
        finish_reason="stop",
    )
    return structs.replace(settlement, **changes)


def an_adjustment(number: int = 1, **changes: Any) -> Adjustment:
    """A correction of `an_intent(number)` by +5 nano-USD."""
    adjustment = Adjustment(
        adjustment_id=f"adj-{number:06d}",
        attempt_id=f"att-{number:06d}",
        ts_ms=NOON_MS + 1_000,
        delta_nanousd=5,
        reason="invoice",
        by="ann",
    )
    return structs.replace(adjustment, **changes)


def a_decision(number: int = 1, **changes: Any) -> Decision:
    """The decision record of request `req-<number>`."""
    decision = Decision(
        decision_id=f"dec-{number:06d}",
        request_id=f"req-{number:06d}",
        ts_ms=NOON_MS + number,
        facts={"task": "chat"},
        candidates=({"model": "small"},),
        chosen="small",
    )
    return structs.replace(decision, **changes)


def chained(chain_id: str, lines: Iterable[Line]) -> list[ChainedLine]:
    """The lines as a journal of that name would chain them, from its beginning."""
    found: list[ChainedLine] = []
    chain = chain_start(chain_id)
    for seq, line in enumerate(lines, start=1):
        body = msgspec.json.encode(line)
        chain = next_chain(chain, body)
        found.append(ChainedLine(seq, chain, body, line))
    return found


def an_import(number: int = 1, *, quality: int = 20, source: str = "claude-code", **changes: Any) -> Imported:
    """The reading `msg-<number>` of a source: 100 tokens in and 20 out at RATES, in session `s1`."""
    source_id = f"msg-{number:06d}"
    row = AttemptRow(
        kind="import",
        origin=source,
        attempt_id=import_id(source, source_id),
        request_id=import_id(source, source_id),
        session_id="s1",
        attempt_no=1,
        model="small",
        provider="sim",
        ts_start_ms=NOON_MS + number,
        ts_end_ms=NOON_MS + number + 90,
        tokens_in=100,
        tokens_out=20,
        usage_source="reported",
        cost_nanousd=27_000,
        rates=RATES,
        chain="",
    )
    return Imported(source=source, source_id=source_id, row=structs.replace(row, **changes), quality=quality)
