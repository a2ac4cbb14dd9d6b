"""Long readings are bounded, and changes do not cross."""

import asyncio
import threading

import pytest

from bascule.model.errors import StoreError
from bascule.server.admin.answers import Refused
from bascule.server.admin.work import Changes, Readings


async def test_readings_beyond_the_room_are_refused_at_once() -> None:
    readings = Readings(at_once=1, waiting=1)
    go = threading.Event()
    running = [asyncio.create_task(readings.run(lambda: go.wait(5))) for _ in range(2)]
    await asyncio.sleep(0)
    refused = await readings.run(lambda: True)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.retry_after_s) == (503, 5)
    go.set()
    assert await asyncio.gather(*running) == [True, True]
    assert await readings.run(lambda: "again") == "again"


async def test_a_reading_that_fails_gives_its_room_back() -> None:
    readings = Readings(at_once=1, waiting=0)

    def fail() -> None:
        raise StoreError("no")

    for _ in range(3):
        with pytest.raises(StoreError):
            await readings.run(fail)
    assert await readings.run(lambda: 1) == 1


async def test_the_loop_goes_on_while_a_reading_runs() -> None:
    go = threading.Event()
    reading = asyncio.create_task(Readings().run(lambda: go.wait(5)))
    await asyncio.sleep(0.01)  # would take 5 s on the loop
    assert not reading.done()
    go.set()
    assert await reading is True


async def test_changes_run_one_after_another_and_refresh_each() -> None:
    seen: list[str] = []

    async def refresh() -> None:
        seen.append("refresh")

    changes = Changes(refresh)

    def change(name: str) -> str:
        seen.append(f"begin {name}")
        threading.Event().wait(0.01)
        seen.append(f"end {name}")
        return name

    made = await asyncio.gather(changes.run(lambda: change("a")), changes.run(lambda: change("b")))
    assert list(made) == ["a", "b"]
    assert seen == ["begin a", "end a", "refresh", "begin b", "end b", "refresh"]


async def test_a_refusal_refreshes_nothing_and_a_failed_refresh_hides_no_result() -> None:
    async def fail() -> None:
        raise StoreError("busy")

    refusal = Refused(status=409, message="no")
    assert await Changes(fail).run(lambda: refusal) is refusal
    assert await Changes(fail).run(lambda: "a secret that is shown once") == "a secret that is shown once"
