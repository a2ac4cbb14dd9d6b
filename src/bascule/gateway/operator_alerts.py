"""What happens to the process as a whole, as alerts: breakers, reloads, memory."""

from bascule.gateway.telling import Tell
from bascule.gateway.wellbeing import BreakerChange
from bascule.model.alert import Alert, EventName, FieldValue
from bascule.model.errors import BasculeError, ConfigError
from bascule.ports import Clock


class OperatorAlerts:
    """One method for each thing that may happen."""

    def __init__(self, *, clock: Clock, tell: Tell) -> None:
        self._clock = clock
        self._tell = tell

    def breaker(self, change: BreakerChange) -> None:
        """A breaker has opened or closed."""
        scope = f"{change.kind} {change.target}"
        if change.state == "closed":
            summary = f"the {scope} has answered again"
            self._say("breaker_closed", scope, summary, kind=change.kind, target=change.target)
            return
        error_class = None if change.fault is None else change.fault.error_class
        summary = f"the {scope} keeps failing and is left alone for a while"
        self._say("breaker_open", scope, summary, kind=change.kind, target=change.target, error_class=error_class)

    def reload_refused(self, error: BasculeError) -> None:
        """A changed configuration cannot be taken. What is wrong with it stands in the log, not here."""
        mistakes = error.problems if isinstance(error, ConfigError) else ()
        where = mistakes[0].where if mistakes else None
        self._say(
            "reload_failed",
            f"gateway {where} {len(mistakes)}",
            "a changed configuration was refused, the old one stays; the log says why",
            first_mistake_at=where,
            mistakes=len(mistakes),
        )

    def memory_short(self, refused: str, used_bytes: int | None, limit_bytes: int | None) -> None:
        """So much is used that work is refused: `large` bodies, or `all`."""
        what = "every large body" if refused == "large" else "all new work"
        summary = f"memory is short, so {what} is refused"
        self._say("memory_high", f"gateway {refused}", summary, refused=refused, used_bytes=used_bytes,
                  limit_bytes=limit_bytes)  # fmt: skip

    def _say(self, event: EventName, scope: str, summary: str, **fields: FieldValue) -> None:
        self._tell(Alert(event=event, scope=scope, ts_ms=self._clock.now_ms(), summary=summary, fields=fields))
