"""Budget alerts: a log line, a count and an alert when a budget's settled share reaches a threshold, once a window.

Looked for every second beside the requests, in the counters that have changed. What was told is kept in the store, so
that a restart repeats nothing; a budget whose limit was changed is another budget.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec
from msgspec import Struct

from bascule.decide.alerts import reached
from bascule.decide.window import span_of
from bascule.gateway.metrics import Metrics
from bascule.gateway.recurring import Recurring
from bascule.gateway.telling import Tell, untold
from bascule.model.alert import Alert, FieldValue
from bascule.model.budget import BudgetState
from bascule.model.errors import StoreError
from bascule.model.money import usd_text
from bascule.model.policy import Budget
from bascule.ports import Clock

log = logging.getLogger("bascule.budgets")

LOOK_EVERY_S = 1.0
MAX_TOLD = 10_000
"""Budgets of which it is remembered what was told; beyond it the oldest are forgotten."""
LATE_MS = 86_400_000
"""A late settlement goes to the window of its hold, so a window is remembered for a day after its end."""
FOR_EVER_MS = 10**14
"""The end of a window that has none: beyond the year 5000."""
SETTING = "budget_alerts_told"


class Changing(Protocol):
    """What of an authority alerts need."""

    def changed(self) -> list[tuple[Budget, BudgetState]]:
        """Budgets with alerts whose counters have changed since the last call; after a new configuration all."""
        ...


class Settings(Protocol):
    """What of the store alerts need. Both raise StoreError."""

    def setting(self, name: str) -> str | None: ...

    def set_setting(self, name: str, value: str) -> None: ...


class Reached(Struct, frozen=True, kw_only=True):
    """A threshold that was not told of."""

    budget: Budget
    state: BudgetState
    threshold: float


class BudgetAlerts:
    """Looks, remembers and tells. `start` and `stop` on the event loop."""

    def __init__(
        self, *, authority: Changing, settings: Settings, clock: Clock, metrics: Metrics, tell: Tell = untold
    ) -> None:
        self._authority = authority
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._tell_others = tell
        self._told: dict[str, list[float]] | None = None
        self._looking = Recurring(self.look, LOOK_EVERY_S)

    def start(self) -> None:
        self._looking.start()

    async def stop(self) -> None:
        """Tells what the last requests have reached."""
        await self._looking.stop()

    async def look(self) -> None:
        """Tell what has been reached and was not told. The store is written first: an alert is not repeated."""
        changed = self._authority.changed()
        if not changed:
            return
        if self._told is None:
            self._told = await self._read()
        due = self._due(changed, self._told)
        if not due:
            return
        self._remember(due, self._told)
        try:
            text = msgspec.json.encode(self._told).decode()
            await asyncio.to_thread(self._settings.set_setting, SETTING, text)
        except StoreError as error:
            log.error("a restart may repeat budget alerts: %s", error)
        for alert in due:
            self._tell(alert)

    async def _read(self) -> dict[str, list[float]]:
        try:
            text = await asyncio.to_thread(self._settings.setting, SETTING)
            return {} if text is None else msgspec.json.decode(text, type=dict[str, list[float]])
        except (StoreError, msgspec.DecodeError) as error:
            log.error("budget alerts may be repeated: %s", error)
            return {}

    def _due(self, changed: Iterable[tuple[Budget, BudgetState]], told: Mapping[str, list[float]]) -> list[Reached]:
        return [
            Reached(budget=budget, state=state, threshold=share)
            for budget, state in changed
            for share in reached(state, budget.alerts)
            if share not in told.get(_place(state), ())
        ]

    def _remember(self, due: Iterable[Reached], told: dict[str, list[float]]) -> None:
        over_ms = self._clock.now_ms() - LATE_MS
        for place in [place for place in told if _end_ms(place) <= over_ms]:
            del told[place]
        for alert in due:
            told.setdefault(_place(alert.state), []).append(alert.threshold)
        for place in list(told)[: max(0, len(told) - MAX_TOLD)]:
            del told[place]

    def _tell(self, alert: Reached) -> None:
        budget, state = alert.budget, alert.state
        kind = budget.scope.partition(":")[0]
        self._metrics.budget_alert(kind, budget.window, f"{alert.threshold:g}")
        fields: dict[str, FieldValue] = {
            "scope": state.scope,
            "window_id": state.window_id,
            "threshold": alert.threshold,
            "limit_usd": usd_text(state.limit_nanousd),
            "settled_usd": usd_text(state.settled_nanousd),
            "mode": budget.mode,
        }
        share = f"{100 * alert.threshold:g} %"
        log.warning(
            "budget alert: %s has spent %s of its limit in %s", state.scope, share, state.window_id,
            extra={"event": "budget_alert", **fields},
        )  # fmt: skip
        self._tell_others(
            Alert(
                event="budget_threshold",
                scope=f"{_place(state)} {alert.threshold:g}",
                ts_ms=self._clock.now_ms(),
                summary=f"{state.scope} has spent {share} of its limit in {state.window_id}",
                fields=fields,
                until_ms=_end_ms(_place(state)),
            )
        )


def _place(state: BudgetState) -> str:
    """`WINDOW_ID LIMIT SCOPE`; only the scope may hold blanks."""
    return f"{state.window_id} {state.limit_nanousd} {state.scope}"


def _end_ms(place: str) -> int:
    return span_of(place.partition(" ")[0]).end_ms or FOR_EVER_MS
