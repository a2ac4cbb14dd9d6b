"""Reports as JSON documents with stable keys; money as decimal strings of dollars. For commands and the API alike."""

from typing import Any

from bascule.model.money import usd_text
from bascule.offline.percentile import share
from bascule.offline.report import Figures, Report
from bascule.offline.sums import TOKENS, Sums


def sums_payload(sums: Sums) -> dict[str, Any]:
    """The sums of any group. `cost_usd` is of the attempts whose cost is known: see `unpriced_attempts`."""
    cost = sums.cost_nanousd
    estimated = None if cost is None else share(sums.estimated_nanousd, cost)
    baseline_cost = None if sums.saved_nanousd is None else sums.saved_cost_nanousd + sums.saved_nanousd
    return {
        "requests": sums.requests,
        "failed_requests": sums.failed_requests,
        "request_error_share": share(sums.failed_requests, sums.requests),
        "attempts": sums.attempts,
        "failed_attempts": sums.failed_attempts,
        "attempt_error_share": share(sums.failed_attempts, sums.attempts - sums.open_attempts),
        "aborted_attempts": sums.aborted_attempts,
        "open_attempts": sums.open_attempts,
        "retries": sums.retries,
        "cost_usd": usd_text(cost),
        "unpriced_attempts": sums.unpriced_attempts,
        "held_usd": usd_text(sums.held_nanousd),
        "estimated_attempts": sums.estimated_attempts,
        "estimated_usd": usd_text(sums.estimated_nanousd),
        "estimated_share": estimated,
        "retry_cost_usd": usd_text(sums.retry_cost_nanousd),
        "failed_cost_usd": usd_text(sums.failed_cost_nanousd),
        "tool_fees_usd": usd_text(sums.tool_fees_nanousd),
        "adjusted_usd": usd_text(sums.adjusted_nanousd),
        "baseline_usd": usd_text(sums.baseline_nanousd),
        "saved_usd": usd_text(sums.saved_nanousd),
        "saved_share": None if sums.saved_nanousd is None else share(sums.saved_nanousd, baseline_cost or 0),
        "tokens": sums.tokens,
        **{name: getattr(sums, name) for name in TOKENS},
        "web_searches": sums.web_searches,
        "prompt_cache_share": share(sums.tokens_cache_read or 0, sums.billed_input),
        "cache_hits": sums.cache_hits,
        "cache_hit_share": share(sums.cache_hits, sums.requests),
    }


def figures_payload(figures: Figures, total_cost_nanousd: int | None) -> dict[str, Any]:
    cost = figures.sums.cost_nanousd
    run = figures.session_cost
    return {
        **sums_payload(figures.sums),
        "cost_share": None if cost is None else share(cost, total_cost_nanousd or 0),
        "request_cost_p50_usd": usd_text(figures.request_cost_p50_nanousd),
        "request_tokens_p50": figures.request_tokens_p50,
        "latency_p50_ms": figures.latency_p50_ms,
        "latency_p95_ms": figures.latency_p95_ms,
        "ttft_p50_ms": figures.ttft_p50_ms,
        "ttft_p95_ms": figures.ttft_p95_ms,
        "sessions": run.runs,
        "session_cost_p10_usd": usd_text(run.p10_nanousd),
        "session_cost_p50_usd": usd_text(run.p50_nanousd),
        "session_cost_p90_usd": usd_text(run.p90_nanousd),
        "session_cost_p90_over_p10": run.p90_over_p10,
    }


def report_payload(made: Report) -> dict[str, Any]:
    """`{by, total, groups}`; each group has its dimensions' values under their names, null where a row had none."""
    cost = made.total.sums.cost_nanousd
    return {
        "by": list(made.by),
        "total": figures_payload(made.total, cost),
        "groups": [
            {**dict(zip(made.by, group.values, strict=True)), **figures_payload(group.figures, cost)}
            for group in made.groups
        ],
    }
