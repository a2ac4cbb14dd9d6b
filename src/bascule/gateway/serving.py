"""One admitted request on its way through its plan: attempt after attempt until `next_step` says that it is over."""

import asyncio
import logging
from collections.abc import Callable

from msgspec import structs

from bascule.decide.attempt import NONE_SPENT, Accept, GiveUp, Start, Wait, next_step
from bascule.decide.estimate import HoldPlan
from bascule.decide.giving_up import CIRCUIT_OPEN
from bascule.gateway.admission import UNREADABLE, Admitted, not_of_the_dialect
from bascule.gateway.answering import Answering
from bascule.gateway.books import Ended, OpenAttempt
from bascule.gateway.effects import Answered, Effects
from bascule.gateway.endings import (
    CANCELLED,
    NOBODY_WAITS,
    NOT_SENT,
    unsupported,
)
from bascule.gateway.exchange import Exchange
from bascule.gateway.holding import Bound, bound_at
from bascule.gateway.identifiers import attempt_id, decision_id
from bascule.gateway.patience import has_peers, limits_of, turn_of
from bascule.gateway.purse import Purse
from bascule.gateway.race import Race
from bascule.gateway.tally import Tally
from bascule.model.budget import Hold
from bascule.model.entry import Role
from bascule.model.errors import Refusal
from bascule.model.outcome import AttemptRecord, Fault
from bascule.model.plan import Candidate, Plan

log = logging.getLogger("bascule.engine")


class Serving:
    """One call: the life of a request after it was planned, or of one of those that a strategy makes for it.

    `run` answers the client, or where `withheld_bytes` says so keeps the answer from it; its result says what is left
    to do.
    """

    def __init__(
        self,
        effects: Effects,
        exchange: Exchange,
        request: Admitted,
        plan: Plan,
        fitted: HoldPlan,
        *,
        tally: Tally,
        keep_bytes: int,
        strict: bool,
        role: Role = "primary",
        purse: Purse | None = None,
        withheld_bytes: int = 0,
    ) -> None:
        """`fitted`: what the first attempt is held at, for each candidate of the plan; it takes that from `purse`, if
        there is one. `keep_bytes`: how large an answer may be to be kept; 0 where none is. `withheld_bytes`: the
        client gets nothing of the answer, and `answering.answered` has it, up to this size.
        """
        self.tally = tally
        self.on_end: Callable[[Serving, bool], None] | None = None
        """Hears that `run` has ended, and whether it was cancelled."""
        self._fx = effects
        self._role: Role = role
        self._purse = purse
        self._exchange = exchange
        self._request = request
        self._plan = plan
        self._fitted = fitted
        self._strict = strict
        self._dice = effects.dice()
        self._turn = turn_of(request, plan, self._dice)
        self._limits = limits_of(effects, request, plan)
        self._history: list[AttemptRecord] = []
        self._refused: Refusal | None = None
        self.answering = Answering(
            effects,
            request,
            self._limits,
            tally=tally,
            keep_bytes=keep_bytes,
            compares=has_peers(plan),
            withheld_bytes=withheld_bytes,
            spent_nanousd=tally.cost_nanousd,
        )

    @property
    def started(self) -> bool:
        """Something of an answer has gone to the client."""
        return self.answering.started

    @property
    def client_is_gone(self) -> bool:
        return self._exchange.gone

    @property
    def attempts(self) -> int:
        """How many have been made."""
        return self.tally.attempts

    @property
    def complete(self) -> bool:
        """The client was given a whole answer."""
        return self.answering.complete

    @property
    def billable(self) -> bool:
        """Something was sent for which a provider may bill."""
        return self.tally.billable

    @property
    def answered(self) -> Answered | None:
        """The answer, where it may be kept for whoever asks the same."""
        return self.answering.answered if self.answering.keep_bytes else None

    async def run(self) -> Refusal | None:
        """None where the client was answered, else the refusal that it should get."""
        if self._limits.hedge_after_s is None:
            return await self._run(None)
        race = Race(self._exchange)
        try:
            return await self._run(race)
        finally:
            await race.over()

    async def _run(self, race: Race | None) -> Refusal | None:
        fx = self._fx
        while True:
            now_s = fx.clock.monotonic_s()
            spent = self._spent(now_s) if self._history and self._history[-1].fault is not None else NONE_SPENT
            step = next_step(
                self._plan,
                tuple(self._history),
                now_s=now_s,
                dice=self._dice,
                turn=self._turn,
                limits=self._limits,
                health=fx.wellbeing.statuses(now_s),
                spent=spent,
            )
            if self._exchange.gone and isinstance(step, Start | Wait) and not (race and race.running):
                return NOBODY_WAITS
            match step:
                case Start():
                    record = self._record(step)
                    if race is None:
                        await self._attempt(record, self._exchange)
                    else:
                        self._start_in(race, record)
                    if self._refused is not None:
                        return self._refused
                case Wait():
                    if race is None:
                        await asyncio.sleep(max(0.0, step.until_s - now_s))
                    else:
                        await race.wait(step.until_s - now_s)
                    if self._refused is not None:
                        return self._refused
                case Accept():
                    return None
                case GiveUp():
                    fx.retry_budgets.refused += bool(spent)
                    if step.refusal.code == CIRCUIT_OPEN:
                        return self._barred(step.refusal, now_s)
                    return step.refusal

    def _spent(self, now_s: float) -> frozenset[str]:
        """The endpoints that may get no attempt but a request's first one."""
        candidates = self._plan.candidates
        tried = {candidates[record.candidate].endpoint.id for record in self._history}
        return self._fx.retry_budgets.spent(tried, now_s)

    def _barred(self, refusal: Refusal, now_s: float) -> Refusal:
        wait_s = self._fx.wellbeing.wait_s([candidate.endpoint for candidate in self._plan.candidates], now_s)
        return structs.replace(refusal, retry_after_s=wait_s)

    def _overtaken(self, record: AttemptRecord) -> None:
        """Another attempt has spoken first, while this one was silent."""
        fx, candidate = self._fx, self._plan.candidates[record.candidate]
        now_s = fx.clock.monotonic_s()
        fx.wellbeing.overtaken(candidate, record.credential, began_s=record.started_s, now_s=now_s)

    def _record(self, step: Start) -> AttemptRecord:
        return AttemptRecord(
            attempt_no=self.tally.next_no(),
            candidate=step.candidate,
            credential=step.credential,
            hedge=step.hedge,
            started_s=self._fx.clock.monotonic_s(),
        )

    def _start_in(self, race: Race, begun: AttemptRecord) -> None:
        """Begin an attempt beside others; its line of the history is there from the start."""
        at = len(self._history)
        self._history.append(begun)
        race.start(
            lambda lane: self._attempt(begun, lane, at),
            claimed=lambda: self._history.__setitem__(at, structs.replace(begun, content_forwarded=True)),
            overtaken=lambda: self._overtaken(begun),
        )

    async def _attempt(self, record: AttemptRecord, exchange: Exchange, at: int | None = None) -> None:
        """Try one candidate. The history then has one more line, or the line `at` its end, unless the money ran out."""
        fault: Fault | None = CANCELLED
        try:
            fault = await self._try(record, exchange, self._history[: len(self._history) if at is None else at])
        finally:
            ended = structs.replace(
                record,
                ended_s=self._fx.clock.monotonic_s(),
                fault=fault,
                content_forwarded=exchange.started,
            )
            if at is None:
                self._history.append(ended)
            else:
                self._history[at] = ended

    async def _try(self, record: AttemptRecord, exchange: Exchange, before: list[AttemptRecord]) -> Fault | None:
        """Hold, send, settle. A hedge that cannot be paid for or asked is none; it stops nothing else. `before`: the
        attempts that were begun earlier."""
        fx, tally = self._fx, self.tally
        request = self._request
        candidate = self._plan.candidates[record.candidate]
        destination = fx.dispatcher.destination(request.surface, candidate.endpoint, record.credential)
        if isinstance(destination, Refusal):
            return unsupported(destination)
        first = not before
        bound = bound_at(self._fitted, record.candidate) if first else await self._bound_again(candidate)
        if isinstance(bound, Refusal):
            return self._stopped(bound, record)
        identifier = attempt_id(request.request_id, record.attempt_no)
        hold: Hold | None = None
        if first and self._purse is not None:
            hold = self._purse.take(identifier, bound.hold_nanousd)
        if hold is None and fx.holding.lending is not None:
            secured = await fx.holding.secure(fx.holding.lending, request, candidate, self._plan, bound, identifier)
            if isinstance(secured, Refusal):
                return self._stopped(secured, record)
            bound, hold = secured
        target = destination.target_of(request, bound.send_cap)
        try:
            body = destination.codec.request(request.body, request.raw, request.facts, target)
        except UNREADABLE as error:
            log.warning("a body could not be rendered", extra={"request_id": request.request_id}, exc_info=True)
            body = not_of_the_dialect(error)
        except BaseException:
            if hold is not None:
                fx.books.release(hold)
            raise
        if isinstance(body, Refusal):
            if hold is not None:
                fx.books.release(hold)
            return unsupported(body)
        opened = fx.books.open(
            request,
            self._plan,
            candidate,
            attempt_no=record.attempt_no,
            role=self._role_of(record, first=first),
            hold_nanousd=bound.hold_nanousd,
            dialect_in=request.surface,
            decision=decision_id(request.request_id),
            price_version=fx.price_version,
            unrecorded=tally.unrecorded,
            strict=self._strict,
            hold=hold,
        )
        if isinstance(opened, Refusal):
            return self._stopped(opened, record)
        tally.unrecorded = None
        if record.candidate or self._role != "primary":
            fx.charge_dear(request, self._plan, candidate)
        was_sent, tally.sent = tally.sent, True
        self._begun(opened, record, before)
        try:
            with fx.routing.occupancy.during(candidate.endpoint):
                fault = await self.answering.send(destination, opened, body, target, exchange)
        finally:
            if not opened.settled:
                self.answering.settle(opened, Ended(ending="unknown", fault=CANCELLED))
        if self.answering.refused is not None:
            tally.sent = was_sent
            return self._stopped(self.answering.refused, record)
        return fault

    def _stopped(self, refusal: Refusal, record: AttemptRecord) -> Fault:
        """No attempt can be made: the end of the request, unless it would only have been a hedge."""
        if not record.hedge:
            self._refused = refusal
        return NOT_SENT

    def _role_of(self, record: AttemptRecord, *, first: bool) -> Role:
        """Second tries of what answers the client are retries; a judge is one however often it is asked."""
        if record.hedge:
            return "hedge"
        return "retry" if not first and self._role in ("primary", "escalation") else self._role

    def _begun(self, opened: OpenAttempt, record: AttemptRecord, before: list[AttemptRecord]) -> None:
        """An attempt is about to leave: what it counts against."""
        fx, endpoint = self._fx, opened.candidate.endpoint
        now_s = opened.started_s = fx.clock.monotonic_s()
        opened.credential = record.credential
        opened.probe = fx.wellbeing.begin(endpoint, record.credential, now_s)
        again = any(self._plan.candidates[other.candidate].endpoint.id == endpoint.id for other in before)
        if again:
            fx.retry_budgets.again(endpoint.id, now_s)
        else:
            fx.retry_budgets.first(endpoint.id, now_s)

    async def _bound_again(self, candidate: Candidate) -> Bound | Refusal:
        """Before a further attempt the last one is settled, and this candidate alone must be affordable."""
        holding = self._fx.holding
        fitted = holding.fit(self._request, (candidate,), self._plan)
        if isinstance(fitted, Refusal) and holding.lending is not None:
            _, fitted = await holding.fit_anew(holding.lending, self._request, (candidate,), self._plan, fitted)
        return fitted if isinstance(fitted, Refusal) else bound_at(fitted, 0)
