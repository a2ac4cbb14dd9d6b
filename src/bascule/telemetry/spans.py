"""From what has ended to spans. A request is a server's span, each of its attempts a client's below it.

Attempts end before their request and are sent on their own, so the request's span id is derived from its id.
"""

from hashlib import blake2b

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from bascule.model.entry import Intent
from bascule.model.money import usd_text
from bascule.model.trace import TraceParent
from bascule.ports.telemetry import AttemptEnded, RequestEnded
from bascule.telemetry import names

NS_PER_MS = 1_000_000
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
Attributes = dict[str, str | int | float | bool | list[str]]


class Spans:
    """Makes spans of one service. `sample`: the share of traces that begin here and are kept; a caller's own decision
    is kept to."""

    def __init__(self, resource: Resource, scope: InstrumentationScope, sample: float) -> None:
        self._resource = resource
        self._scope = scope
        self._sample_below = int(sample * 2**64)

    def request(self, ended: RequestEnded) -> ReadableSpan | None:
        """None where its trace is not sampled."""
        attributes: Attributes = {
            names.REQUEST_ID: ended.request_id,
            names.SURFACE: ended.surface,
            names.STATUS_CODE: ended.status,
        }
        error = ended.refusal
        if error is None and ended.status >= 400:
            error = str(ended.status)
        if error is not None:
            attributes[names.ERROR_TYPE] = error
        own = self._context(ended.request_id, ended.request_id, ended.parent)
        if own is None:
            return None
        parent = None if ended.parent is None else _remote(ended.parent)
        times = (ended.started_ms, ended.ended_ms)
        # A refusal is the caller's error, not the server's, until it is a 5xx.
        failed = error if ended.status >= 500 else None
        return self._span(f"{ended.surface} request", own, parent, SpanKind.SERVER, attributes, times, failed)

    def attempt(self, ended: AttemptEnded) -> ReadableSpan | None:
        """None where its trace is not sampled."""
        intent, settlement = ended.intent, ended.settlement
        own = self._context(intent.attempt_id, intent.request_id, ended.parent)
        above = self._context(intent.request_id, intent.request_id, ended.parent)
        if own is None:
            return None
        name = f"{ended.work} {intent.upstream_model}"
        times = (intent.ts_start_ms, settlement.ts_end_ms)
        return self._span(name, own, above, SpanKind.CLIENT, attempt_attributes(ended), times, settlement.error_class)

    def _context(self, own_id: str, request_id: str, parent: TraceParent | None) -> SpanContext | None:
        trace_id = _number(request_id, 16) if parent is None else parent.trace_id
        sampled = trace_id & (2**64 - 1) < self._sample_below if parent is None else parent.sampled
        if not sampled:
            return None
        return SpanContext(trace_id, _number(own_id, 8), is_remote=False, trace_flags=SAMPLED)

    def _span(
        self,
        name: str,
        own: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Attributes,
        times: tuple[int, int],
        error: str | None,
    ) -> ReadableSpan:
        return ReadableSpan(
            name=name,
            context=own,
            parent=parent,
            resource=self._resource,
            attributes=attributes,
            kind=kind,
            status=Status(StatusCode.UNSET) if error is None else Status(StatusCode.ERROR, error),
            start_time=times[0] * NS_PER_MS,
            end_time=times[1] * NS_PER_MS,
            instrumentation_scope=self._scope,
        )


def attempt_attributes(ended: AttemptEnded) -> Attributes:
    """What is not known is left out, never zero."""
    intent, settlement = ended.intent, ended.settlement
    usage = settlement.usage
    is_known = usage.source != "none"
    found: dict[str, str | int | float | bool | list[str] | None] = {
        names.OPERATION: ended.work,
        names.PROVIDER: provider_name(intent),
        names.REQUEST_MODEL: intent.upstream_model,
        names.REQUEST_MAX_TOKENS: ended.max_tokens,
        names.REQUEST_TEMPERATURE: ended.temperature,
        names.REQUEST_STREAM: intent.stream or None,
        names.RESPONSE_MODEL: settlement.model_reported,
        names.RESPONSE_ID: settlement.upstream_request_id,
        names.FINISH_REASONS: None if settlement.finish_reason is None else [settlement.finish_reason],
        names.FIRST_CHUNK_S: first_chunk_s(ended),
        names.INPUT_TOKENS: usage.billed_input if is_known else None,
        names.CACHE_READ_TOKENS: usage.tokens_cache_read,
        names.CACHE_WRITE_TOKENS: _sum(usage.tokens_cache_write_5m, usage.tokens_cache_write_1h),
        names.OUTPUT_TOKENS: usage.billed_output if is_known else None,
        names.REASONING_TOKENS: usage.tokens_reasoning,
        names.CONVERSATION: intent.session_id,
        names.ERROR_TYPE: settlement.error_class,
        names.STATUS_CODE: settlement.status,
        names.REQUEST_ID: intent.request_id,
        names.ATTEMPT_ID: intent.attempt_id,
        names.ATTEMPT_NO: intent.attempt_no,
        names.ROLE: intent.role,
        names.PROVIDER_NAME: intent.provider,
        names.MODEL: intent.model,
        names.MODEL_REQUESTED: intent.model_requested,
        names.ROUTE: intent.route,
        names.KEY: intent.key,
        names.TEAM: intent.team,
        names.PROJECT: intent.project,
        names.COST_USD: None if settlement.cost_nanousd is None else usd_text(settlement.cost_nanousd),
        names.USAGE_SOURCE: usage.source,
    }
    return {name: value for name, value in found.items() if value is not None}


def provider_name(intent: Intent) -> str:
    """As the conventions call the provider."""
    own = intent.provider or "unknown"
    return names.PROVIDERS.get(own, own)


def first_chunk_s(ended: AttemptEnded) -> float | None:
    """Of streams."""
    first_ms = ended.settlement.ts_first_ms
    return None if first_ms is None or not ended.intent.stream else (first_ms - ended.intent.ts_start_ms) / 1000


def _sum(*parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _remote(parent: TraceParent) -> SpanContext:
    return SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=SAMPLED)


def _number(text: str, size: int) -> int:
    """A non-zero number of `size` bytes that follows from `text`."""
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest()) or 1
