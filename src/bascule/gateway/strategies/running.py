"""A request that is served by a strategy, from its hold to its end."""

from bascule.decide.budget import hold_mode
from bascule.gateway.admission import Admitted
from bascule.gateway.client import Client
from bascule.gateway.decisions import Recorder
from bascule.gateway.effects import Answered, Effects
from bascule.gateway.exchange import Exchange
from bascule.gateway.holding import degrades
from bascule.gateway.planning import Planned
from bascule.gateway.strategies.kit import Kit, Ready, Strategist
from bascule.gateway.subcalls import Subcalls
from bascule.gateway.tally import Tally
from bascule.model.errors import Refusal


class Running:
    """As `Serving` for one call: `run` answers the client, its result says what is left to do."""

    def __init__(
        self,
        effects: Effects,
        exchange: Exchange,
        request: Admitted,
        ready: Ready,
        *,
        tally: Tally,
        strict: bool,
        keep_bytes: int,
    ) -> None:
        self.tally = tally
        self._ready = ready
        self._calls = Subcalls(
            effects,
            Client(exchange),
            request,
            tally=tally,
            strict=strict,
            keep_bytes=keep_bytes,
            max_answer_bytes=ready.max_answer_bytes,
        )

    async def run(self) -> Refusal | None:
        refused = await self._calls.hold(self._ready.calls, self._ready.times)
        if refused is not None:
            return refused
        try:
            return await self._ready.course(self._calls)
        finally:
            self._calls.close()

    @property
    def started(self) -> bool:
        return self._calls.started

    @property
    def complete(self) -> bool:
        return self._calls.complete

    @property
    def billable(self) -> bool:
        return self.tally.billable

    @property
    def attempts(self) -> int:
        return self.tally.attempts

    @property
    def answered(self) -> Answered | None:
        return self._calls.answered


async def begin(
    kit: Kit,
    strategist: Strategist,
    exchange: Exchange,
    effects: Effects,
    planned: Planned,
    recorder: Recorder,
    *,
    keep_bytes: int,
) -> Running | Refusal | None:
    """Plan the calls, fit them to the money that is left, and write down what was decided. None: one call is to serve
    the request after all."""
    request, holding = kit.request, effects.holding
    ready = strategist.ready(kit)
    if isinstance(ready, Refusal) and ready.kind == "budget_exhausted" and holding.lending is not None:
        away = await holding.lending.look(request.attribution, ready.needed_nanousd or 0)
        ready = strategist.ready(kit) if away is None else away
    budgets = holding.budgets(request)
    if ready is None or (isinstance(ready, Refusal) and ready.kind == "budget_exhausted" and degrades(budgets)):
        return None
    if isinstance(ready, Refusal):
        recorder.refused(request, ready, kit.plan)
        return ready
    decision = recorder.planned(
        request,
        kit.plan,
        budgets,
        health=planned.health,
        observed=planned.observed,
        price_version=effects.price_version,
        strategy=ready.told(),
    )
    return Running(
        effects,
        exchange,
        request,
        ready,
        tally=Tally(decision),
        strict=hold_mode(budgets) == "strict",
        keep_bytes=keep_bytes,
    )
