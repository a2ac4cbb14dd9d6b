"""Alerts reach their webhooks once, over retries, restarts and replicas, and never hold anything up."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bascule.compose import open_store
from bascule.config.alerts import Alerts
from bascule.config.secret import Secret
from bascule.config.shape import Config
from bascule.gateway.alerting import Alerting
from bascule.gateway.ledger_watch import LedgerWatch
from bascule.gateway.metrics import Metrics
from bascule.gateway.outage import Outage
from bascule.link.alerts import LinkedWebhook
from bascule.model.alert import Alert
from bascule.model.errors import StoreError
from bascule.model.receiver import Receiver
from bascule.ports import Header, NotDelivered
from bascule.storage.memory.governance import MemoryGovernance
from bascule.testing.clock import NOON_MS, FakeClock

QUICK = Alerts(retry_first_s=0.001, retry_most_s=0.002, max_attempts=3)


class Receivers:
    """Implements `ports.Deliveries`: each host answers its statuses in turn, the last one for ever."""

    def __init__(self, **answers: Sequence[int | Exception]) -> None:
        self.answers = {host: list(statuses) for host, statuses in answers.items()}
        self.got: list[tuple[str, dict[bytes, bytes], Any]] = []

    async def post(self, to: Receiver, headers: Sequence[Header], body: bytes) -> int:
        await asyncio.sleep(0)
        self.got.append((to.host, dict(headers), json.loads(body)))
        answers = self.answers.get(to.host, [200])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def events(self, host: str) -> list[str]:
        return [body["type"] for name, _, body in self.got if name == host]


def webhook(name: str, *events: str, secret: bytes | None = b"s" * 32) -> LinkedWebhook:
    return LinkedWebhook(
        name=name,
        receiver=Receiver(host=name, port=443, secure=True, target="/hook/T0KEN", authority=name),
        url=Secret(b"https://x"),
        tokens=(Secret(b"T0KEN"),),
        secret=None if secret is None else Secret(secret),
        format="bascule",
        events=frozenset(events),  # type: ignore[arg-type]  # names of events
    )


class Office:
    """One replica's alerting."""

    def __init__(self, receivers: Receivers, claims: Any = None) -> None:
        self.clock = FakeClock(NOON_MS)
        self.metrics = Metrics()
        self.alerting = Alerting(
            claims=claims or MemoryGovernance(),
            clock=self.clock,
            metrics=self.metrics,
            dice=lambda: 0.5,
            connect=lambda timeout_s: receivers,
        )

    def tell(self, event: str = "store_down", scope: str = "gateway", **more: Any) -> None:
        self.alerting.tell(Alert(event=event, scope=scope, ts_ms=self.clock.now_ms(), summary="so", **more))  # type: ignore[arg-type]  # a name of an event


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await work()

    asyncio.run(limited())


def test_each_webhook_gets_the_events_that_it_wants() -> None:
    receivers = Receivers()
    office = Office(receivers)

    async def work() -> None:
        office.alerting.configure(QUICK, (webhook("all"), webhook("few", "cache_collapse")))
        office.tell("store_down")
        office.tell("cache_collapse", "s1")
        await office.alerting.stop()

    run(work)
    assert receivers.events("all") == ["store_down", "cache_collapse"]
    assert receivers.events("few") == ["cache_collapse"]
    assert office.metrics.deliveries == {("all", "delivered"): 2, ("few", "delivered"): 1}
    assert office.metrics.alerts == {"store_down": 1, "cache_collapse": 1}


def test_the_same_is_told_once_in_a_window_and_again_in_the_next() -> None:
    receivers = Receivers()
    office = Office(receivers)

    async def work() -> None:
        office.alerting.configure(QUICK, (webhook("ops"),))
        for _ in range(1000):
            office.tell()
        office.tell(scope="another")
        office.clock.advance(QUICK.repeat_after_s)
        office.tell()
        await office.alerting.stop()

    run(work)
    assert len(receivers.got) == 3
    assert len({headers[b"webhook-id"] for _, headers, _ in receivers.got}) == 3


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_of_several_replicas_and_after_a_restart_one_delivers(kind: str, tmp_path: Path) -> None:
    receivers = Receivers()
    store: Any = MemoryGovernance() if kind == "memory" else open_store(tmp_path, Config()).governance
    offices = [Office(receivers, store) for _ in range(4)]

    async def work() -> None:
        for office in offices:
            office.alerting.configure(QUICK, (webhook("ops"),))
        for office in offices:
            office.tell()
        await asyncio.gather(*[office.alerting.stop() for office in offices])

    run(work)
    assert len(receivers.got) == 1
    told = [office.metrics.deliveries.get(("ops", "repeated"), 0) for office in offices]
    assert sum(told) == 3


def test_a_receiver_that_fails_gets_it_later_under_the_same_id() -> None:
    receivers = Receivers(ops=[NotDelivered("ops: no answer"), 503, 204])
    office = Office(receivers)

    async def work() -> None:
        office.alerting.configure(QUICK, (webhook("ops"),))
        office.tell()
        await office.alerting.stop()

    run(work)
    assert len({headers[b"webhook-id"] for _, headers, _ in receivers.got}) == 1
    assert office.metrics.deliveries == {("ops", "retried"): 2, ("ops", "delivered"): 1}


@pytest.mark.parametrize(
    ("answers", "attempts"),
    [([500], 3), ([400], 1), ([307], 1), ([410], 1), ([NotDelivered("inside", forbidden=True)], 1)],
)
def test_what_is_given_up_is_counted_and_said_without_the_address(
    answers: list[Any], attempts: int, caplog: pytest.LogCaptureFixture
) -> None:
    receivers = Receivers(ops=answers)
    office = Office(receivers)

    async def work() -> None:
        office.alerting.configure(QUICK, (webhook("ops"),))
        office.tell()
        await office.alerting.stop()

    with caplog.at_level(logging.ERROR):
        run(work)
    assert len(receivers.got) == attempts
    assert office.metrics.deliveries[("ops", "failed")] == 1
    assert "ops was not told of store_down" in caplog.text
    assert "T0KEN" not in caplog.text


def test_a_receiver_that_hangs_holds_up_nobody_else_and_its_queue_is_bounded() -> None:
    class Hanging(Receivers):
        async def post(self, to: Receiver, headers: Sequence[Header], body: bytes) -> int:
            if to.host == "hung":
                await asyncio.sleep(3600)
            return await super().post(to, headers, body)

    receivers = Hanging()
    office = Office(receivers)

    async def work() -> None:
        office.alerting.configure(Alerts(max_waiting=5), (webhook("hung"), webhook("ops")))
        for index in range(20):
            office.tell(scope=f"s{index}")
            await asyncio.sleep(0.005)
        assert len(receivers.events("ops")) == 20
        assert office.metrics.deliveries[("hung", "dropped")] == 15
        office.alerting.configure(Alerts(), ())
        await office.alerting.stop()

    run(work)
    assert office.metrics.deliveries[("hung", "dropped")] == 20


def test_where_the_store_is_down_it_is_told_all_the_same() -> None:
    class Down:
        def claim_once(self, name: str, until_ms: int, now_ms: int) -> bool:
            raise StoreError("the disk is gone")

    receivers = Receivers()
    office = Office(receivers, Down())

    async def work() -> None:
        office.alerting.configure(QUICK, (webhook("ops"),))
        office.tell()
        office.tell()
        await office.alerting.stop()

    run(work)
    assert receivers.events("ops") == ["store_down"]


class Draining:
    backlog = 0
    last_error: str | None = None


def test_the_ledger_s_troubles_are_told_and_so_is_their_end() -> None:
    told: list[str] = []
    drainer, clock = Draining(), FakeClock(NOON_MS)
    outage = Outage(clock.now_ms)
    watch = LedgerWatch(drainer=drainer, outage=outage, clock=clock, tell=lambda alert: told.append(alert.event))
    watch.max_lines, watch.backlog_share = 100, 0.5
    watch.look()
    drainer.backlog = 50
    watch.look()
    assert told == []
    drainer.backlog, drainer.last_error = 51, "disk full"
    watch.look()
    assert told == ["store_down", "ledger_backlog"]
    drainer.backlog, drainer.last_error = 0, None
    watch.look()
    watch.look()
    outage.refused("intent not written", OSError(), "r")
    watch.look()
    assert told == ["store_down", "ledger_backlog", "store_recovered", "journal_refusing"]
