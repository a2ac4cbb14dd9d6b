"""One admitted request on its way through its plan: attempt after attempt until `next_step` says that it is over."""

import asyncio
import logging

from msgspec import structs

from bascule.decide.attempt import Accept, AttemptLimits, GiveUp, Start, Wait, next_step
from bascule.decide.estimate import HoldPlan
from bascule.dialects.base import ReplyContext, Target
from bascule.dialects.json_array import JsonArrayStream
from bascule.dialects.openai_responses.history import last_response
from bascule.gateway.admission import UNREADABLE, Admitted, not_of_the_dialect
from bascule.gateway.books import LEDGER_DOWN, Cost, Ended, OpenAttempt
from bascule.gateway.dispatch import Destination
from bascule.gateway.effects import Answered, Effects
from bascule.gateway.endings import (
    CANCELLED,
    CLIENT_GONE,
    NOBODY_WAITS,
    NOT_SENT,
    cut_short,
    stream_ended,
    unanswered,
    unsupported,
    upstream_id,
)
from bascule.gateway.exchange import Exchange
from bascule.gateway.holding import Bound, bound_at
from bascule.gateway.identifiers import attempt_id, decision_id
from bascule.gateway.mending import understood
from bascule.gateway.relay import Relay, Relayed, transport_fault
from bascule.gateway.respond import EVENT_STREAM, JSON, UNBUFFERED, answer_headers, cost_header
from bascule.gateway.surfaces import SURFACES
from bascule.model.budget import Hold
from bascule.model.entry import Decision, Role
from bascule.model.errors import LedgerUnavailable, Refusal
from bascule.model.outcome import AttemptRecord, Fault
from bascule.model.plan import Candidate, Plan
from bascule.model.usage import Usage
from bascule.ports import Header, TransportError, UpstreamReply

MAX_ERROR_BODY_BYTES = 256 * 1024

log = logging.getLogger("bascule.engine")


class Serving:
    """The life of one request after it was planned. `run` answers the client; its result says what is left to do."""

    def __init__(
        self,
        effects: Effects,
        exchange: Exchange,
        request: Admitted,
        plan: Plan,
        fitted: HoldPlan,
        *,
        decision: Decision,
        keep_bytes: int,
        strict: bool,
    ) -> None:
        """`fitted`: what the first attempt is held at, for each candidate of the plan.
        `keep_bytes`: how large an answer may be to be kept; 0 where none is.
        """
        self.unrecorded: Decision | None = decision
        """The record of the plan until it is written, which the first attempt's intent takes along."""
        self._fx = effects
        self._exchange = exchange
        self._request = request
        self._plan = plan
        self._fitted = fitted
        self.keep_bytes = keep_bytes
        self._strict = strict
        self._dice = effects.dice()
        self._limits = _limits(effects.limits, request)
        self._history: list[AttemptRecord] = []
        self._refused: Refusal | None = None
        self.started = False
        self.sent = False
        """At least one attempt has gone to an upstream."""
        self.tokens_used = 0
        """Billed input and output of all attempts so far."""
        self.answered: Answered | None = None

    async def run(self) -> Refusal | None:
        """None where the client was answered, else the refusal that it should get."""
        fx = self._fx
        while True:
            step = next_step(
                self._plan,
                tuple(self._history),
                now_s=fx.clock.monotonic_s(),
                dice=self._dice,
                limits=self._limits,
            )
            if self._exchange.gone and isinstance(step, Start | Wait):
                return NOBODY_WAITS
            match step:
                case Start():
                    await self._attempt(step.candidate)
                    if self._refused is not None:
                        return self._refused
                case Wait():
                    await asyncio.sleep(max(0.0, step.until_s - fx.clock.monotonic_s()))
                case Accept():
                    return None
                case GiveUp():
                    return step.refusal

    async def _attempt(self, index: int) -> None:
        """Try one candidate; the history then has one more line, unless the money ran out."""
        fx = self._fx
        request = self._request
        candidate = self._plan.candidates[index]
        started_s = fx.clock.monotonic_s()
        destination = fx.dispatcher.destination(request.surface, candidate.endpoint)
        if isinstance(destination, Refusal):
            self._note(index, started_s, unsupported(destination))
            return
        bound = bound_at(self._fitted, index) if not self._history else self._bound_again(candidate)
        if isinstance(bound, Refusal):
            self._refused = bound
            return
        hold: Hold | None = None
        if fx.holding.lending is not None:
            identifier = attempt_id(request.request_id, len(self._history) + 1)
            secured = await fx.holding.secure(fx.holding.lending, request, candidate, self._plan, bound, identifier)
            if isinstance(secured, Refusal):
                self._refused = secured
                return
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
            self._note(index, started_s, unsupported(body))
            return
        opened = fx.books.open(
            request,
            self._plan,
            candidate,
            attempt_no=len(self._history) + 1,
            role=self._role(),
            hold_nanousd=bound.hold_nanousd,
            dialect_in=request.surface,
            decision=decision_id(request.request_id),
            price_version=fx.price_version,
            unrecorded=self.unrecorded,
            strict=self._strict,
            hold=hold,
        )
        if isinstance(opened, Refusal):
            self._refused = opened
            return
        self.unrecorded = None
        self.sent = True
        try:
            fault = await self._exchange_with(destination, opened, body, target)
        finally:
            if not opened.settled:
                self._settle(opened, Ended(ending="unknown", fault=CANCELLED))
        self._note(index, started_s, fault)

    def _bound_again(self, candidate: Candidate) -> Bound | Refusal:
        """Before a further attempt the last one is settled, and this candidate alone must be affordable."""
        fitted = self._fx.holding.fit(self._request, (candidate,), self._plan)
        return fitted if isinstance(fitted, Refusal) else bound_at(fitted, 0)

    def _left_s(self) -> float | None:
        deadline_s = self._limits.deadline_s
        return None if deadline_s is None else max(0.001, deadline_s - self._fx.clock.monotonic_s())

    def _role(self) -> Role:
        return "retry" if self._history else "primary"

    def _note(self, index: int, started_s: float, fault: Fault | None) -> None:
        self._history.append(
            AttemptRecord(
                attempt_no=len(self._history) + 1,
                candidate=index,
                started_s=started_s,
                ended_s=self._fx.clock.monotonic_s(),
                fault=fault,
                content_forwarded=self.started,
            )
        )

    def _settle(self, opened: OpenAttempt, ended: Ended) -> Cost:
        fx = self._fx
        fx.wellbeing.observe(opened.candidate.endpoint.id, ended.fault, fx.clock.monotonic_s())
        cost = fx.books.settle(self._request, opened, ended, baseline=fx.baseline)
        if ended.ending == "completed" and fx.collapse is not None:
            fx.cache_watch.observe(fx.collapse, self._request, opened, cost.usage)
        self.tokens_used += cost.usage.billed_input + cost.usage.billed_output
        return cost

    async def _exchange_with(
        self, destination: Destination, opened: OpenAttempt, body: bytes, target: Target
    ) -> Fault | None:
        """One upstream exchange, settled whatever comes of it."""
        stream = self._request.facts.stream
        call = destination.call(self._exchange.incoming, body, stream=stream, within_s=self._left_s())
        try:
            reply = await self._fx.upstream.send(call)
        except LedgerUnavailable as error:
            self._fx.books.outage.refused("intent not written", error, self._request.request_id)
            self._settle(opened, Ended(ending="failed", fault=NOT_SENT))
            self._refused = LEDGER_DOWN
            self.sent = bool(self._history)
            return NOT_SENT
        except TransportError as error:
            fault = transport_fault(error, answered=False)
            self._settle(opened, Ended(ending=unanswered(fault), fault=fault))
            return fault
        self._fx.books.outage.is_over()
        try:
            if reply.status != 200:
                return await self._error_status(destination, opened, reply)
            if stream:
                return await self._stream(destination, opened, reply, target)
            return await self._whole(destination, opened, reply, target)
        finally:
            reply.close()

    async def _error_status(self, destination: Destination, opened: OpenAttempt, reply: UpstreamReply) -> Fault:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reply.headers}
        try:
            raw = await reply.read()
        except TransportError:
            raw = b""  # the status says enough; its explanation was lost on the way
        fault = destination.read_fault(reply.status, headers, raw[:MAX_ERROR_BODY_BYTES])
        self._settle(
            opened,
            Ended(ending="failed", fault=fault, status=reply.status, upstream_request_id=upstream_id(headers)),
        )
        return fault

    async def _whole(
        self, destination: Destination, opened: OpenAttempt, reply: UpstreamReply, target: Target
    ) -> Fault | None:
        first_ms = self._fx.clock.now_ms()
        try:
            raw = await reply.read()
        except TransportError as error:
            fault = transport_fault(error, answered=True)
            self._settle(opened, Ended(ending=unanswered(fault), fault=fault, status=200, first_ms=first_ms))
            return fault
        came = raw
        raw, read = understood(came, destination.provider_dialect.read_reply)
        if raw is not came:
            log.warning(
                "an answer was not quite JSON and was mended",
                extra={"request_id": self._request.request_id, "provider": opened.candidate.endpoint.provider},
            )
        if isinstance(read, Fault):
            self._settle(opened, Ended(ending=unanswered(read), fault=read, status=200, first_ms=first_ms))
            return read
        cost = self._settle(
            opened,
            Ended(
                ending="completed",
                reply=read,
                status=200,
                first_ms=first_ms,
                upstream_request_id=read.response_id,
            ),
        )
        request = self._request
        shown = cost.cost_nanousd if self._fx.splice_cost else None
        candidate = opened.candidate
        context = self._context(destination, target, read.usage)
        answer = destination.codec.reply(raw, request.facts, candidate.model, shown, context)
        self._keep(context, answer)
        headers = self._answer_headers(candidate, JSON)
        cost_line = cost_header(cost.cost_nanousd)
        if cost_line is not None:
            headers.append(cost_line)
        self.started = True
        await self._exchange.respond(200, headers, answer)
        if self.keep_bytes:
            self.answered = Answered(
                candidate=candidate,
                raw=raw,
                streamed=False,
                finish_reason=read.finish_reason,
                has_tool_calls=read.has_tool_calls,
                cost=cost,
            )
        return None

    async def _stream(
        self, destination: Destination, opened: OpenAttempt, reply: UpstreamReply, target: Target
    ) -> Fault | None:
        fx = self._fx
        candidate = opened.candidate
        context = self._context(destination, target)
        codec = destination.codec.stream(self._request.facts, candidate.model, fx.splice_cost, context)
        if self._request.array:
            codec = JsonArrayStream(codec)
        relay = Relay(
            exchange=self._exchange,
            reply=reply,
            codec=codec,
            clock=fx.clock,
            drain=destination.drain,
            open_answer=lambda: self._stream_headers(candidate),
            record_bytes=self.keep_bytes,
        )
        try:
            relayed = await relay.run()
        except BaseException:
            self._settle(opened, stream_ended(codec.facts, relay.result("fault", fault=CANCELLED)))
            if relay.started:
                await self._exchange.end(codec.fail(cut_short(CANCELLED)))
            raise
        self.started = relayed.started
        cost = self._settle(opened, stream_ended(codec.facts, relayed))
        if relayed.ending == "complete":
            last = codec.close(cost.cost_nanousd)
            self._keep(context, last_response(last) if context.keeps else None)
            await self._finish_stream(relayed, last, candidate)
            await _read_out(reply)
            self.answered = Answered(
                candidate=candidate,
                raw=b"".join(relay.recorded),
                streamed=True,
                finish_reason=codec.facts.finish_reason,
                has_tool_calls=codec.facts.has_tool_calls,
                cost=cost,
            )
            return None
        fault = relayed.fault or CLIENT_GONE
        if relayed.started and relayed.ending == "fault":
            await self._exchange.end(codec.fail(cut_short(fault)))
        return fault

    async def _finish_stream(self, relayed: Relayed, last: bytes, candidate: Candidate) -> None:
        if not relayed.started:
            self.started = True
            await self._exchange.start(200, self._stream_headers(candidate))
        await self._exchange.end(relayed.pending + last)

    def _context(self, destination: Destination, target: Target, usage: Usage | None = None) -> ReplyContext:
        request = self._request
        surface = SURFACES[request.surface]
        # What is relayed is the provider's to keep.
        refers = surface.refers and destination.provider_dialect.name != surface.dialect
        keeps = refers and self._fx.kept is not None and request.body.get("store") is not False
        return ReplyContext(
            now_s=request.started_ms // 1000,
            request_id=request.request_id,
            target=target,
            body=request.body,
            keeps=keeps,
            usage=usage,
        )

    def _keep(self, context: ReplyContext, response: bytes | None) -> None:
        """Keep an answer for requests that refer to it, where that is wanted."""
        if context.keeps and self._fx.kept is not None and response is not None:
            now_s = self._fx.clock.monotonic_s()
            self._fx.kept.keep(self._request.key.name, self._request.body, response, now_s)

    def _stream_headers(self, candidate: Candidate) -> list[Header]:
        return [*self._answer_headers(candidate, JSON if self._request.array else EVENT_STREAM), UNBUFFERED]

    def _answer_headers(self, candidate: Candidate, content_type: Header) -> list[Header]:
        return answer_headers(
            request_id=self._request.request_id,
            model=candidate.model,
            provider=candidate.endpoint.provider,
            reason=candidate.reason,
            cache="none",
            content_type=content_type,
        )


LINGER_S = 1.0


async def _read_out(reply: UpstreamReply) -> None:
    """The end of the framing comes right behind the terminal event; only then can the connection be used again."""
    try:
        async with asyncio.timeout(LINGER_S):
            while await reply.read_chunk():
                pass
    except (TransportError, TimeoutError):
        return  # the answer is complete; all that is lost is a connection


def _limits(limits: AttemptLimits, request: Admitted) -> AttemptLimits:
    """The configured limits, and the request's own deadline."""
    deadline_ms = request.ask.deadline_ms
    if deadline_ms is None:
        return limits
    return structs.replace(limits, deadline_s=request.started_s + deadline_ms / 1000)
