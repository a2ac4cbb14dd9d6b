"""What the gateway would do with a request, worked out by the gateway's own functions, nothing sent or recorded."""

from collections.abc import Mapping

from msgspec import Struct

from bascule.compose import Store, SystemClock, budgets_of
from bascule.config.shape import QUALITY_LEVELS
from bascule.decide.calibration import Calibration, input_tokens
from bascule.decide.estimate import (
    EXPECTED_IMAGE_TOKENS,
    HoldPlan,
    expected_cost,
    expected_input_tokens,
    expected_output_tokens,
)
from bascule.decide.language import language_of
from bascule.decide.price import rates_for
from bascule.decide.resolve import resolve
from bascule.decide.route import RouteTable
from bascule.decide.tier import Tier, tier_of
from bascule.dialects.registry import dialect
from bascule.gateway.admission import OPEN_KEY, Admitted, admit
from bascule.gateway.bodies import Bodies
from bascule.gateway.calibrations import Calibrations
from bascule.gateway.evidence.book import Kept
from bascule.gateway.evidence.earning import Earning
from bascule.gateway.exchange import Incoming
from bascule.gateway.holding import Holding, affordable, bound_at, degrades
from bascule.gateway.planning import Planned, Planning
from bascule.gateway.strategies.kit import Kit, Ready
from bascule.gateway.strategies.strategies import Strategies
from bascule.gateway.surfaces import SURFACES
from bascule.gateway.wellbeing import Wellbeing
from bascule.link import Snapshot
from bascule.link.evidence import evidence_policies
from bascule.model.budget import BudgetState
from bascule.model.catalog import Endpoint
from bascule.model.errors import Refusal
from bascule.model.plan import Candidate, Plan
from bascule.model.policy import Budget, KeyPolicy
from bascule.model.row import RowFilter
from bascule.offline.budgets import budget_states, rows_since_ms
from bascule.offline.lengths import Lengths, lengths_by_endpoint
from bascule.storage.memory.authority import MemoryAuthority

HISTORY_MS = 30 * 24 * 3_600_000
_UNKNOWN = Calibration()


class Prospect(Struct, frozen=True, kw_only=True):
    """A candidate and what it would cost. Money in nano-USD; None is unknown or not affordable."""

    candidate: Candidate
    tokens_in_p50: int
    tokens_in_p95: int
    tokens_out_p50: int
    tokens_out_p95: int
    output_cap: int | None
    send_cap: int | None
    """What would be written into the request; None leaves the client's own."""
    p50_nanousd: int | None
    p95_nanousd: int | None
    cap_nanousd: int | None
    """What would be held for this candidate alone."""
    tier: Tier | None
    """None: its price is unknown."""
    answers: int
    """Past answers that the lengths come from; 0: an assumed length."""


class Explanation(Struct, frozen=True, kw_only=True):
    request: Admitted | None
    planned: Planned | None
    hold: HoldPlan | None
    refusal: Refusal | None
    budgets: tuple[BudgetState, ...] = ()
    prospects: tuple[Prospect, ...] = ()
    plan: Plan | None = None
    """As it would be followed: without what the hold does not cover."""
    strategy: Ready | None = None
    """Where several models would work on it."""


class OneKey:
    """Implements `ports.KeyStore` for the one key that is asked about."""

    def __init__(self, policy: KeyPolicy | None) -> None:
        self._policy = policy

    @property
    def is_open(self) -> bool:
        return self._policy is None

    @property
    def outage(self) -> str | None:
        return None

    def lookup(self, secret: bytes) -> KeyPolicy | None:
        return self._policy


def explain(snapshot: Snapshot, store: Store | None, incoming: Incoming, key: KeyPolicy | None) -> Explanation:
    """`store` None: nothing has been spent yet. `key` None: a request that no key limits."""
    clock = SystemClock()
    now_ms = clock.now_ms()
    config = snapshot.config
    observing = config.mode == "observe"
    authority = _authority(snapshot, store, now_ms)
    calibrations = Calibrations()
    holding = Holding(authority=authority, calibrations=calibrations, clock=clock, enforce=not observing)
    planning = Planning(
        RouteTable(snapshot),
        mode=config.mode,
        calibrations=calibrations,
        holding=holding,
        wellbeing=Wellbeing(),
        earning=None if observing else _earning(snapshot, store),
    )
    request = admit(
        incoming,
        request_id="req_explain",
        keys=OneKey(key),
        bodies=Bodies(),
        dialect=dialect(SURFACES[incoming.surface].dialect),
        quality_levels={**QUALITY_LEVELS, **config.quality_levels},
        registry=snapshot,
        enforce=not observing,
        now_ms=now_ms,
        now_s=clock.monotonic_s(),
    )
    if isinstance(request, Refusal):
        return Explanation(request=None, planned=None, hold=None, refusal=request)
    budgets = authority.applicable(request.attribution, now_ms)
    planned = planning.plan(request)
    if isinstance(planned, Refusal):
        return Explanation(request=request, planned=None, hold=None, refusal=planned, budgets=budgets)
    plan = planned.plan
    hold = holding.fit(request, plan.candidates, plan)
    ready = None if observing else _strategy(snapshot, holding, planning, request, plan)
    if isinstance(ready, Refusal):
        ready, hold = (None, hold) if ready.kind == "budget_exhausted" and degrades(budgets) else (None, ready)
    lengths = _lengths(store, plan, now_ms)
    prospects = tuple(
        [_prospect(request, candidate, plan, holding, lengths, snapshot) for candidate in plan.candidates]
    )
    refused = isinstance(hold, Refusal)
    return Explanation(
        request=request,
        planned=planned,
        hold=None if isinstance(hold, Refusal) else hold,
        refusal=hold if isinstance(hold, Refusal) else None,
        budgets=budgets,
        prospects=prospects,
        plan=plan if refused or isinstance(hold, Refusal) else affordable(plan, hold),
        strategy=ready,
    )


def _earning(snapshot: Snapshot, store: Store | None) -> Earning | None:
    """Who has earned which traffic, as it stands in the store; None where no route has challengers."""
    policies = evidence_policies(snapshot)
    if not policies:
        return None
    return Earning(snapshot, policies, Kept([] if store is None else store.stores.evidence.trials()))


def _strategy(
    snapshot: Snapshot, holding: Holding, planning: Planning, request: Admitted, plan: Plan
) -> Ready | Refusal | None:
    """The calls that would be planned; None where one call serves."""
    found = Strategies(snapshot).of(plan) if request.work == "chat" else None
    if found is None:
        return None
    route, strategist = found
    return strategist.ready(Kit(holding=holding, planning=planning, request=request, plan=plan, route=route))


def _authority(snapshot: Snapshot, store: Store | None, now_ms: int) -> MemoryAuthority:
    """The budgets with what the ledger says has been spent and held, a running gateway's holds included."""
    if store is None:
        return MemoryAuthority(snapshot.budgets, lambda scope, bounds: 0)
    budgets: tuple[Budget, ...] = budgets_of(snapshot, store.governance.budgets())
    view = store.view

    def spent(scope: str, bounds: tuple[int, int | None]) -> int:
        """Of a session, to see whether it is running; everything else has been preloaded."""
        session = scope.partition(":")[2]
        rows = view.attempts(RowFilter(since_ms=bounds[0], until_ms=bounds[1], session_id=session))
        return sum(row.charged_nanousd for row in rows)

    authority = MemoryAuthority(budgets, spent)
    rows = view.attempts(RowFilter(since_ms=rows_since_ms(budgets, now_ms))) if budgets else ()
    states = budget_states(budgets, rows, now_ms)
    authority.preload({(s.scope, s.window_id): (s.settled_nanousd, s.held_nanousd) for s in states})
    return authority


def _lengths(store: Store | None, plan: Plan, now_ms: int) -> Mapping[str, Lengths]:
    if store is None:
        return {}
    found: dict[str, Lengths] = {}
    for model in dict.fromkeys([candidate.model for candidate in plan.candidates]):
        found |= lengths_by_endpoint(store.view.attempts(RowFilter(since_ms=now_ms - HISTORY_MS, model=model)))
    return found


def _prospect(
    request: Admitted,
    candidate: Candidate,
    plan: Plan,
    holding: Holding,
    lengths: Mapping[str, Lengths],
    snapshot: Snapshot,
) -> Prospect:
    endpoint = candidate.endpoint
    facts = request.facts
    alone = holding.fit(request, (candidate,), plan)
    bound = None if isinstance(alone, Refusal) else bound_at(alone, 0)
    cap = holding.cap(request, endpoint, _UNKNOWN, route_cap=plan.max_output_tokens)
    most = cap.tokens if bound is None else bound.output_cap
    known = lengths.get(endpoint.id)
    assumed = expected_output_tokens(_UNKNOWN, cap)
    out_p50 = min(most, assumed if known is None else known.p50)
    out_p95 = most if known is None else min(most, known.p95)
    in_p50 = round(input_tokens(_UNKNOWN, facts.text_bytes)) + len(facts.images) * EXPECTED_IMAGE_TOKENS
    in_p95 = expected_input_tokens(facts, _UNKNOWN)
    return Prospect(
        candidate=candidate,
        tokens_in_p50=in_p50,
        tokens_in_p95=in_p95,
        tokens_out_p50=out_p50 * facts.n,
        tokens_out_p95=out_p95 * facts.n,
        output_cap=None if bound is None else bound.output_cap,
        send_cap=None if bound is None else bound.send_cap,
        p50_nanousd=_cost(request, endpoint, in_p50, out_p50),
        p95_nanousd=_cost(request, endpoint, in_p95, out_p95),
        cap_nanousd=None if bound is None else bound.hold_nanousd,
        tier=_tier(request, candidate, snapshot),
        answers=0 if known is None else known.answers,
    )


def _tier(request: Admitted, candidate: Candidate, snapshot: Snapshot) -> Tier | None:
    found = resolve(candidate.model, snapshot)
    if isinstance(found, Refusal) or found.model is None:
        return None
    prices = candidate.endpoint.prices
    return tier_of(
        found.model,
        candidate.endpoint,
        None if prices is None else rates_for(prices, request.started_ms, input_tokens=0),
    )


def facts_seen(request: Admitted) -> dict[str, object]:
    """What routing read of the request, without its text."""
    facts = request.facts
    return {
        "text_bytes": facts.text_bytes,
        "messages": facts.messages,
        "tools": facts.tools,
        "images": len(facts.images),
        "language": language_of(facts.first_user_text),
        "stream": facts.stream,
        "max_tokens": facts.max_tokens,
        "json_schema": facts.has_json_schema,
        "reasoning": facts.has_reasoning,
        "deadline_s": None if request.ask.deadline_ms is None else request.ask.deadline_ms / 1000,
    }


def _cost(request: Admitted, endpoint: Endpoint, tokens_in: int, tokens_out: int) -> int | None:
    if endpoint.free:
        return 0
    if endpoint.prices is None:
        return None
    rates = rates_for(endpoint.prices, request.started_ms, input_tokens=tokens_in)
    return None if rates is None else expected_cost(request.facts, rates, tokens_in, tokens_out)


def policy_of(name: str, snapshot: Snapshot, store: Store | None, now_ms: int) -> KeyPolicy | None:
    """The key of this name, of the file or made by command."""
    for key in snapshot.keys:
        if key.policy.name == name:
            return key.policy
    if store is None:
        return None
    from bascule.storage.keys import live_keys

    return next((key.policy for key in live_keys(store.governance, now_ms) if key.policy.name == name), None)


__all__ = ["OPEN_KEY", "Explanation", "Prospect", "explain", "policy_of"]
