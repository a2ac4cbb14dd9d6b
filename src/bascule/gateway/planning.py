"""From an admitted request to a plan: the pure decision, given what this moment knows."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from msgspec import Struct, structs

from bascule.decide.breaker import Status
from bascule.decide.circumstances import Circumstances
from bascule.decide.estimate import expected_cost, expected_input_tokens, expected_output_tokens
from bascule.decide.giving_up import CIRCUIT_OPEN
from bascule.decide.observe import Observed, observe
from bascule.decide.price import rates_for
from bascule.decide.resolve import resolve
from bascule.decide.route import RouteTable, route, route_through
from bascule.decide.tier import tier_of
from bascule.gateway.admission import Admitted
from bascule.gateway.calibrations import Calibrations
from bascule.gateway.holding import Holding
from bascule.gateway.routing_state import RoutingState
from bascule.gateway.wellbeing import Wellbeing
from bascule.model.catalog import Endpoint
from bascule.model.errors import Refusal
from bascule.model.money import Rates
from bascule.model.plan import Candidate, Plan
from bascule.model.policy import RoutePolicy, ServingMode

LATENCY_PERCENTILE = 0.9
"""Of an endpoint's times to first content, for `max_ttft_s` and objectives that count time."""


class Planned(Struct, frozen=True, kw_only=True):
    """A plan, and in `mode: observe` what enforcing would have done."""

    plan: Plan
    health: Mapping[str, Status] = {}
    """What was not well, by target."""
    observed: dict[str, Any] | None = None


class Earned(Protocol):
    """What of challengers' evidence planning asks."""

    def circumstances(self, request: Admitted) -> dict[str, Any]:
        """Fields of `Circumstances` that evidence has a say in."""
        ...

    def applied(self, request: Admitted, plan: Plan) -> Plan:
        """The plan with who has earned the request's session in front."""
        ...


class Planning:
    """Routes requests of one configuration."""

    def __init__(
        self,
        table: RouteTable,
        *,
        mode: ServingMode,
        calibrations: Calibrations,
        holding: Holding,
        wellbeing: Wellbeing,
        earning: Earned | None = None,
        state: RoutingState | None = None,
    ) -> None:
        """`earning` None: no route has challengers. `state` None: nothing is known of sessions and shares yet."""
        self._table = table
        self._observe = mode == "observe"
        self._calibrations = calibrations
        self._holding = holding
        self._wellbeing = wellbeing
        self._earning = earning
        self._state = RoutingState() if state is None else state

    def plan(self, request: Admitted) -> Planned | Refusal:
        """Who may answer, in which order."""
        now = self._circumstances(
            request,
            **({} if self._earning is None else self._earning.circumstances(request)),
        )
        arguments = (request.ask, request.facts, request.attribution, request.identity, self._table, now)
        if not self._observe:
            plan = route(*arguments)
            if not isinstance(plan, Refusal):
                if self._earning is not None:
                    plan = self._earning.applied(request, plan)
                self._count(request, plan)
                return Planned(plan=plan, health=now.health)
            return self._told_when(plan, request) if now.health and plan.kind == "overloaded" else plan
        found = observe(*arguments)
        if isinstance(found, Refusal):
            return found
        return Planned(plan=found.plan, observed=_would_have(found))

    def plan_among(self, request: Admitted, route_policy: RoutePolicy, models: tuple[str, ...]) -> Plan | Refusal:
        """Who of these models may be asked a request of our own for one of a client's: by the same constraints of
        route, key and request on data, providers and health; without a floor and without rules, which are about who
        answers."""
        policy = structs.replace(route_policy, candidates=models, quality=None, rules=(), max_cost_nanousd=None)
        ask = structs.replace(
            request.ask, model=policy.name, fallback_models=(), quality=None, max_cost_nanousd=None, suffix=None
        )
        now = structs.replace(self._circumstances(request), session=None)
        return route_through(policy, ask, request.facts, request.attribution, request.identity, self._table, now)

    def charge(self, request: Admitted, plan: Plan, candidate: Candidate) -> None:
        """A candidate that was not the plan's first is asked: it counts against the caps on dear models as well."""
        policy = self._capped(plan)
        if policy is not None and self._is_dear(request, candidate):
            self._state.dear.charge(policy, request.key.name, request.identity.session_id)

    def _count(self, request: Admitted, plan: Plan) -> None:
        policy = self._capped(plan)
        if policy is not None:
            dear = self._is_dear(request, plan.candidates[0])
            self._state.dear.count(policy, request.key.name, request.identity.session_id, dear=dear)

    def _capped(self, plan: Plan) -> RoutePolicy | None:
        policy = None if plan.route is None else self._table.registry.route(plan.route)
        return policy if policy is not None and policy.dear is not None else None

    def _is_dear(self, request: Admitted, candidate: Candidate) -> bool:
        found = resolve(candidate.model, self._table.registry)
        model = None if isinstance(found, Refusal) else found.model
        if model is None:
            return True  # what is not known is not cheap
        return tier_of(model, candidate.endpoint, self._rates(request, candidate.endpoint)) in ("premium", None)

    def _circumstances(self, request: Admitted, **more: Any) -> Circumstances:
        state = self._state
        return Circumstances(
            now_ms=request.started_ms,
            hold_of=partial(self._holding.least, request),
            expected_cost_of=partial(self._expected, request),
            rates_of=partial(self._rates, request),
            health=self._wellbeing.statuses(request.started_s),
            ttft_of=partial(self._ttft_s, request),
            dear_spent=lambda policy: state.dear.spent(policy, request.key.name, request.identity.session_id),
            full=state.occupancy.full,
            session=state.sessions.of(request),
            turns_left=state.sessions.turns_left,
            budget_left_nanousd=partial(self._budget_left, request),
            **more,
        )

    def _ttft_s(self, request: Admitted, model: str, endpoint: Endpoint) -> float | None:
        outliers = self._wellbeing.outlier_policy
        if outliers is None:
            return None
        return self._wellbeing.peers.first_content_s(
            model, endpoint.id, request.started_s, share=LATENCY_PERCENTILE, window_s=outliers.window_s
        )

    def _budget_left(self, request: Admitted) -> int | None:
        return min([state.left_nanousd for state in self._holding.budgets(request)], default=None)

    def _told_when(self, refusal: Refusal, request: Admitted) -> Refusal:
        """Only endpoints that keep failing are left. One request at a time looks whether that has passed."""
        soonest_s = self._wellbeing.soonest_s(request.started_s)
        return structs.replace(refusal, code=CIRCUIT_OPEN, retry_after_s=soonest_s)

    def _expected(self, request: Admitted, endpoint: Endpoint) -> int | None:
        """What this request will probably cost there; 0 only where it is free."""
        if endpoint.free:
            return 0
        calibration = self._calibrations.of(endpoint.id)
        tokens_in = expected_input_tokens(request.facts, calibration)
        rates = self._rates(request, endpoint, tokens_in)
        if rates is None:
            return None
        cap = self._holding.cap(request, endpoint, calibration, route_cap=None)
        return expected_cost(request.facts, rates, tokens_in, expected_output_tokens(calibration, cap))

    def _rates(self, request: Admitted, endpoint: Endpoint, input_tokens: int = 0) -> Rates | None:
        if endpoint.prices is None:
            return None
        return rates_for(endpoint.prices, request.started_ms, input_tokens=input_tokens)


def _would_have(found: Observed) -> dict[str, Any]:
    enforced = found.enforced
    if isinstance(enforced, Refusal):
        return {"refusal": f"{enforced.kind}: {enforced.message}"}
    first = enforced.candidates[0]
    return {"endpoint": first.endpoint.id, "reason": first.reason, "expected_nanousd": first.expected_nanousd}
