"""Keys, budgets and sessions as JSON documents with stable keys; money as decimal strings of dollars."""

from typing import Any

from bascule.model.budget import BudgetState
from bascule.model.money import usd_text
from bascule.model.policy import Budget, KeyPolicy
from bascule.offline.payload import sums_payload
from bascule.offline.percentile import share
from bascule.offline.rows import iso_time
from bascule.offline.sessions import Agent, RequestLine, Session
from bascule.offline.sums import Sums
from bascule.ports import StoredKey


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
        "created": None if stored is None else iso_time(stored.created_ms),
        "revoked": None if stored is None else iso_time(stored.revoked_ms),
    }


def _state(policy: KeyPolicy, stored: StoredKey | None, now_ms: int) -> str:
    if stored is not None and stored.revoked_ms is not None:
        return "revoked" if stored.revoked_ms <= now_ms else "ending"
    return "expired" if policy.expires_ms is not None and policy.expires_ms <= now_ms else "active"


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


def state_payload(state: BudgetState, source: str) -> dict[str, Any]:
    """One budget in its current window."""
    return {
        "scope": state.scope,
        "window_id": state.window_id,
        "limit_usd": usd_text(state.limit_nanousd),
        "settled_usd": usd_text(state.settled_nanousd),
        "held_usd": usd_text(state.held_nanousd),
        "left_usd": usd_text(state.left_nanousd),
        "mode": state.mode,
        "on_exhausted": state.on_exhausted,
        "source": source,
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
        "models": _by_use(session.models),
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
        "models": _by_use(agent.models),
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
    """From the first attempt's start to the last one's end."""
    duration_s = None
    if sums.first_ms is not None and sums.last_ms is not None:
        duration_s = round((sums.last_ms - sums.first_ms) / 1000, 3)
    return {"ts_start": iso_time(sums.first_ms), "ts_end": iso_time(sums.last_ms), "duration_s": duration_s}


def _by_use(models: dict[str, int]) -> list[str]:
    return sorted(models, key=lambda name: (-models[name], name))
