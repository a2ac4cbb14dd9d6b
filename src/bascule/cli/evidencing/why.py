"""From one request to why that model answered it."""

from typing import Any

from msgspec import structs

from bascule.cli.evidencing.reading import Book, entries, state_of
from bascule.cli.evidencing.showing import named, trial_payload
from bascule.cli.output import usd_fit
from bascule.cli.period import iso_second
from bascule.model.entry import Decision
from bascule.model.errors import BasculeError
from bascule.model.row import AttemptRow, RowFilter
from bascule.ports import ComparedPair, KeptTrial


def _found(book: Book, request_id: str) -> tuple[list[AttemptRow], list[Decision]]:
    rows = list(book.store.view.attempts(RowFilter(request_id=request_id)))
    decisions = book.store.view.decisions(request_id)
    if not rows and not decisions:
        raise BasculeError(f"the ledger has no request {request_id!r}; answers carry theirs in x-bascule-request-id")
    return rows, decisions


def _trial(book: Book, decisions: list[Decision], pairs: list[ComparedPair]) -> KeptTrial | None:
    """The one that had a say: named by the decision, else by what was compared."""
    named_ids = [one.evidence_version.partition("@")[0] for one in decisions if one.evidence_version is not None]
    ids = [*named_ids, *[pair.trial_id for pair in pairs]]
    return next((kept for kept in book.trials if kept.trial_id in ids), None)


def explained(book: Book, request_id: str) -> list[str]:
    """Lines for a person."""
    rows, decisions = _found(book, request_id)
    pairs = book.store.stores.evidence.pairs_of(request_id)
    told = []
    for row in rows:
        cost = usd_fit(row.cost_nanousd) or "unknown cost"
        told.append(f"{row.role}: {row.model} ({row.provider}), {cost}: {row.reason}")
    for decision in decisions:
        told.append(
            f"decided: {decision.chosen}, because {decision.reason}; evidence {decision.evidence_version or '-'}"
        )
        told += [f"  left out {endpoint}: {reason}" for endpoint, reason in decision.rejected]
    told += [_compared(pair) for pair in pairs]
    kept = _trial(book, decisions, pairs)
    if kept is None:
        return [*told, "No trial of a challenger had a say in it."]
    told.append(f"trial: {named(kept)}, now {state_of(book, kept)}")
    for entry in entries(book, kept.trial_id):
        seen = entry.detail["evidence"]
        told.append(
            f"  {iso_second(entry.ts_ms)} {entry.detail['before']} -> {entry.detail['after']} by {entry.by}:"
            f" {entry.detail['reason']} (e-value {seen['e_value']:.2f} of {seen['e_needed']:.2f} after"
            f" {seen['sessions']} sessions, alarm at {seen['alarm_level'] / seen['alarm_at']:.1%})"
        )
    short = kept.trial_id[:8]
    told.append(f"To take the challenger out: bascule evidence demote {short} --reason '…'")
    told.append(f"To let the incumbent serve whatever comes: bascule evidence pin {short}")
    return told


def _compared(pair: ComparedPair) -> str:
    if pair.difference is None:
        return "compared: no grade came"
    return f"compared: challenger less incumbent {pair.difference:+.2f}, by {pair.grader}"


def why_payload(book: Book, request_id: str) -> dict[str, Any]:
    rows, decisions = _found(book, request_id)
    pairs = book.store.stores.evidence.pairs_of(request_id)
    kept = _trial(book, decisions, pairs)
    return {
        "request_id": request_id,
        "attempts": [
            {"attempt_id": row.attempt_id, "role": row.role, "model": row.model, "reason": row.reason} for row in rows
        ],
        "decisions": [
            {
                "chosen": one.chosen,
                "reason": one.reason,
                "rejected": [list(pair) for pair in one.rejected],
                "evidence_version": one.evidence_version,
            }
            for one in decisions
        ],
        "compared": [structs.asdict(pair) for pair in pairs],
        "trial": None if kept is None else trial_payload(book, kept),
        "transitions": [] if kept is None else [entry.detail for entry in entries(book, kept.trial_id)],
    }
