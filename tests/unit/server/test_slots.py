"""Slots: who gets one, who waits for how long, and that none is ever lost."""

import asyncio
import random

import pytest

from bascule.decide.shed import SharePolicy
from bascule.server.slots import ALONE, Slots

POLICY = SharePolicy(max_tenant_share=0.9, max_queued=8, max_queued_per_tenant=4)


async def rounds(number: int = 4) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def filled(limit: int, **held: int) -> Slots:
    slots = Slots(POLICY, limit)
    for tenant, number in held.items():
        for _ in range(number):
            assert slots.take(tenant)
    return slots


async def test_alone_all_slots_can_be_had_and_none_is_waited_for() -> None:
    slots = Slots(POLICY, 3)
    assert [slots.take(ALONE) for _ in range(4)] == [True, True, True, False]
    assert slots.is_closed_to(ALONE)
    assert await slots.wait(ALONE, 60) is False


async def test_a_slot_that_comes_free_goes_to_who_holds_the_fewest() -> None:
    slots = filled(10, greedy=8, other=1, third=1)
    assert not slots.take("other")
    waits = [asyncio.create_task(slots.wait(name, 60)) for name in ("other", "fourth")]
    await rounds()
    assert slots.waiting == 2
    assert await slots.wait("greedy", 60) is False  # it has its share and is told at once
    slots.leave("greedy")
    await rounds()
    assert [wait.done() for wait in waits] == [False, True]
    assert (slots.in_flight, slots.waiting) == (10, 1)
    slots.leave("greedy")
    assert await asyncio.gather(*waits) == [True, True]


async def test_waiting_has_an_end() -> None:
    slots = filled(2, greedy=1, other=1)
    assert await slots.wait("late", 0.001) is False
    assert slots.waiting == 0
    slots.leave("greedy")
    assert slots.take("late")


async def test_queues_are_bounded() -> None:
    slots = filled(20, greedy=17, other=3)
    waits = [asyncio.create_task(slots.wait("late", 60)) for _ in range(4)]
    await rounds()
    assert slots.is_closed_to("late")
    assert await slots.wait("late", 60) is False
    assert not slots.is_closed_to("later")
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    assert slots.waiting == 0


@pytest.mark.parametrize("granted", [True, False])
async def test_who_is_cancelled_while_waiting_leaves_no_slot_behind(granted: bool) -> None:
    slots = filled(2, greedy=1, other=1)
    wait = asyncio.create_task(slots.wait("late", 60))
    await rounds()
    if granted:
        slots.leave("greedy")
    wait.cancel()
    if not granted:
        slots.leave("greedy")  # while the cancelled one still stands in the queue
    with pytest.raises(asyncio.CancelledError):
        await wait
    assert (slots.in_flight, slots.waiting) == (1, 0)


async def test_more_slots_let_in_who_waits() -> None:
    slots = filled(2, greedy=1, other=1)
    wait = asyncio.create_task(slots.wait("late", 60))
    await rounds()
    slots.limit = 3
    slots.admit_waiting()
    assert await wait is True


@pytest.mark.parametrize("seed", range(20))
async def test_no_slot_is_lost_or_made_whatever_happens(seed: int) -> None:
    dice = random.Random(seed)
    slots = Slots(POLICY, 6)

    async def request(tenant: str) -> None:
        if slots.take(tenant) or await slots.wait(tenant, dice.choice([0.0, 0.001, 60])):
            try:
                assert slots.in_flight <= 6
                await rounds(dice.randrange(8))
            finally:
                slots.leave(tenant)

    tasks = []
    for _ in range(300):
        tasks.append(asyncio.create_task(request(dice.choice("aaaab") + dice.choice(["", "1"]))))
        if dice.random() < 0.3:
            dice.choice(tasks).cancel()
        if dice.random() < 0.2:
            await rounds(1)
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in done} <= {type(None), asyncio.CancelledError}
    assert (slots.in_flight, slots.waiting) == (0, 0)
