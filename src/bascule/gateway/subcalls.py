"""The calls that a strategy makes for one request: each planned, held, sent and settled as any attempt is.

All of them are held at once before the first is sent. A call is a `Serving`, the same as of a request that is served by
one call: retries, breakers, deadline, recordings and rows are the same too. It either goes to the client, or is
withheld: then its answer is a value, which the strategy may look at, throw away, or give to the client in the end.
Everything is bounded: calls by the strategy's plan, attempts within one by `retry`, bytes by `max_answer_bytes`, time
by the request's deadline and the provider's timeouts. Whoever cancels `withheld` or `to_client` finds the attempt
settled.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from msgspec import Struct, structs

from bascule.decide.estimate import HoldPlan
from bascule.dialects.base import ReplyContext
from bascule.gateway.admission import Admitted
from bascule.gateway.client import Client, Withheld
from bascule.gateway.effects import Answered, Effects
from bascule.gateway.exchange import Incoming
from bascule.gateway.heard import text_of, whole_response
from bascule.gateway.holding import Call, Holding
from bascule.gateway.identifiers import decision_id
from bascule.gateway.purse import Purse
from bascule.gateway.replaying import content_type, give, rendered
from bascule.gateway.respond import answer_headers, cost_header
from bascule.gateway.serving import Serving
from bascule.gateway.surfaces import SURFACES, provider_dialect
from bascule.gateway.tally import Tally
from bascule.model.budget import Hold
from bascule.model.entry import Role
from bascule.model.errors import Refusal
from bascule.model.headers import Headers
from bascule.model.plan import Candidate, Plan
from bascule.model.response import Response

T = TypeVar("T")
MAX_ANSWER_BYTES = 4 * 1024 * 1024
TOO_LARGE = Refusal(
    kind="upstream_failed",
    message="an answer was larger than what may be held back to look at it",
    code="answer_too_large",
)


class Captured(Struct, frozen=True, kw_only=True):
    """The answer of a call that was withheld."""

    request: Admitted
    """What was asked."""
    answered: Answered
    response: Response
    """In canonical form."""
    text: str
    """Of its first choice, as a reader sees it: without reasoning and tool calls."""
    latency_s: float

    def text_of(self, choice: int) -> str:
        """The text of one of its choices."""
        return text_of(self.response, choice)

    @property
    def is_whole(self) -> bool:
        """It ended by itself: neither cut at its cap nor stopped by a filter."""
        return self.answered.finish_reason in ("stop", "tool_use")


class Prepared(Struct, frozen=True, kw_only=True):
    """One of the calls that are planned, with what it may cost. It can be made at most `times` times from the purse."""

    request: Admitted
    plan: Plan
    fitted: HoldPlan
    role: Role = "primary"

    def asked(self, request: Admitted) -> "Prepared":
        """The same with another request, no larger than the one that it was planned with."""
        return structs.replace(self, request=request)

    def because(self, reason: str, *, role: Role | None = None) -> "Prepared":
        """The same with the reason that its attempts' rows give; further endpoints say that they stand in."""
        first, *others = self.plan.candidates
        candidates = (structs.replace(first, reason=reason), *others)
        plan = structs.replace(self.plan, candidates=candidates, reason=reason)
        return structs.replace(self, plan=plan, role=self.role if role is None else role)


class Subcalls:
    """The calls for one request. `hold` before the first of them, `close` after the last, whatever happened."""

    def __init__(
        self,
        effects: Effects,
        client: Client | None,
        request: Admitted,
        *,
        tally: Tally,
        strict: bool,
        keep_bytes: int = 0,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        name: str = "held",
    ) -> None:
        """`client` None: nobody waits for an answer, as with a shadow. `keep_bytes` as for `Serving`. `name` tells the
        hold from those of other work that is done for the same request."""
        self.tally = tally
        self.request = request
        self._fx = effects
        self._client = client
        self._strict = strict
        self._keep_bytes = keep_bytes
        self._max_answer_bytes = max_answer_bytes
        self._hold_name = f"{decision_id(request.request_id)}.{name}"
        self._purse: Purse | None = None
        self.started = False
        """Something of an answer has gone to the client."""
        self.complete = False
        """The client was given a whole answer."""
        self.answered: Answered | None = None
        """The answer that the client was given, where it may be kept for whoever asks the same."""

    @property
    def client(self) -> Client:
        """Who waits for the answer. Raises ValueError where nobody does."""
        if self._client is None:
            raise ValueError("nobody waits for this answer")
        return self._client

    async def hold(self, calls: Sequence[Prepared], times: Sequence[int] = ()) -> Refusal | None:
        """Take the sum of what these calls may cost, in every budget or in none. `times`: how often each is made."""
        amounts = [call.fitted.amount_nanousd for call in calls]
        often = times or [1] * len(calls)
        known = [amount * count for amount, count in zip(amounts, often, strict=True) if amount is not None]
        if len(known) < len(amounts):
            return None  # without a bound no budget minds, and each attempt is held for itself
        hold = await self._fx.holding.reserve(self.request, self._hold_name, sum(known))
        if not isinstance(hold, Hold):
            return hold
        self._purse = Purse(self._fx.books, hold)
        return None

    def close(self) -> None:
        """Give back what no call has taken."""
        if self._purse is not None:
            self._purse.close()
            self._purse = None

    async def withheld(self, call: Prepared) -> Captured | Refusal:
        """Make a call and look at its answer; the client gets nothing of it."""
        began_s = self._fx.clock.monotonic_s()
        serving = Serving(
            self._fx,
            Withheld(self._client, self._incoming(call)),
            call.request,
            structs.replace(call.plan, hedge=None),
            call.fitted,
            tally=self.tally,
            keep_bytes=0,
            strict=self._strict,
            role=call.role,
            purse=self._purse,
            withheld_bytes=self._max_answer_bytes,
        )
        refusal = await serving.run()
        answered = serving.answering.answered
        if refusal is not None or answered is None:
            return refusal or TOO_LARGE
        if not answered.raw:
            return TOO_LARGE
        response = whole_response(call.request, answered)
        if isinstance(response, Refusal):
            return response
        return Captured(
            request=call.request,
            answered=answered,
            response=response,
            text=text_of(response),
            latency_s=self._fx.clock.monotonic_s() - began_s,
        )

    async def alone(self, request: Admitted, plan: Plan, *, role: Role, reason: str) -> Captured | Refusal:
        """One call by itself, held and given back: `plan` says who may be asked. For work in the background."""
        calls = self.prepared([(request, plan.candidates)], plan)
        if isinstance(calls, Refusal):
            return calls
        refused = await self.hold(calls)
        if refused is not None:
            return refused
        try:
            return await self.withheld(calls[0].because(reason, role=role))
        finally:
            self.close()

    async def to_client(self, call: Prepared) -> Refusal | None:
        """Make a call whose answer goes to the client as it comes: a stream streams."""
        serving = Serving(
            self._fx,
            self.client,
            call.request,
            call.plan,
            call.fitted,
            tally=self.tally,
            keep_bytes=self._keep_bytes,
            strict=self._strict,
            role=call.role,
            purse=self._purse,
        )
        try:
            return await serving.run()
        finally:
            self.started = serving.started
            self.complete = serving.complete
            self.answered = serving.answered

    async def give(self, captured: Captured, reason: str) -> None:
        """Give the client an answer that was withheld, in its dialect, as a stream where it asked for one. The cost
        that it is told is that of all calls so far."""
        request, answered, fx = self.request, captured.answered, self._fx
        cost_nanousd = self.tally.cost_nanousd
        context = self._context(captured)
        answer = rendered(
            request,
            answered.candidate,
            answered.raw,
            spoken=self._spoken(captured),
            streamed=answered.streamed,
            cost_nanousd=cost_nanousd,
            splice_cost=fx.splice_cost,
            context=context,
        )
        if context.keeps and fx.kept is not None and answer.response is not None:
            fx.kept.keep(request.key.name, request.body, answer.response, fx.clock.monotonic_s())
        headers = answer_headers(
            request_id=request.request_id,
            model=answered.candidate.model,
            provider=answered.candidate.endpoint.provider,
            reason=reason,
            cache="none",
            content_type=content_type(request, streamed=answered.streamed),
        )
        cost_line = cost_header(cost_nanousd)
        if cost_line is not None:
            headers.append(cost_line)
        self.started = True
        await give(self.client, answer, headers)
        self.complete = True
        if self._keep_bytes and len(answered.raw) <= self._keep_bytes and captured.request is request:
            self.answered = answered

    def _context(self, captured: Captured) -> ReplyContext:
        request, endpoint = self.request, captured.answered.candidate.endpoint
        surface = SURFACES[request.surface]
        destination = self._fx.dispatcher.destination(captured.request.surface, endpoint)
        refers = surface.refers and self._spoken(captured) != surface.dialect
        return ReplyContext(
            now_s=request.started_ms // 1000,
            request_id=request.request_id,
            target=None if isinstance(destination, Refusal) else destination.template,
            body=request.body,
            keeps=refers and self._fx.kept is not None and request.body.get("store") is not False,
        )

    def _spoken(self, captured: Captured) -> str:
        """The dialect in which an answer came, which hangs on the one in which it was asked for."""
        endpoint = captured.answered.candidate.endpoint
        return provider_dialect(captured.request.surface, endpoint) or endpoint.dialect

    def _incoming(self, call: Prepared) -> Incoming:
        """The client's own headers go on with its own request alone."""
        if self._client is not None and call.request.surface == self.request.surface:
            return self._client.incoming
        return Incoming(surface=call.request.surface, headers=Headers([]), body=call.request.raw)

    def prepared(
        self, calls: Sequence[tuple[Admitted, tuple[Candidate, ...]]], plan: Plan, times: Sequence[int] = ()
    ) -> tuple[Prepared, ...] | Refusal:
        """Calls with their bounds, cut so that together they fit what is left of every budget."""
        return prepared(self._fx.holding, self.request, calls, plan, times)


def prepared(
    holding: Holding,
    request: Admitted,
    calls: Sequence[tuple[Admitted, tuple[Candidate, ...]]],
    plan: Plan,
    times: Sequence[int] = (),
) -> tuple[Prepared, ...] | Refusal:
    """The calls that are planned for a request, with their bounds: together they fit what is left of every budget.

    Each is a request and who may be asked it; `times`: how often each is made at most. A 402 says what the sum is.
    """
    often = times or [1] * len(calls)
    asked = [Call(request=one, candidates=who, times=count) for (one, who), count in zip(calls, often, strict=True)]
    fitted = holding.fit_calls(request, asked, plan, holding.budgets(request))
    if isinstance(fitted, Refusal):
        return fitted
    return tuple(
        [
            Prepared(
                request=call.request,
                plan=structs.replace(plan, candidates=tuple([call.candidates[at] for at in fit.candidates])),
                fitted=fit,
            )
            for call, fit in zip(asked, fitted, strict=True)
        ]
    )


async def all_of(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all of it at once. Where one raises, or this is cancelled, the others are cancelled and have settled."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
