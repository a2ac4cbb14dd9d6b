"""How much to hold before an attempt, and how long the answer may become."""

from collections.abc import Sequence

from msgspec import Struct, structs

from bascule.decide.bounds import unstated_fees
from bascule.decide.budget import hold_mode, tightest
from bascule.decide.calibration import Calibration, output_p99_tokens
from bascule.decide.estimate import (
    MAX_COST,
    NO_OUTPUT,
    Asked,
    HoldPlan,
    OutputCap,
    Priced,
    fit_calls,
    fit_output,
    held_input_tokens,
    held_thinking_tokens,
    output_cap,
)
from bascule.decide.price import Ceiling, ceiling_at, ceilings, rates_for
from bascule.dialects.respelled import gained_bytes
from bascule.gateway.admission import Admitted
from bascule.gateway.calibrations import Calibrations
from bascule.gateway.surfaces import SURFACES, least_output, provider_dialect
from bascule.model.budget import BudgetState, Hold
from bascule.model.catalog import Endpoint
from bascule.model.errors import Refusal
from bascule.model.money import Rates
from bascule.model.plan import Candidate, Plan, Rejected
from bascule.model.policy import BudgetMode
from bascule.ports import Authority, Clock, Lending

MAX_CEILINGS = 4_096
"""Endpoints whose dearest rates are kept once they were worked out. Names of models come from clients."""
MAX_FITTINGS = 4
"""How often an output is cut anew because others took what was left."""


class Bound(Struct, frozen=True, kw_only=True):
    """What one attempt is held at, and the output cap that makes it true."""

    hold_nanousd: int | None
    """None where the cost has no known bound and no budget minds."""
    output_cap: int
    """Tokens per choice that the hold counts."""
    send_cap: int | None
    """The cap to write into the request; None leaves the client's own."""


class Call(Struct, frozen=True, kw_only=True):
    """A call that is planned for a request, among others."""

    request: Admitted
    """The client's own, or one that is made for it."""
    candidates: tuple[Candidate, ...]
    times: int = 1
    """How often it is made at most."""


class Holding:
    """Bounds of a request's attempts, by the budgets that apply to it."""

    def __init__(
        self,
        *,
        authority: Authority,
        calibrations: Calibrations,
        clock: Clock,
        enforce: bool,
        lending: Lending | None = None,
    ) -> None:
        """`lending` where several workers share budgets: what is left is then certain only once it is held."""
        self._authority = authority
        self.lending = lending
        self._calibrations = calibrations
        self._clock = clock
        self._enforce = enforce
        self._ceilings: dict[str, tuple[Ceiling, ...]] = {}

    def budgets(self, request: Admitted) -> tuple[BudgetState, ...]:
        """What applies to the request, as it is now."""
        return self._authority.applicable(request.attribution, self._clock.now_ms())

    def fit(
        self,
        request: Admitted,
        candidates: tuple[Candidate, ...],
        plan: Plan,
        budgets: tuple[BudgetState, ...] | None = None,
    ) -> HoldPlan | Refusal:
        """The hold that covers whichever of `candidates` answers; those that cannot be afforded are left out.

        `budgets` is what `budgets` has just said, where the caller needs it too.
        """
        now_ms = self._clock.now_ms()
        states = self._authority.applicable(request.attribution, now_ms) if budgets is None else budgets
        asked = self._asked(Call(request=request, candidates=candidates), plan, hold_mode(states), now_ms)
        if isinstance(asked, Refusal):
            return asked
        tight = tightest(states)
        return fit_output(
            asked.facts,
            asked.candidates,
            tight,
            max_cost_nanousd=plan.max_cost_nanousd if self._enforce else None,
            degrade=_degrades(tight),
        )

    def fit_calls(
        self, request: Admitted, calls: Sequence[Call], plan: Plan, budgets: tuple[BudgetState, ...]
    ) -> tuple[HoldPlan, ...] | Refusal:
        """The holds of all calls that are planned for a request, in their order: together they fit what is left."""
        mode, now_ms = hold_mode(budgets), self._clock.now_ms()
        asked: list[Asked] = []
        for call in calls:
            one = self._asked(call, plan, mode, now_ms)
            if isinstance(one, Refusal):
                return one
            asked.append(one)
        most = plan.max_cost_nanousd if self._enforce else None
        return fit_calls(asked, tightest(budgets), max_cost_nanousd=most)

    def _asked(self, call: Call, plan: Plan, mode: BudgetMode | None, now_ms: int) -> Asked | Refusal:
        request = _as_sent(call.request, *[candidate.endpoint for candidate in call.candidates])
        priced: list[Priced] = []
        for candidate in call.candidates:
            one = self._priced(request, candidate.endpoint, plan.max_output_tokens, mode, now_ms)
            if isinstance(one, Refusal):
                return one
            priced.append(one)
        return Asked(facts=request.facts, candidates=tuple(priced), times=call.times)

    async def reserve(self, request: Admitted, identifier: str, amount_nanousd: int | None) -> Hold | Refusal:
        """Money for several calls at once, under a name that no attempt has."""
        if self.lending is not None:
            return await self.lending.reserve(request.attribution, identifier, amount_nanousd)
        return self._authority.reserve(request.attribution, identifier, amount_nanousd, self._clock.now_ms())

    async def fit_anew(
        self,
        lending: Lending,
        request: Admitted,
        candidates: tuple[Candidate, ...],
        plan: Plan,
        refused: Refusal,
    ) -> tuple[tuple[BudgetState, ...], HoldPlan | Refusal]:
        """Where a fit was refused on what this worker knows: what is left in truth, and the fit to that."""
        budgets = self.budgets(request)
        if refused.kind != "budget_exhausted" or refused.scope == MAX_COST:
            return budgets, refused
        away = await lending.look(request.attribution, refused.needed_nanousd or 0)
        if away is not None:
            return budgets, away
        budgets = self.budgets(request)
        return budgets, self.fit(request, candidates, plan, budgets)

    async def secure(
        self, lending: Lending, request: Admitted, candidate: Candidate, plan: Plan, bound: Bound, attempt_id: str
    ) -> tuple[Bound, Hold] | Refusal:
        """Hold the bound of an attempt. Where others were quicker, one that what is left still covers."""
        for fittings_left in reversed(range(MAX_FITTINGS)):
            hold = await lending.reserve(request.attribution, attempt_id, bound.hold_nanousd)
            if isinstance(hold, Hold):
                return bound, hold
            if hold.kind != "budget_exhausted" or not fittings_left:
                return hold
            fitted = self.fit(request, (candidate,), plan)
            if isinstance(fitted, Refusal):
                return fitted
            smaller = bound_at(fitted, 0)
            if (smaller.hold_nanousd or 0) >= (bound.hold_nanousd or 0):
                return hold
            bound = smaller
        raise AssertionError("the last fitting returns")

    def _priced(
        self, request: Admitted, endpoint: Endpoint, route_cap: int | None, mode: BudgetMode | None, now_ms: int
    ) -> Priced | Refusal:
        facts = request.facts
        calibration = self._calibrations.of(endpoint.id)
        cap = self.cap(request, endpoint, calibration, route_cap=route_cap)
        if endpoint.free or request.work == "count_tokens":
            # Nothing is a bound of tokens too, so that no number of them is refused.
            fees = unstated_fees(facts, endpoint) if mode == "strict" and request.work == "chat" else None
            return fees or Priced(input_tokens=0, rates=None, cap=cap, free=True)
        # Without a budget nothing is stranded by a large hold, and recovery must not settle below the bill.
        tokens = held_input_tokens(facts, endpoint.bounds, calibration, mode or "strict", endpoint.context_window)
        if isinstance(tokens, Refusal):
            if mode is not None:
                return tokens
            tokens = held_input_tokens(facts, endpoint.bounds, calibration, None, endpoint.context_window)
            if isinstance(tokens, Refusal):
                return tokens
        thinking = _thinking_tokens(request, endpoint, mode)
        if isinstance(thinking, Refusal):
            return thinking
        return Priced(
            input_tokens=tokens,
            rates=self._dearest(endpoint, now_ms, tokens, facts.service_tier),
            cap=cap,
            thinking_tokens=thinking,
            mode=mode or "strict",
            name=endpoint.id,
        )

    def _dearest(self, endpoint: Endpoint, now_ms: int, tokens: int, service_tier: str | None) -> Rates | None:
        """Rates that nothing of this size can exceed there; worked out once per endpoint. None where the dearer tier
        that is asked for has no price."""
        if endpoint.prices is None:
            return None
        if service_tier is not None:
            asked = rates_for(endpoint.prices, now_ms, input_tokens=tokens, service_tier=service_tier)
            if asked is None:
                return None
        found = self._ceilings.get(endpoint.id)
        if found is None:
            if len(self._ceilings) >= MAX_CEILINGS:
                self._ceilings.clear()
            found = self._ceilings[endpoint.id] = ceilings(endpoint.prices)
        return ceiling_at(found, now_ms, tokens)

    def cap(
        self, request: Admitted, endpoint: Endpoint, calibration: Calibration, *, route_cap: int | None
    ) -> OutputCap:
        """How long an answer may become there."""
        if request.work != "chat":
            return NO_OUTPUT
        limited = self._enforce and not request.helps
        return output_cap(
            request.facts,
            request.key.max_output_tokens if limited else None,
            route_cap if limited else None,
            endpoint.max_output,
            output_p99_tokens(calibration),
            least=least_output(request.surface, endpoint),
        )

    def longest(self, request: Admitted, endpoint: Endpoint, *, route_cap: int | None) -> int:
        """The output cap that a strict budget would count there, in tokens per choice, before it is cut to fit."""
        return self.cap(request, endpoint, self._calibrations.of(endpoint.id), route_cap=route_cap).tokens

    def least(self, request: Admitted, endpoint: Endpoint) -> int | None:
        """The smallest hold with which this request could be sent there; None where it has no price or bound."""
        request = _as_sent(request, endpoint)
        now_ms = self._clock.now_ms()
        mode = hold_mode(self._authority.applicable(request.attribution, now_ms))
        priced = self._priced(request, endpoint, None, mode, now_ms)
        if isinstance(priced, Refusal):
            return None
        # A limit of nothing halves the output as far as it may be halved.
        fitted = fit_output(request.facts, [priced], None, max_cost_nanousd=0)
        if isinstance(fitted, Refusal):
            return fitted.needed_nanousd
        return fitted.amount_nanousd


def _thinking_tokens(request: Admitted, endpoint: Endpoint, mode: BudgetMode | None) -> int | Refusal:
    """Output beside the cap, per choice. Without a budget what has no bound is not refused."""
    if request.work != "chat":
        return 0
    held = held_thinking_tokens(request.facts, endpoint.bounds, mode or "strict", endpoint.context_window)
    if isinstance(held, Refusal) and mode is None:
        return held_thinking_tokens(request.facts, endpoint.bounds, None)
    return held


def _as_sent(request: Admitted, *endpoints: Endpoint) -> Admitted:
    """What of a request costs money at these endpoints: a vendor's own searches and its switch for thinking only where
    its dialect is spoken, for anywhere else they are left out or refused; and the text as long as it gets where it is
    written anew."""
    facts, own = request.facts, SURFACES[request.surface].dialect
    relayed = [provider_dialect(request.surface, endpoint) == own for endpoint in endpoints]
    if facts.web_tools and not any(relayed):
        facts = structs.replace(facts, web_tools=())
    if facts.thinking is not None and not any(relayed):
        facts = structs.replace(facts, thinking=None)
    if (facts.has_json_schema or not all(relayed)) and (gained := gained_bytes(request.raw)):
        facts = structs.replace(facts, text_bytes=facts.text_bytes + gained)
    return request if facts is request.facts else structs.replace(request, facts=facts)


def affordable(plan: Plan, hold: HoldPlan) -> Plan:
    """The plan with only those candidates that the hold covers."""
    if len(hold.candidates) == len(plan.candidates):
        return plan
    left_out = [c for at, c in enumerate(plan.candidates) if at not in hold.candidates]
    return structs.replace(
        plan,
        candidates=tuple([plan.candidates[at] for at in hold.candidates]),
        rejected=(*plan.rejected, *[Rejected(c.endpoint.id, "not affordable") for c in left_out]),
    )


def bound_at(hold: HoldPlan, position: int) -> Bound:
    """The bound of the candidate at a position of `hold.candidates`."""
    return Bound(
        hold_nanousd=hold.amount_nanousd,
        output_cap=hold.max_tokens[position],
        send_cap=hold.send_tokens[position],
    )


def degrades(states: tuple[BudgetState, ...]) -> bool:
    """Whether the budget with the least left goes on with what is cheaper, rather than refuse."""
    return _degrades(tightest(states))


def _degrades(tight: BudgetState | None) -> bool:
    return tight is not None and tight.on_exhausted == "degrade"
