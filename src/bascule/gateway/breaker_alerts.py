"""Breakers that open and close, as alerts."""

from bascule.gateway.telling import Tell
from bascule.gateway.wellbeing import BreakerChange
from bascule.model.alert import Alert, FieldValue
from bascule.ports import Clock


class BreakerAlerts:
    """A listener of `Wellbeing`."""

    def __init__(self, *, clock: Clock, tell: Tell) -> None:
        self._clock = clock
        self._tell = tell

    def __call__(self, change: BreakerChange) -> None:
        fields: dict[str, FieldValue] = {"kind": change.kind, "target": change.target}
        if change.state == "open":
            fields["error_class"] = None if change.fault is None else change.fault.error_class
            summary = f"the {change.kind} {change.target} keeps failing and is left alone for a while"
        else:
            summary = f"the {change.kind} {change.target} has answered again"
        self._tell(
            Alert(
                event="breaker_open" if change.state == "open" else "breaker_closed",
                scope=f"{change.kind} {change.target}",
                ts_ms=self._clock.now_ms(),
                summary=summary,
                fields=fields,
            )
        )
