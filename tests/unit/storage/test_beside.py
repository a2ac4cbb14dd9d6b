"""Work in a thread beside the event loop: its result, its limit of time, and undoing what came too late."""

import asyncio
import threading

import pytest

from bascule.model.errors import StoreError
from bascule.storage.beside import OneThread

LONG_S = 30.0


@pytest.fixture
def beside():
    made = OneThread("test")
    yield made
    made.close()


async def test_it_gives_what_the_work_gives_or_raises(beside: OneThread) -> None:
    def broken() -> None:
        raise StoreError("no disk")

    assert await beside.run(lambda: 17, LONG_S) == 17
    with pytest.raises(StoreError, match="no disk"):
        await beside.run(broken, LONG_S)


async def test_what_takes_too_long_is_given_up_and_undone_when_it_is_done_after_all(beside: OneThread) -> None:
    thawed, done = threading.Event(), []
    with pytest.raises(StoreError, match="did not answer within"):
        await beside.run(lambda: (thawed.wait(LONG_S), done.append("work")), 0.01, lambda: done.append("undo"))
    with pytest.raises(StoreError):
        await beside.run(lambda: done.append("never"), 0.01, lambda: done.append("never undone"))
    thawed.set()
    assert await beside.run(lambda: list(done), LONG_S) == ["work", "undo"]


async def test_work_whose_caller_is_cancelled_is_undone(beside: OneThread) -> None:
    begun, thawed, done = threading.Event(), threading.Event(), []
    task = asyncio.ensure_future(
        beside.run(lambda: (begun.set(), thawed.wait(LONG_S), done.append("work")), LONG_S, lambda: done.append("undo"))
    )
    await asyncio.to_thread(begun.wait, LONG_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    thawed.set()
    assert await beside.run(lambda: list(done), LONG_S) == ["work", "undo"]


async def test_only_so_much_waits() -> None:
    beside, thawed = OneThread("test", max_waiting=1), threading.Event()
    first = asyncio.ensure_future(beside.run(lambda: thawed.wait(LONG_S), LONG_S))
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="1 requests wait"):
        await beside.run(lambda: None, LONG_S)
    thawed.set()
    assert await first
    beside.close()
