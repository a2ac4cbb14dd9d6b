"""The slots in which requests are served: state around the pure `decide.shed`. One event loop's."""

import asyncio
from collections import deque

from bascule.decide.shed import SharePolicy, may_enter, may_wait

ALONE = ""
"""The tenant where there are no keys: nobody is beside it."""

Waiter = asyncio.Future[bool]


class Slots:
    """How many are taken, by whom, and who waits. ALONE gets all of them, and never waits.

    Whoever waits is one whom `may_enter` denies a slot; each slot that comes free is offered to the tenant that holds
    the fewest.
    """

    def __init__(self, policy: SharePolicy, limit: int) -> None:
        self.policy = policy
        self.limit = limit
        self.in_flight = 0
        self.waiting = 0
        self._held: dict[str, int] = {}
        self._queues: dict[str, deque[Waiter]] = {}

    def is_closed_to(self, tenant: str) -> bool:
        """Whether a request of this tenant would be refused now: to be asked before its body is read."""
        held = self._held.get(tenant, 0)
        return not (self._may_enter(tenant, held) or self._may_wait(tenant, held))

    def take(self, tenant: str) -> bool:
        """A slot, if one can be had at once. Each that was had must be given back by `leave`."""
        held = self._held.get(tenant, 0)
        if not self._may_enter(tenant, held):
            return False
        self._held[tenant] = held + 1
        self.in_flight += 1
        return True

    async def wait(self, tenant: str, within_s: float) -> bool:
        """A slot, if one comes free for this tenant in time and it may wait for it."""
        if not self._may_wait(tenant, self._held.get(tenant, 0)):
            return False
        loop = asyncio.get_running_loop()
        waiter: Waiter = loop.create_future()
        self._queues.setdefault(tenant, deque()).append(waiter)
        self.waiting += 1
        timer = loop.call_later(within_s, _give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.result():
                self.leave(tenant)
            raise
        finally:
            timer.cancel()
            self._unqueue(tenant, waiter)

    def leave(self, tenant: str) -> None:
        """A request has ended."""
        held = self._held[tenant] - 1
        if held:
            self._held[tenant] = held
        else:
            del self._held[tenant]
        self.in_flight -= 1
        if self._queues:
            self.admit_waiting()

    def admit_waiting(self) -> None:
        """Hand out what is free. To be called also when there are more slots than before."""
        while self._queues:
            tenant = min(self._queues, key=lambda name: self._held.get(name, 0))
            waiter = self._queues[tenant][0]
            if waiter.done():
                self._unqueue(tenant, waiter)
            elif self.take(tenant):
                self._unqueue(tenant, waiter)
                waiter.set_result(True)
            else:
                return

    def _unqueue(self, tenant: str, waiter: Waiter) -> None:
        """No effect where it is in the queue no more."""
        queue = self._queues.get(tenant)
        if queue is None or waiter not in queue:
            return
        self.waiting -= 1
        queue.remove(waiter)
        if not queue:
            del self._queues[tenant]

    def _may_enter(self, tenant: str, held: int) -> bool:
        share = 1.0 if tenant == ALONE else self.policy.max_tenant_share
        return may_enter(held, self.in_flight, self.limit, share)

    def _may_wait(self, tenant: str, held: int) -> bool:
        if tenant == ALONE:
            return False
        queue = self._queues.get(tenant)
        tenants = len(self._held.keys() | self._queues.keys() | {tenant})
        return may_wait(held, len(queue) if queue else 0, self.waiting, tenants, self.limit, self.policy)


def _give_up(waiter: Waiter) -> None:
    if not waiter.done():
        waiter.set_result(False)
