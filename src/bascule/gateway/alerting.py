"""Telling operators by webhook, beside the requests: a queue and a task for each receiver, each bounded.

`tell` costs a look-up and an append. An alert is claimed in the store before it is sent, under its event, its scope
and the end of its window, which comes from the clock: of all replicas and restarts one delivers it. A receiver that
is down gets its alerts late, with growing pauses, or loses them, which is counted. Where the store itself is down
an alert is sent unclaimed: better twice than not at all.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from bascule.config.alerts import Alerts
from bascule.decide.webhooks import (
    body_of,
    claim_name,
    is_worth_another,
    message_id_of,
    pause_s,
    signed_headers,
    window_end_ms,
)
from bascule.gateway.metrics import Metrics
from bascule.gateway.telling import Tell
from bascule.link.alerts import LinkedWebhook
from bascule.model.alert import Alert
from bascule.model.errors import StoreError
from bascule.ports import Clock, Deliveries, NotDelivered

log = logging.getLogger("bascule.alerts")

MAX_REMEMBERED = 10_000
"""Alerts of which this process knows by itself that they were told; beyond it the store alone knows."""
STOP_S = 3.0
"""For what still waits when the gateway stops."""


class Claims(Protocol):
    """What of the store alerts need. Raises StoreError."""

    def claim_once(self, name: str, until_ms: int, now_ms: int) -> bool: ...


async def send(webhook: LinkedWebhook, alert: Alert, message_id: str, deliveries: Deliveries, now_ms: int) -> int:
    """One attempt. Its status; raises NotDelivered."""
    body = body_of(alert, webhook.format)
    return await deliveries.post(webhook.receiver, signed_headers(webhook.key, message_id, now_ms // 1000, body), body)


class Alerting:
    """Takes alerts and sees that they are delivered. Belongs to the event loop; outlives configurations."""

    def __init__(
        self,
        *,
        claims: Claims,
        clock: Clock,
        metrics: Metrics,
        dice: Callable[[], float],
        connect: Callable[[float], Deliveries],
    ) -> None:
        """`connect` makes a connector whose attempts take so many seconds at most."""
        self._claims = claims
        self._clock = clock
        self._metrics = metrics
        self._dice = dice
        self._connect = connect
        self._alerts = Alerts()
        self._couriers: dict[str, _Courier] = {}
        self._told: dict[str, int] = {}
        self.listeners: list[Tell] = []
        """Who else is told, of all that webhooks could be told of."""

    def configure(self, alerts: Alerts, webhooks: tuple[LinkedWebhook, ...]) -> None:
        """Take a configuration. What waits for a webhook that stays keeps waiting, by its new words."""
        self._alerts = alerts
        deliveries = self._connect(alerts.timeout_s)
        before, self._couriers = self._couriers, {}
        for webhook in webhooks:
            courier = before.pop(webhook.name, None) or _Courier(self._claims, self._clock, self._metrics, self._dice)
            courier.use(webhook, alerts, deliveries)
            self._couriers[webhook.name] = courier
        for courier in before.values():
            courier.drop()

    def tell(self, alert: Alert) -> None:
        """Count it, and queue it for whoever wants it. Never waits, never raises."""
        now_ms = self._clock.now_ms()
        until_ms = alert.until_ms
        if until_ms is None:
            until_ms = window_end_ms(now_ms, self._alerts.repeat_after_s)
        claim = claim_name(alert, until_ms)
        if self._told.get(claim, 0) >= now_ms:
            return
        self._told[claim] = until_ms
        if len(self._told) > MAX_REMEMBERED:
            del self._told[next(iter(self._told))]
        self._metrics.alert(alert.event)
        for listener in self.listeners:
            listener(alert)
        for courier in self._couriers.values():
            courier.take(alert, claim, until_ms)

    async def stop(self) -> None:
        """Deliver what waits, if that is quick; the rest is dropped."""
        couriers = list(self._couriers.values())
        await asyncio.gather(*[courier.finish(STOP_S) for courier in couriers])


class _Courier:
    """One webhook's queue, and the task that empties it, which lives only while there is something in it."""

    def __init__(self, claims: Claims, clock: Clock, metrics: Metrics, dice: Callable[[], float]) -> None:
        self._claims = claims
        self._clock = clock
        self._metrics = metrics
        self._dice = dice
        self._waiting: deque[tuple[Alert, str, int]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._webhook: LinkedWebhook
        self._alerts: Alerts
        self._deliveries: Deliveries

    def use(self, webhook: LinkedWebhook, alerts: Alerts, deliveries: Deliveries) -> None:
        self._webhook, self._alerts, self._deliveries = webhook, alerts, deliveries

    def take(self, alert: Alert, claim: str, until_ms: int) -> None:
        webhook = self._webhook
        if webhook.events and alert.event not in webhook.events:
            return
        if len(self._waiting) >= self._alerts.max_waiting:
            self._metrics.delivery(webhook.name, "dropped")
            return
        self._waiting.append((alert, claim, until_ms))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._empty())

    def drop(self) -> None:
        """Nobody is to be told any more."""
        if self._task is not None:
            self._task.cancel()
        self._metrics.delivery(self._webhook.name, "dropped", len(self._waiting))
        self._waiting.clear()

    async def finish(self, within_s: float) -> None:
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=within_s)
            if not self._task.done():
                log.error(
                    "the webhook %s does not take its alerts; %d are lost", self._webhook.name, len(self._waiting)
                )
                self.drop()
                await asyncio.gather(self._task, return_exceptions=True)

    async def _empty(self) -> None:
        while self._waiting:
            alert, claim, until_ms = self._waiting[0]
            try:
                await self._deliver(alert, claim, until_ms)
            except Exception:  # the outermost loop of this task: one alert must not end all others
                log.exception("an alert could not be sent to the webhook %s", self._webhook.name)
                self._metrics.delivery(self._webhook.name, "failed")
            self._waiting.popleft()

    async def _deliver(self, alert: Alert, claim: str, until_ms: int) -> None:
        if not await self._claimed(f"{self._webhook.name} {claim}", until_ms):
            self._metrics.delivery(self._webhook.name, "repeated")
            return
        message_id = message_id_of(self._webhook.name, claim)
        for attempt in range(1, self._alerts.max_attempts + 1):
            problem, final = await self._attempt(alert, message_id)
            webhook, alerts = self._webhook, self._alerts
            if problem is None:
                self._metrics.delivery(webhook.name, "delivered")
                return
            if final or attempt >= alerts.max_attempts:
                break
            self._metrics.delivery(webhook.name, "retried")
            pause = pause_s(attempt, self._dice(), first_s=alerts.retry_first_s, most_s=alerts.retry_most_s)
            await asyncio.sleep(pause)
        self._metrics.delivery(webhook.name, "failed")
        log.error(
            "the webhook %s was not told of %s: %s", webhook.name, alert.event, problem,
            extra={"event": "alert_not_delivered", "webhook": webhook.name, "alert": alert.event, "attempts": attempt},
        )  # fmt: skip

    async def _attempt(self, alert: Alert, message_id: str) -> tuple[str | None, bool]:
        """(what went wrong, whether it would again)."""
        try:
            status = await send(self._webhook, alert, message_id, self._deliveries, self._clock.now_ms())
        except NotDelivered as error:
            return str(error), error.forbidden
        if 200 <= status < 300:
            return None, False
        return f"it answered {status}", not is_worth_another(status)

    async def _claimed(self, name: str, until_ms: int) -> bool:
        try:
            return await asyncio.to_thread(self._claims.claim_once, name, until_ms, self._clock.now_ms())
        except StoreError as error:
            log.warning("an alert may be sent more than once: %s", error)
            return True
