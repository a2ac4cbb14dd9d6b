"""Whom requests are told of."""

from typing import TYPE_CHECKING

from bascule.link import Snapshot
from bascule.model.errors import BasculeError

if TYPE_CHECKING:
    from bascule.telemetry.otlp import OtlpTelemetry


def open_telemetry(snapshot: Snapshot, instance: str) -> "OtlpTelemetry | None":
    """Whom requests are told of; None where nobody is. Raises BasculeError where the extra is missing."""
    otlp = snapshot.config.telemetry.otlp
    if otlp is None:
        return None
    try:
        from bascule.telemetry.otlp import OtlpTelemetry
    except ModuleNotFoundError as error:
        raise BasculeError("`telemetry.otlp` needs OpenTelemetry: pip install 'bascule[otel]'") from error
    headers = {name: secret.reveal().decode() for name, secret in snapshot.telemetry_headers.items()}
    return OtlpTelemetry(otlp, headers, instance=instance)
