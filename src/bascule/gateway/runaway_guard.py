"""What is done about a session that runs away: a header, a cheaper plan, or an end."""

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from bascule.decide.data_policy import violation
from bascule.decide.runaway import RunawayPolicy
from bascule.gateway.admission import Admitted
from bascule.gateway.exchange import Exchange, Incoming
from bascule.gateway.planning import Planned
from bascule.gateway.respond import header_text
from bascule.gateway.runaway import RunawayRules, RunawayWatch, Verdict, words
from bascule.link import Snapshot
from bascule.model.errors import Refusal
from bascule.model.plan import Candidate, Plan
from bascule.ports import Header

REASON = "runaway session"


class RunawayGuard(Struct, frozen=True, kw_only=True):
    """One configuration's."""

    watch: RunawayWatch
    rules: RunawayRules
    degrade_to: tuple[str, ...]
    snapshot: Snapshot
    observe: bool
    """Tell, and change nothing."""

    def guard(
        self, exchange: Exchange, request: Admitted, planned: Planned, replan: Callable[[Admitted], Planned | Refusal]
    ) -> tuple[Exchange, Planned] | Refusal:
        """The exchange and the plan to go on with. `replan` plans a request anew."""
        verdict = self.watch.judge(self.rules, request, planned.plan.route)
        if verdict is None or self.observe:
            return exchange, planned
        if verdict.step == "stop":
            return self._stopped(request, verdict)
        done = verdict.step
        if verdict.step == "degrade":
            cheaper = self._cheaper(request, planned.plan, replan)
            if cheaper is None:
                done = "warn"
            else:
                planned = structs.replace(planned, plan=cheaper)
        said = header_text(f"{done}; {verdict.finding.rule}")
        return Noticed(exchange, (b"x-bascule-runaway", said)), planned

    def _stopped(self, request: Admitted, verdict: Verdict) -> Refusal:
        """403 and no 429: clients wait for the latter and send the same again."""
        session = request.identity.session_id
        return Refusal(
            kind="forbidden",
            message=f"session {session} was stopped, for it runs away: {words(verdict.finding)}. It may go on after "
            f"{self.rules.cooldown_s:g} s of rest, or by `bascule sessions resume`",
            code="session_stopped",
        )

    def _cheaper(self, request: Admitted, plan: Plan, replan: Callable[[Admitted], Planned | Refusal]) -> Plan | None:
        """The plan with the cheaper ones first, or another; None where nothing cheaper is known."""
        if not self.degrade_to:
            return _cheapest_first(plan)
        first, *others = self.degrade_to
        ask = structs.replace(request.ask, model=first, fallback_models=tuple(others), suffix=None, quality=None)
        found = replan(structs.replace(request, ask=ask))
        if isinstance(found, Refusal):
            return None
        route = None if plan.route is None else self.snapshot.route(plan.route)
        allowed = [one for one in found.plan.candidates if route is None or violation(route.data, one.endpoint) is None]
        if not allowed:
            return None
        return _for(structs.replace(plan, candidates=tuple(allowed)))


def guard_of(snapshot: Snapshot, watch: RunawayWatch) -> RunawayGuard | None:
    """A configuration's guard; None where nobody wants to know."""
    config = snapshot.config.runaway
    if {config.action, *config.keys.values(), *config.routes.values()} == {"off"}:
        return None
    return RunawayGuard(
        watch=watch,
        rules=RunawayRules(
            policy=RunawayPolicy(**{name: getattr(config, name) for name in RunawayPolicy.__struct_fields__}),
            action=config.action,
            keys=config.keys,
            routes=config.routes,
            cooldown_s=config.cooldown_s,
            max_sessions=config.max_sessions,
        ),
        degrade_to=config.degrade_to,
        snapshot=snapshot,
        observe=snapshot.config.mode == "observe",
    )


def _cheapest_first(plan: Plan) -> Plan | None:
    """Only among candidates that are good enough, if any is; what costs an unknown amount is not cheaper."""
    known = [one for one in plan.candidates if one.expected_nanousd is not None and one.adequate]
    ordered = sorted(known, key=_expected)
    if not ordered or _expected(ordered[0]) >= _expected_or_less(plan.candidates[0]):
        return None
    rest = [one for one in plan.candidates if one not in ordered]
    return _for(structs.replace(plan, candidates=(*ordered, *rest)))


def _expected(candidate: Candidate) -> int:
    return candidate.expected_nanousd or 0


def _expected_or_less(candidate: Candidate) -> float:
    return float("inf") if candidate.expected_nanousd is None else candidate.expected_nanousd


def _for(plan: Plan) -> Plan:
    return structs.replace(
        plan,
        candidates=tuple([structs.replace(one, reason=REASON) for one in plan.candidates]),
        reason=REASON,
    )


class Noticed:
    """Implements `Exchange`: another one, with a header more in its answer."""

    def __init__(self, exchange: Exchange, header: Header) -> None:
        self._exchange = exchange
        self._header = header

    @property
    def incoming(self) -> Incoming:
        return self._exchange.incoming

    @property
    def started(self) -> bool:
        return self._exchange.started

    @property
    def gone(self) -> bool:
        return self._exchange.gone

    def watch(self, on_gone: Callable[[], None]) -> None:
        self._exchange.watch(on_gone)

    async def respond(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        await self._exchange.respond(status, [*headers, self._header], body)

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        await self._exchange.start(status, [*headers, self._header])

    async def send(self, data: bytes) -> None:
        await self._exchange.send(data)

    async def end(self, data: bytes) -> None:
        await self._exchange.end(data)
