"""JSON documents with stable keys, for commands and the API alike; money as decimal strings of dollars."""

from typing import Any

from bascule.model.audit import AuditEntry
from bascule.model.budget import BudgetState
from bascule.model.money import usd_text
from bascule.model.policy import Budget, DataPolicy, KeyPolicy
from bascule.model.report import Figures, Report
from bascule.model.session import Agent, Session
from bascule.model.sums import TOKENS, Sums, duration_s
from bascule.offline.dimensions import MARKETS
from bascule.offline.moment import iso_time
from bascule.offline.percentile import share
from bascule.offline.sessions import RequestLine, by_use
from bascule.ports import StoredKey


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
        "failed_cost_usd": usd_text(sums.failed_cost_nanousd),
        "retry_cost_usd": usd_text(sums.retry_cost_nanousd),
        "helper_cost_usd": usd_text(sums.helper_cost_nanousd),
        "tool_fees_usd": usd_text(sums.tool_fees_nanousd),
        "adjusted_usd": usd_text(sums.adjusted_nanousd),
        "baseline_usd": usd_text(sums.baseline_nanousd),
        "saved_usd": usd_text(sums.saved_nanousd),
        "saved_share": None if sums.saved_nanousd is None else share(sums.saved_nanousd, baseline_cost or 0),
        "cache_saved_usd": usd_text(sums.cache_saved_nanousd),
        "tokens": sums.tokens,
        **{name: getattr(sums, name) for name in TOKENS},
        "web_searches": sums.web_searches,
        "prompt_cache_share": share(sums.tokens_cache_read or 0, sums.billed_input),
        "cache_hits": sums.cache_hits,
        "cache_hit_share": share(sums.cache_hits, sums.requests),
    }


def figures_payload(figures: Figures, total_cost_nanousd: int | None) -> dict[str, Any]:
    cost = figures.sums.cost_nanousd
    session, run = figures.session_cost, figures.run_cost
    sums = sums_payload(figures.sums)
    if figures.summed_rows:
        # Which of them failed is not reported.
        sums["request_error_share"] = sums["attempt_error_share"] = None
    if figures.uncounted_rows and not figures.sums.requests:
        sums["requests"] = None
    return {
        **sums,
        "cost_share": None if cost is None else share(cost, total_cost_nanousd or 0),
        "request_cost_p50_usd": usd_text(figures.request_cost_p50_nanousd),
        "request_tokens_p50": figures.request_tokens_p50,
        "summed_rows": figures.summed_rows,
        "summed_rows_without_requests": figures.uncounted_rows,
        "latency_p50_ms": figures.latency_p50_ms,
        "latency_p95_ms": figures.latency_p95_ms,
        "ttft_p50_ms": figures.ttft_p50_ms,
        "ttft_p95_ms": figures.ttft_p95_ms,
        "sessions": session.runs,
        "session_cost_p10_usd": usd_text(session.p10_nanousd),
        "session_cost_p50_usd": usd_text(session.p50_nanousd),
        "session_cost_p90_usd": usd_text(session.p90_nanousd),
        "session_cost_p90_over_p10": session.p90_over_p10,
        "runs": run.runs,
        "run_works": run.works,
        "compared_runs": run.compared_runs,
        "run_cost_p10_usd": usd_text(run.p10_nanousd),
        "run_cost_p50_usd": usd_text(run.p50_nanousd),
        "run_cost_p90_usd": usd_text(run.p90_nanousd),
        "run_cost_p90_over_p10": run.p90_over_p10,
    }


def report_payload(made: Report) -> dict[str, Any]:
    """`{by, …, total, groups}`; each group has its dimensions' values under their names, null where a row had none."""
    cost = made.total.sums.cost_nanousd
    return {
        "by": list(made.by),
        "same": list(made.same),
        "markets": MARKETS,
        "groups_total": made.groups_total,
        "total": figures_payload(made.total, cost),
        "groups": [
            {**dict(zip(made.by, group.values, strict=True)), **figures_payload(group.figures, cost)}
            for group in made.groups
        ],
    }


def key_payload(policy: KeyPolicy, stored: StoredKey | None, now_ms: int) -> dict[str, Any]:
    """`state` is active, expired, revoked or ending (revoked with an overlap that still runs). Never a secret."""
    return {
        "name": policy.name,
        "key_id": None if stored is None else stored.key_id,
        "state": _state(policy, stored, now_ms),
        "source": policy.source,
        "org": policy.org,
        "team": policy.team,
        "project": policy.project,
        "user": policy.user,
        "models": list(policy.models),
        "max_output_tokens": policy.max_output_tokens,
        "rpm": policy.rate.rpm,
        "tpm": policy.rate.tpm,
        "in_flight": policy.rate.in_flight,
        "tags": policy.tags,
        "role": policy.role,
        "expires": iso_time(policy.expires_ms),
        "data": data_payload(policy.data),
        "created": None if stored is None else iso_time(stored.created_ms),
        "revoked": None if stored is None else iso_time(stored.revoked_ms),
    }


def data_payload(data: DataPolicy) -> dict[str, Any]:
    """What a data policy asks for, as the configuration writes it; empty where it asks for nothing."""
    asked = {
        "retention": data.retention,
        "training": data.training,
        "regions": list(data.regions),
        "providers": {name: list(of) for name, of in _filters(data) if of},
        "zdr": data.zdr,
        "quantizations": list(data.quantizations),
    }
    return {name: value for name, value in asked.items() if value not in (None, [], {}) and (value or name != "zdr")}


def _filters(data: DataPolicy) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("allow", data.providers_allow), ("deny", data.providers_deny)


def _state(policy: KeyPolicy, stored: StoredKey | None, now_ms: int) -> str:
    if stored is not None and stored.revoked_ms is not None:
        return "revoked" if stored.revoked_ms <= now_ms else "ending"
    return "expired" if policy.expires_ms is not None and policy.expires_ms <= now_ms else "active"


def audit_payload(entry: AuditEntry) -> dict[str, Any]:
    """One entry of the audit trail."""
    return {
        "seq": entry.seq,
        "ts": iso_time(entry.ts_ms),
        "by": entry.by,
        "action": entry.action,
        "target": entry.target,
        "detail": entry.detail,
        "chain": entry.chain,
    }


def budget_payload(budget: Budget) -> dict[str, Any]:
    """A budget as it was defined."""
    return {
        "scope": budget.scope,
        "window": budget.window,
        "limit_usd": usd_text(budget.limit_nanousd),
        "mode": budget.mode,
        "on_exhausted": budget.on_exhausted,
        "alerts": list(budget.alerts),
        "source": budget.source,
    }


def state_payload(state: BudgetState) -> dict[str, Any]:
    """One budget in its current window."""
    return {
        "scope": state.scope,
        "window_id": state.window_id,
        "limit_usd": usd_text(state.limit_nanousd),
        "settled_usd": usd_text(state.settled_nanousd),
        "held_usd": usd_text(state.held_nanousd),
        "left_usd": usd_text(state.left_nanousd),
        "idle_usd": usd_text(state.idle_nanousd),
        "mode": state.mode,
    }


def session_payload(session: Session) -> dict[str, Any]:
    """Identity, sums as in reports, and `agents` with the same sums each."""
    return {
        "session_id": session.session_id,
        **{name: session.who.get(name) for name in ("key", "user", "org", "team", "project", "pr", "branch")},
        "task": session.who.get("task"),
        "client": session.who.get("client"),
        "tags": session.tags,
        **_span(session.sums),
        "models": by_use(session.models),
        **sums_payload(session.sums),
        "agents": [_agent_payload(agent, session.sums) for agent in session.agents.values()],
    }


def _agent_payload(agent: Agent, whole: Sums) -> dict[str, Any]:
    cost = agent.sums.cost_nanousd
    return {
        "agent_id": agent.agent_id,
        "parent_id": agent.parent_id,
        "main": agent.agent_id is None,
        **_span(agent.sums),
        "models": by_use(agent.models),
        "cost_share": None if cost is None else share(cost, whole.cost_nanousd or 0),
        **sums_payload(agent.sums),
    }


def request_payload(line: RequestLine) -> dict[str, Any]:
    """One request of a session."""
    final = line.final
    return {
        "request_id": line.request_id,
        "agent_id": line.agent_id,
        **_span(line.sums),
        "models": list(line.models),
        "provider": final.provider,
        "status": final.status,
        "error_class": final.error_class,
        "finish_reason": final.finish_reason,
        "cache": final.cache,
        "reason": final.reason,
        **sums_payload(line.sums),
    }


def _span(sums: Sums) -> dict[str, Any]:
    return {"ts_start": iso_time(sums.first_ms), "ts_end": iso_time(sums.last_ms), "duration_s": duration_s(sums)}
