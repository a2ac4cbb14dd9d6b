"""A pull request's cost as a document: the JSON artifact of `pr-comment`."""

from typing import Any

from bascule.model.money import usd_text
from bascule.model.sums import Sums
from bascule.offline.comment import Budget
from bascule.offline.percentile import share
from bascule.offline.pull_cost import Line, PullCost


def pull_payload(made: PullCost, budget: Budget) -> dict[str, Any]:
    """The artifact: `cost_usd` at list price, None where nothing of it is known."""
    subject, sums, others, tests = made.subject, made.sums, made.others, made.tests
    return {
        "repository": subject.repository,
        "pull_request": subject.number,
        "branch": subject.branch,
        "sessions": list(made.sessions),
        "cost_usd": usd_text(made.cost_nanousd),
        "cost_is_complete": not made.unknown and made.cost_nanousd is not None,
        "effective_usd": None if made.paid is None else usd_text(made.paid.effective_nanousd),
        "shared_usd": usd_text(made.shared_nanousd),
        "shared_with": list(made.shared_with),
        "unknown_attempts": made.unknown,
        "estimated_usd": usd_text(made.estimated_nanousd),
        "plan_usd": usd_text(made.plan_nanousd),
        "budget_usd": usd_text(budget.limit_nanousd),
        "gate": budget.gate,
        **_line_payload(sums),
        "latency_p50_ms": made.latency_p50_ms,
        "latency_p95_ms": made.latency_p95_ms,
        "failed_requests": sums.failed_requests,
        "failed_attempts": sums.failed_attempts,
        "retries": sums.retries,
        "failed_cost_usd": usd_text(sums.failed_cost_nanousd),
        "retry_cost_usd": usd_text(sums.retry_cost_nanousd),
        "outcome": made.state,
        "tests": None
        if tests is None
        else {"passed": tests.passed, "failed": tests.failed, "skipped": tests.skipped, "seconds": tests.seconds},
        "compared": {
            "same": others.same,
            "others": others.count,
            "enough": others.enough,
            "cheaper": others.cheaper,
            "p10_usd": usd_text(others.p10_nanousd),
            "p50_usd": usd_text(others.p50_nanousd),
            "p90_usd": usd_text(others.p90_nanousd),
        },
        "models": [{"model": line.name, "cost_usd": _known(line), **_line_payload(line.sums)} for line in made.models],
        "agents": [{"agent": line.name, "cost_usd": _known(line), **_line_payload(line.sums)} for line in made.agents],
    }


def _known(line: Line) -> str | None:
    return usd_text(line.sums.cost_nanousd)


def _line_payload(sums: Sums) -> dict[str, Any]:
    return {
        "requests": sums.requests,
        "attempts": sums.attempts,
        "tokens_in_billed": sums.billed_input,
        "tokens_cache_read": sums.tokens_cache_read,
        "tokens_out": sums.tokens_out,
        "tokens_reasoning": sums.tokens_reasoning,
        "prompt_cache_share": share(sums.tokens_cache_read or 0, sums.billed_input),
    }
