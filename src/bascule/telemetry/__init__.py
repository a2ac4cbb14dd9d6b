"""Traces and metrics by OpenTelemetry, after its conventions for generative AI. Needs the extra `otel`."""
