"""Serving from the exact cache, and keeping what may be served again."""

import msgspec

from bascule.decide.fingerprint import Fingerprint, cacheable, fingerprint
from bascule.dialects.base import ReplyContext
from bascule.gateway.admission import Admitted
from bascule.gateway.books import Books
from bascule.gateway.cache import ExactCache, Stored
from bascule.gateway.decisions import Recorder
from bascule.gateway.effects import Answered
from bascule.gateway.exchange import Exchange
from bascule.gateway.metrics import Metrics
from bascule.gateway.replaying import content_type, give, rendered
from bascule.gateway.respond import answer_headers, cost_header
from bascule.model.errors import Refusal
from bascule.model.plan import Plan
from bascule.ports import Clock


class Caching:
    """What stands between a plan and its first attempt. A cache of None keeps and finds nothing."""

    def __init__(self, cache: ExactCache | None, *, books: Books, clock: Clock, metrics: Metrics) -> None:
        self.cache = cache
        self._books = books
        self._clock = clock
        self._metrics = metrics

    def wants(self, request: Admitted) -> bool:
        """Whether this request's answer may be kept and found again."""
        return (
            self.cache is not None
            and request.work == "chat"
            and not request.ask.no_cache
            and cacheable(request.facts, request.body)
        )

    async def serve(
        self,
        exchange: Exchange,
        request: Admitted,
        plan: Plan,
        *,
        recorder: Recorder,
        splice_cost: bool,
        price_version: str,
    ) -> bool | Refusal:
        """Answer a request that `wants` says so of from the cache, if an adequate candidate's answer lies there:
        whether it did, or why it may not.
        """
        if self.cache is None:
            return False
        found = self._find(self.cache, request, plan)
        if found is None:
            return False
        decision = recorder.hit(request, plan, found.candidate, price_version=price_version)
        refusal = self._books.hit(
            request, plan, found.candidate, found.usage, price_version=price_version, decision=decision
        )
        if refusal is not None:
            return refusal
        self._metrics.cache_hits += 1
        await _replay(exchange, request, found, now_ms=self._clock.now_ms(), splice_cost=splice_cost)
        return True

    @property
    def most_bytes(self) -> int:
        """How large an answer may be to be kept; 0 where none is."""
        return 0 if self.cache is None else self.cache.max_entry_bytes

    def keep(self, request: Admitted, answered: Answered) -> None:
        """Keep a complete answer to a request that `wants` says so of, if it ended by itself and calls no tools."""
        if self.cache is None or not answered.raw:
            return
        if answered.has_tool_calls or answered.finish_reason != "stop":
            return
        endpoint = answered.candidate.endpoint
        self.cache.put(
            _fingerprint(request, endpoint.id),
            Stored(
                kind="stream" if answered.streamed else "reply",
                raw=answered.raw,
                candidate=answered.candidate,
                usage=answered.cost.usage,
                stored_s=self._clock.monotonic_s(),
            ),
        )

    def _find(self, cache: ExactCache, request: Admitted, plan: Plan) -> Stored | None:
        now_s = self._clock.monotonic_s()
        for candidate in plan.candidates:
            if candidate.adequate:
                found = cache.get(_fingerprint(request, candidate.endpoint.id), now_s)
                if found is not None:
                    return found
        return None


_policy = msgspec.json.Encoder(order="sorted")


def _fingerprint(request: Admitted, endpoint_id: str) -> Fingerprint:
    """The whole policy of the key is part of what was asked, so that a key under another policy starts anew. Betas
    change answers without standing in the body, so they are too."""
    partition = _policy.encode(request.key).decode()
    return fingerprint(partition, endpoint_id, f"{request.surface} {request.betas}", request.body)


async def _replay(exchange: Exchange, request: Admitted, found: Stored, *, now_ms: int, splice_cost: bool) -> None:
    """The stored answer. Its cost is 0, and no provider gave it."""
    streamed = found.kind == "stream"
    answer = rendered(
        request,
        found.candidate,
        found.raw,
        streamed=streamed,
        cost_nanousd=0,
        splice_cost=splice_cost,
        context=ReplyContext(now_s=now_ms // 1000, request_id=request.request_id, body=request.body),
    )
    headers = answer_headers(
        request_id=request.request_id,
        model=found.candidate.model,
        provider=None,
        reason="cache",
        cache="exact",
        content_type=content_type(request, streamed=streamed),
    )
    free = cost_header(0)
    if free is not None:
        headers.append(free)
    await give(exchange, answer, headers)
