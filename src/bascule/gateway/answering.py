"""One attempt of a request on the wire: sent, its answer relayed to the client, settled whatever comes of it."""

import logging

from msgspec import structs

from bascule.decide.attempt import AttemptLimits
from bascule.decide.meter import Ending
from bascule.dialects.base import ReplyContext, ReplyFacts, Target
from bascule.dialects.classify import protocol_fault
from bascule.dialects.json_array import JsonArrayStream
from bascule.dialects.openai_responses.history import last_response
from bascule.dialects.values import most_containers, most_values
from bascule.gateway.admission import Admitted
from bascule.gateway.books import LEDGER_DOWN, Cost, Ended, OpenAttempt
from bascule.gateway.dispatch import Destination
from bascule.gateway.effects import Answered, Effects
from bascule.gateway.endings import (
    CANCELLED,
    CLIENT_GONE,
    NOT_SENT,
    cut_short,
    stream_ended,
    told_of_failure,
    unanswered,
    upstream_id,
)
from bascule.gateway.exchange import Exchange
from bascule.gateway.leaving import Patience
from bascule.gateway.mending import understood
from bascule.gateway.recording import HeardReply
from bascule.gateway.relay import Relay, Relayed, read_out, transport_fault
from bascule.gateway.respond import EVENT_STREAM, JSON, UNBUFFERED, answer_headers, cost_header
from bascule.gateway.surfaces import SURFACES
from bascule.gateway.tally import Tally
from bascule.model.entry import OWN_WORK
from bascule.model.errors import LedgerUnavailable, Refusal
from bascule.model.outcome import Fault
from bascule.model.plan import Candidate
from bascule.model.usage import Usage
from bascule.ports import Header, TransportError, UpstreamReply

MAX_ERROR_BODY_BYTES = 256 * 1024
LEAST_ERROR_STATUS = 300
"""Redirections are errors here: they are not followed, and nothing was done."""

log = logging.getLogger("bascule.engine")


class Answering:
    """Sends the attempts of one request and hands the client the answer of one of them."""

    def __init__(
        self,
        effects: Effects,
        request: Admitted,
        limits: AttemptLimits,
        *,
        tally: Tally,
        keep_bytes: int,
        compares: bool,
        withheld_bytes: int = 0,
        spent_nanousd: int | None = 0,
    ) -> None:
        """`keep_bytes`: how large an answer may be to be kept; 0 where none is. `compares`: what attempts show of
        their endpoints is compared with others. `withheld_bytes`: the client gets nothing of an answer, which is kept
        up to this size. `spent_nanousd`: what earlier calls for the same answer have cost; None: that is unknown.
        """
        self._fx = effects
        self._request = request
        self._limits = limits
        self._compares = compares
        self._tally = tally
        self._withheld_bytes = withheld_bytes
        self._spent_nanousd = spent_nanousd
        self.keep_bytes = keep_bytes
        self.started = False
        self.complete = False
        """The client was given a whole answer."""
        self.refused: Refusal | None = None
        """Nothing was sent and nothing can be: the ledger took no more lines."""
        self.answered: Answered | None = None

    def settle(self, opened: OpenAttempt, ended: Ended) -> Cost:
        fx = self._fx
        self._observe(opened, ended)
        cost = fx.books.settle(self._request, opened, ended, baseline=fx.baseline)
        if ended.ending == "completed" and fx.collapse is not None and opened.intent.role not in OWN_WORK:
            fx.cache_watch.observe(fx.collapse, self._request, opened, cost.usage)
        if ended.ending == "completed" and opened.intent.role not in OWN_WORK:
            fx.routing.sessions.observe(self._request, opened, cost.usage)
        if fx.runaway is not None and cost.cost_nanousd is not None:
            fx.runaway.watch.spent(fx.runaway.rules, self._request, cost.cost_nanousd)
        self._tally.settled(ended, cost)
        return cost

    def _observe(self, opened: OpenAttempt, ended: Ended) -> None:
        """What the end of an attempt says of who was asked."""
        fx, endpoint, fault = self._fx, opened.candidate.endpoint, ended.fault
        now_s = fx.clock.monotonic_s()
        if fault is not None and fault.error_class == "timeout_total" and self._limits.deadline_s is not None:
            fault = CANCELLED  # it was the client who would not wait
        fx.wellbeing.observe(endpoint, opened.credential, fault, began_s=opened.started_s, now_s=now_s)
        if self._compares:
            first_s = None
            if self._request.facts.stream and ended.first_ms is not None:
                first_s = (ended.first_ms - opened.started_ms) / 1000
            fx.wellbeing.compare(opened.candidate, fault, first_s, now_s)

    def _left_s(self) -> float | None:
        deadline_s = self._limits.deadline_s
        return None if deadline_s is None else max(0.001, deadline_s - self._fx.clock.monotonic_s())

    async def send(
        self, destination: Destination, opened: OpenAttempt, body: bytes, target: Target, exchange: Exchange
    ) -> Fault | None:
        """One upstream exchange, settled whatever comes of it, and recorded where that is wanted."""
        recordings = self._fx.recordings
        if recordings is None:
            return await self._exchange_with(destination, opened, body, target, exchange, None)
        heard: list[HeardReply] = []
        try:
            return await self._exchange_with(destination, opened, body, target, exchange, heard)
        finally:
            if self.refused is None:
                recordings.note(self._request, opened, body, heard[0] if heard else None)

    async def _exchange_with(
        self,
        destination: Destination,
        opened: OpenAttempt,
        body: bytes,
        target: Target,
        exchange: Exchange,
        heard: list[HeardReply] | None,
    ) -> Fault | None:
        """`heard` is given the reply, if one comes that is to be recorded."""
        stream = self._request.facts.stream
        call = destination.call(exchange.incoming, body, stream=stream, within_s=self._left_s())
        try:
            async with Patience(exchange, destination.drain):
                reply: UpstreamReply = await self._fx.upstream.send(call)
        except TimeoutError:
            return self._left(opened)
        except LedgerUnavailable as error:
            self._fx.books.outage.refused("intent not written", error, self._request.request_id)
            self.settle(opened, Ended(ending="failed", fault=NOT_SENT))
            self.refused = LEDGER_DOWN
            return NOT_SENT
        except TransportError as error:
            fault = transport_fault(error, answered=False)
            self.settle(opened, Ended(ending=unanswered(fault), fault=fault))
            return fault
        self._fx.books.outage.is_over()
        if heard is not None and self._fx.recordings is not None:
            reply = self._fx.recordings.hear(reply)
            heard.append(reply)
        try:
            if reply.status != 200:
                return await self._error_status(destination, opened, reply)
            if stream:
                return await self._stream(destination, opened, reply, target, exchange)
            async with Patience(exchange, destination.drain):
                return await self._whole(destination, opened, reply, target, exchange)
        except TimeoutError:
            return self._left(opened)
        finally:
            reply.close()

    def _left(self, opened: OpenAttempt) -> Fault:
        """The client did not wait for an answer that may be billed all the same."""
        if not opened.settled:
            self.settle(opened, Ended(ending="unknown", fault=CLIENT_GONE))
        return CLIENT_GONE

    async def _error_status(self, destination: Destination, opened: OpenAttempt, reply: UpstreamReply) -> Fault:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reply.headers}
        try:
            raw = await reply.read()
        except TransportError:
            raw = b""  # the status says enough; its explanation was lost on the way
        fault = destination.read_fault(reply.status, headers, raw[:MAX_ERROR_BODY_BYTES])
        ending: Ending = "failed"
        if reply.status < LEAST_ERROR_STATUS:
            # Not what these APIs say of an answer, but no error either, which alone would cost nothing.
            fault, ending = structs.replace(fault, maybe_billed=True), "unknown"
        self.settle(
            opened,
            Ended(
                ending=ending,
                reply=told_of_failure(destination.provider_dialect.name, raw[:MAX_ERROR_BODY_BYTES]),
                fault=fault,
                status=reply.status,
                upstream_request_id=upstream_id(headers),
            ),
        )
        return fault

    async def _whole(
        self, destination: Destination, opened: OpenAttempt, reply: UpstreamReply, target: Target, exchange: Exchange
    ) -> Fault | None:
        first_ms = self._fx.clock.now_ms()
        try:
            raw = await reply.read()
        except TransportError as error:
            fault = transport_fault(error, answered=True)
            self.settle(opened, Ended(ending=unanswered(fault), fault=fault, status=200, first_ms=first_ms))
            return fault
        came = raw
        swollen = self._swollen(raw, destination.max_values)
        raw, read = (raw, swollen) if swollen else understood(came, destination.provider_dialect.read_reply)
        if raw is not came:
            log.warning(
                "an answer was not quite JSON and was mended",
                extra={"request_id": self._request.request_id, "provider": opened.candidate.endpoint.provider},
            )
        if isinstance(read, Fault):
            read = destination.conceal(read)
            told = None if swollen else told_of_failure(destination.provider_dialect.name, raw)
            self.settle(opened, Ended(ending=unanswered(read), reply=told, fault=read, status=200, first_ms=first_ms))
            return read
        cost = self.settle(
            opened,
            Ended(
                ending="completed",
                reply=read,
                status=200,
                first_ms=first_ms,
                upstream_request_id=read.response_id,
            ),
        )
        if self._withheld_bytes:
            self._withhold(opened.candidate, raw, read, cost, streamed=False)
            return None
        request = self._request
        shown = self._shown(cost) if self._fx.splice_cost else None
        candidate = opened.candidate
        context = self._context(destination, target, read.usage)
        answer = destination.codec.reply(raw, request.facts, candidate.model, shown, context)
        self._keep(context, answer)
        headers = self._answer_headers(candidate, JSON)
        cost_line = cost_header(self._shown(cost))
        if cost_line is not None:
            headers.append(cost_line)
        self.started = True
        await exchange.respond(200, headers, answer)
        self.complete = True
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

    def _swollen(self, raw: bytes, max_values: int) -> Fault | None:
        """Why an answer is not decoded: what its bytes stand for may be far more than they are."""
        if len(raw) <= max_values:
            return None
        count = most_containers if self._request.work == "embeddings" else most_values
        if count(raw) <= max_values:
            return None
        return protocol_fault(
            f"the answer may hold more than {max_values} values (server.limits.max_response_values), so it was not read"
        )

    async def _stream(
        self, destination: Destination, opened: OpenAttempt, reply: UpstreamReply, target: Target, exchange: Exchange
    ) -> Fault | None:
        fx = self._fx
        candidate = opened.candidate
        context = self._context(destination, target)
        codec = destination.codec.stream(self._request.facts, candidate.model, fx.splice_cost, context)
        if self._request.array:
            codec = JsonArrayStream(codec)
        relay = Relay(
            exchange=exchange,
            reply=reply,
            codec=codec,
            clock=fx.clock,
            drain=destination.drain,
            open_answer=lambda: self._opens(opened),
            record_bytes=self._withheld_bytes or self.keep_bytes,
        )
        try:
            relayed = await relay.run()
        except BaseException:
            self.settle(opened, stream_ended(codec.facts, relay.result("fault", fault=CANCELLED)))
            if relay.started:
                await exchange.end(codec.fail(cut_short(CANCELLED)))
            raise
        if relayed.fault is not None:
            relayed = structs.replace(relayed, fault=destination.conceal(relayed.fault))
        self.started = self.started or (relayed.started and not self._withheld_bytes)
        cost = self.settle(opened, stream_ended(codec.facts, relayed))
        if relayed.ending == "complete" and self._withheld_bytes:
            await read_out(reply)
            self._withhold(candidate, b"".join(relay.recorded), codec.facts, cost, streamed=True)
            return None
        if relayed.ending == "complete":
            last = codec.close(self._shown(cost))
            self._keep(context, last_response(last) if context.keeps else None)
            await self._finish_stream(exchange, relayed, last, candidate)
            self.complete = True
            await read_out(reply)
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
            await exchange.end(codec.fail(cut_short(fault)))
        return fault

    def _shown(self, cost: Cost) -> int | None:
        """What the client is told that its answer cost: with all that a strategy did for it before; what attempts
        that failed may have cost is in the ledger alone."""
        if self._spent_nanousd == 0 or cost.cost_nanousd is None:
            return cost.cost_nanousd
        return None if self._spent_nanousd is None else self._spent_nanousd + cost.cost_nanousd

    def _withhold(self, candidate: Candidate, raw: bytes, facts: ReplyFacts, cost: Cost, *, streamed: bool) -> None:
        """Keep an answer that its client does not get, or not yet; one that is too large is known to have come."""
        self.answered = Answered(
            candidate=candidate,
            raw=raw if len(raw) <= self._withheld_bytes else b"",
            streamed=streamed,
            finish_reason=facts.finish_reason,
            has_tool_calls=facts.has_tool_calls,
            cost=cost,
        )

    def _opens(self, opened: OpenAttempt) -> list[Header]:
        """The head of a stream whose first content is there; a probe need not wait for its end."""
        if opened.probe:
            now_s = self._fx.clock.monotonic_s()
            endpoint, began_s = opened.candidate.endpoint, opened.started_s
            self._fx.wellbeing.observe(endpoint, opened.credential, None, began_s=began_s, now_s=now_s)
        return self._stream_headers(opened.candidate)

    async def _finish_stream(self, exchange: Exchange, relayed: Relayed, last: bytes, candidate: Candidate) -> None:
        if not relayed.started:
            self.started = True
            await exchange.start(200, self._stream_headers(candidate))
        await exchange.end(relayed.pending + last)

    def _context(self, destination: Destination, target: Target, usage: Usage | None = None) -> ReplyContext:
        request = self._request
        surface = SURFACES[request.surface]
        body = request.client_body or request.body
        # What is relayed is the provider's to keep.
        refers = surface.refers and destination.provider_dialect.name != surface.dialect
        keeps = refers and self._fx.kept is not None and body.get("store") is not False
        return ReplyContext(
            now_s=request.started_ms // 1000,
            request_id=request.request_id,
            target=target,
            body=body,
            keeps=keeps,
            usage=usage,
        )

    def _keep(self, context: ReplyContext, response: bytes | None) -> None:
        """Keep an answer for requests that refer to it, where that is wanted."""
        if context.keeps and self._fx.kept is not None and response is not None:
            now_s = self._fx.clock.monotonic_s()
            self._fx.kept.keep(self._request.key.name, context.body or {}, response, now_s)

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
