"""Traces and metrics for OpenTelemetry."""

from msgspec import field

from bascule.config.scalars import BaseUrl, Name, SecretRef
from bascule.config.section import Count, Seconds, Section, Share


class Otlp(Section, frozen=True, kw_only=True):
    """A collector that takes OTLP over HTTP. Needs the extra `otel`. Content is never sent."""

    endpoint: BaseUrl
    """Its address, e.g. `http://127.0.0.1:4318`; `/v1/traces` and `/v1/metrics` are added."""
    headers: dict[Name, SecretRef] = field(default_factory=dict)
    """Sent along, each from a variable or file: `{authorization: env:OTLP_AUTHORIZATION}`."""
    service: Name = "bascule"
    """`service.name`."""
    traces: bool = True
    """A span for each request and each attempt."""
    metrics: bool = True
    """Durations, tokens and cost."""
    sample: Share = 1.0
    """Of traces that begin here. A caller's `traceparent` decides for its own."""
    interval_s: Seconds = 30.0
    """Between two sendings of metrics."""
    flush_s: Seconds = 5.0
    """The longest that a span waits for its batch."""
    timeout_s: Seconds = 5.0
    """Of one sending."""
    max_queue_spans: Count = 2_048
    """Spans that wait to be sent; what is beyond is dropped."""


class Telemetry(Section, frozen=True, kw_only=True):
    """What is told to other systems while it happens."""

    otlp: Otlp | None = None
