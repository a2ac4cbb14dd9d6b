"""OTLP over HTTP: spans in batches and metrics at intervals, from threads of their own.

Bounded; what does not fit, or what the collector does not take, is dropped with a log line, and no request waits.
"""

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from bascule import __version__
from bascule.config.telemetry import Otlp
from bascule.ports.telemetry import AttemptEnded, RequestEnded
from bascule.telemetry import names
from bascule.telemetry.spans import Spans, first_chunk_s, provider_name

NANOUSD_PER_USD = 1_000_000_000


class OtlpTelemetry:
    """Implements `ports.telemetry.Telemetry`. Everything is a no-op after `close`."""

    def __init__(self, settings: Otlp, headers: dict[str, str], *, instance: str) -> None:
        """`headers`: with their secrets. `instance`: tells this process from others of the same service."""
        base = settings.endpoint.rstrip("/")
        resource = Resource.create(
            {
                "service.name": settings.service,
                "service.version": __version__,
                "service.instance.id": instance,
            }
        )
        self._spans = Spans(resource, InstrumentationScope("bascule", __version__), settings.sample)
        self._processor: SpanProcessor | None = None
        if settings.traces:
            exporter: SpanExporter = OTLPSpanExporter(f"{base}/v1/traces", headers=headers, timeout=settings.timeout_s)
            self._processor = BatchSpanProcessor(
                exporter,
                max_queue_size=settings.max_queue_spans,
                schedule_delay_millis=settings.flush_s * 1000,
                max_export_batch_size=min(512, settings.max_queue_spans),
            )
        self._metrics: Instruments | None = None
        if settings.metrics:
            sender = OTLPMetricExporter(f"{base}/v1/metrics", headers=headers, timeout=settings.timeout_s)
            reader = PeriodicExportingMetricReader(sender, export_interval_millis=settings.interval_s * 1000)
            self._metrics = Instruments(MeterProvider([reader], resource=resource, shutdown_on_exit=False))

    def request(self, ended: RequestEnded) -> None:
        if self._processor is not None and (span := self._spans.request(ended)) is not None:
            self._processor.on_end(span)
        if self._metrics is not None:
            self._metrics.request(ended)

    def attempt(self, ended: AttemptEnded) -> None:
        if self._processor is not None and (span := self._spans.attempt(ended)) is not None:
            self._processor.on_end(span)
        if self._metrics is not None:
            self._metrics.attempt(ended)

    def close(self) -> None:
        """Send what there is, within the time-out of one sending."""
        if self._processor is not None:
            self._processor.shutdown()
        if self._metrics is not None:
            self._metrics.close()


class Instruments:
    """The metrics. Their attributes are names of the configuration and of errors: bounded in number."""

    def __init__(self, provider: MeterProvider) -> None:
        self._provider = provider
        meter = provider.get_meter("bascule", __version__)
        seconds = list(names.DURATION_BOUNDS_S)
        self._duration = meter.create_histogram(
            names.OPERATION_DURATION, "s", "Upstream exchanges", explicit_bucket_boundaries_advisory=seconds
        )
        self._first = meter.create_histogram(
            names.TIME_TO_FIRST_CHUNK, "s", "To the first of an answer", explicit_bucket_boundaries_advisory=seconds
        )
        self._tokens = meter.create_histogram(
            names.TOKEN_USAGE,
            "{token}",
            "Tokens of an exchange",
            explicit_bucket_boundaries_advisory=names.TOKEN_BOUNDS,
        )
        self._requests = meter.create_histogram(
            names.REQUEST_DURATION, "s", "Client requests", explicit_bucket_boundaries_advisory=seconds
        )
        self._cost = meter.create_counter(names.COST, "USD", "List price of what was used, where it is known")

    def request(self, ended: RequestEnded) -> None:
        attributes: dict[str, str | int] = {names.SURFACE: ended.surface, names.STATUS_CODE: ended.status}
        if ended.refusal is not None:
            attributes[names.ERROR_TYPE] = ended.refusal
        self._requests.record((ended.ended_ms - ended.started_ms) / 1000, attributes)

    def attempt(self, ended: AttemptEnded) -> None:
        intent, settlement = ended.intent, ended.settlement
        attributes = {
            names.OPERATION: ended.work,
            names.PROVIDER: provider_name(intent),
            names.REQUEST_MODEL: intent.upstream_model or intent.model,
        }
        usage = settlement.usage
        if usage.source != "none":
            self._tokens.record(usage.billed_input, {**attributes, names.TOKEN_TYPE: "input"})
            self._tokens.record(usage.billed_output, {**attributes, names.TOKEN_TYPE: "output"})
        if settlement.cost_nanousd:
            self._cost.add(settlement.cost_nanousd / NANOUSD_PER_USD, attributes)
        if settlement.error_class is not None:
            attributes[names.ERROR_TYPE] = settlement.error_class
        self._duration.record((settlement.ts_end_ms - intent.ts_start_ms) / 1000, attributes)
        if (waited_s := first_chunk_s(ended)) is not None:
            self._first.record(waited_s, attributes)

    def close(self) -> None:
        self._provider.shutdown()
