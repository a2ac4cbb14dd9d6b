"""The story as one JSON document with stable keys."""

from typing import Any

import msgspec

from bascule.cli.demonstration.story import Story
from bascule.cli.demonstration.telling import REMARK
from bascule.model.entry import Decision
from bascule.offline.moment import iso_time
from bascule.offline.payload import report_payload, session_payload, state_payload
from bascule.offline.rows import attempt_document, request_document


def story_document(story: Story) -> dict[str, Any]:
    """Ledger rows have the columns of `ledger export`, groups those of `report --json`."""
    verdict, counted = story.verdict, story.counted
    return {
        "scripted": True,
        "remark": REMARK,
        "budget": {
            **state_payload(story.budget),
            "answered": story.answered,
            "refusals": [_refusal_payload(refusal) for refusal in story.refusals],
        },
        "failovers": {
            "requests": len(story.failovers),
            "unanswered": story.unanswered,
            "attempts": [attempt_document(row) for attempts in story.failovers for row in attempts],
        },
        "session": {
            **session_payload(story.session),
            "request_list": [request_document(row) for row in story.session_requests],
        },
        "baseline_model": story.baseline_model,
        "by_model": report_payload(story.by_model),
        "by_task": report_payload(story.by_task),
        "verify": {
            "holds": verdict.holds,
            "chains": verdict.chains,
            "lines": verdict.lines,
            "attempts": verdict.attempts,
            "findings": [{"where": found.where, "what": found.what} for found in verdict.findings],
        },
        "providers_counted": {"agrees": counted.agrees, **msgspec.to_builtins(counted)},
    }


def _refusal_payload(refusal: Decision) -> dict[str, Any]:
    return {
        "request_id": refusal.request_id,
        "ts": iso_time(refusal.ts_ms),
        "model": refusal.facts.get("model"),
        "refusal": refusal.refusal,
        "budgets": [dict(budget) for budget in refusal.budgets],
    }
