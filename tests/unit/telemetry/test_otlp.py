"""Spans and metrics as a collector gets them, read back with OpenTelemetry's own messages."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

from bascule.config.telemetry import Otlp
from bascule.model.trace import TraceParent, read_traceparent
from bascule.model.usage import NO_USAGE, Usage
from bascule.ports.telemetry import AttemptEnded, RequestEnded
from bascule.telemetry import names
from bascule.telemetry.otlp import OtlpTelemetry
from bascule.testing.ledger import NOON_MS, a_settlement, an_intent

CALLER = TraceParent(0xABC, 0xDEF, sampled=True)


class Collector(ThreadingHTTPServer):
    """Takes what is sent, and answers as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.headers: list[dict[str, str]] = []
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> list[Span]:
        scopes = [scope for sent in self.traces for resource in sent.resource_spans for scope in resource.scope_spans]
        return [span for scope in scopes for span in scope.spans]


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path == "/v1/traces":
            self.server.traces.append(ExportTraceServiceRequest.FromString(body))
        elif self.path == "/v1/metrics":
            self.server.metrics.append(ExportMetricsServiceRequest.FromString(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def request(**more: object) -> RequestEnded:
    values = {
        "request_id": "req-000001",
        "surface": "openai_chat",
        "parent": CALLER,
        "started_ms": NOON_MS,
        "ended_ms": NOON_MS + 900,
        "status": 200,
    }
    return RequestEnded(**{**values, **more})


def attempt(*, parent: TraceParent | None = CALLER, number: int = 1, **settled: object) -> AttemptEnded:
    return AttemptEnded(
        intent=an_intent(number, stream=True, request_id="req-000001"),
        settlement=a_settlement(number, **settled),
        parent=parent,
        work="chat",
        max_tokens=64,
        temperature=None,
    )


def sent(collector: Collector, *ended: RequestEnded | AttemptEnded, **settings: object) -> None:
    told = OtlpTelemetry(Otlp(endpoint=collector.url, **settings), {"authorization": "Bearer x"}, instance="here:1")
    for one in ended:
        if isinstance(one, RequestEnded):
            told.request(one)
        else:
            told.attempt(one)
    told.close()


def attributes(span: Span) -> dict[str, object]:
    found = {}
    for pair in span.attributes:
        kind = pair.value.WhichOneof("value")
        value = getattr(pair.value, kind)
        found[pair.key] = [one.string_value for one in value.values] if kind == "array_value" else value
    return found


def test_an_attempt_is_below_its_request_which_is_below_its_caller(collector: Collector) -> None:
    sent(collector, attempt(), request())
    below, above = collector.spans
    assert {below.trace_id, above.trace_id} == {CALLER.trace_id.to_bytes(16)}
    assert below.parent_span_id == above.span_id
    assert above.parent_span_id == CALLER.span_id.to_bytes(8)
    assert (above.kind, below.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
    assert above.end_time_unix_nano - above.start_time_unix_nano == 900_000_000
    assert {headers["authorization"] for headers in collector.headers} == {"Bearer x"}


def test_a_span_says_what_the_ledger_says(collector: Collector) -> None:
    usage = Usage(
        tokens_in=70,
        tokens_cache_read=30,
        tokens_out=9,
        tokens_reasoning=11,
        source="reported",
        tokens_cache_write_5m=5,
    )
    sent(collector, attempt(usage=usage, cost_nanousd=1_230, finish_reason="stop"))
    said = attributes(collector.spans[0])
    assert said[names.INPUT_TOKENS] == 105
    assert said[names.OUTPUT_TOKENS] == 20
    assert (said[names.CACHE_READ_TOKENS], said[names.CACHE_WRITE_TOKENS], said[names.REASONING_TOKENS]) == (30, 5, 11)
    assert said[names.COST_USD] == "0.000001230"
    assert said[names.FINISH_REASONS] == ["stop"]
    assert said[names.REQUEST_ID] == "req-000001"
    assert said[names.REQUEST_MAX_TOKENS] == 64


def test_what_is_not_known_is_left_out(collector: Collector) -> None:
    sent(collector, attempt(usage=NO_USAGE, cost_nanousd=None, rates=None, error_class="reset", status=None))
    span = collector.spans[0]
    unknown = {names.INPUT_TOKENS, names.OUTPUT_TOKENS, names.COST_USD, names.STATUS_CODE, names.REQUEST_TEMPERATURE}
    assert unknown.isdisjoint(attributes(span))
    assert attributes(span)[names.ERROR_TYPE] == "reset"
    assert span.status.code == 2  # ERROR


@pytest.mark.parametrize(
    ("parent", "sample", "kept"),
    [(None, 1.0, 2), (None, 0.0, 0), (CALLER, 0.0, 2), (TraceParent(1, 2, sampled=False), 1.0, 0)],
)
def test_a_caller_s_sampling_is_kept_to(
    collector: Collector, parent: TraceParent | None, sample: float, kept: int
) -> None:
    sent(collector, attempt(parent=parent), request(parent=parent), sample=sample)
    assert len(collector.spans) == kept


def test_metrics_count_what_was_used(collector: Collector) -> None:
    sent(collector, attempt(), attempt(number=2), request(), request(status=402, refusal="budget_exhausted"))
    metrics = {
        metric.name: metric
        for sending in collector.metrics
        for resource in sending.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    usage = a_settlement(1).usage
    tokens = {
        next(pair.value.string_value for pair in point.attributes if pair.key == names.TOKEN_TYPE): point.sum
        for point in metrics[names.TOKEN_USAGE].histogram.data_points
    }
    assert tokens == {"input": 2 * usage.billed_input, "output": 2 * usage.billed_output}
    cost = metrics[names.COST].sum.data_points[0].as_double
    assert cost == pytest.approx(2 * a_settlement(1).cost_nanousd / 1e9)
    assert sum(point.count for point in metrics[names.REQUEST_DURATION].histogram.data_points) == 2


def test_a_collector_that_is_down_costs_spans_and_nothing_else(collector: Collector) -> None:
    collector.status = 400
    sent(collector, attempt(), request(), timeout_s=0.2)
    sent(collector, *[attempt() for _ in range(50)], max_queue_spans=10, timeout_s=0.2)


def test_names_are_those_of_the_conventions() -> None:
    known = {
        value
        for module in (gen_ai_attributes, gen_ai_metrics)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    ours = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    assert {value for value in ours if value.startswith("gen_ai.")} <= known
    providers = {one.value for one in gen_ai_attributes.GenAiProviderNameValues}
    assert set(names.PROVIDERS.values()) <= providers


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-01",
        b"00-" + b"1" * 32 + b"-" + b"0" * 16 + b"-01",
        b"ff-" + b"1" * 32 + b"-" + b"1" * 16 + b"-01",
        b"00-" + b"1" * 31 + b"-" + b"1" * 16 + b"-01",
        b"00-" + b"G" * 32 + b"-" + b"1" * 16 + b"-01",
        b"0" * 1000,
    ],
)
def test_a_traceparent_that_is_none_is_ignored(header: bytes | None) -> None:
    assert read_traceparent(header) is None


def test_a_traceparent_is_read() -> None:
    header = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert read_traceparent(header) == TraceParent(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, True)
    assert read_traceparent(b"cc" + header[2:-2] + b"00-what-comes-later") == TraceParent(
        0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, False
    )
