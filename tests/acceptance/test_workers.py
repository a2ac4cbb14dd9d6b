"""Several workers at one port: they begin and end together, and none is missed for long."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import post

from bascule.testing.script import Script

pytestmark = pytest.mark.real

BODY = {"model": "oai", "messages": [{"role": "user", "content": "a word"}], "max_tokens": 20}


def workers(gateway: Gateway) -> list[psutil.Process]:
    return psutil.Process(gateway.pid).children()


def until(holds: Callable[[], Any], patience_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@pytest.fixture
def three(make_gateway: MakeGateway, provider: Provider) -> Gateway:
    provider.use(Script(output_tokens=5))
    return make_gateway(server={"workers": 3, "drain_timeout_s": 5}).start()


def served(gateway: Gateway, count: int) -> list[int | None]:
    async def all_of_them() -> list[int | None]:
        seen = await asyncio.gather(*(post(gateway.url, "/v1/chat/completions", BODY, {}) for _ in range(count)))
        return [one.status for one in seen]

    return asyncio.run(all_of_them())


def test_every_worker_serves_and_any_of_them_tells_the_sum(three: Gateway) -> None:
    assert served(three, 60) == [200] * 60
    assert len(three.rows()) == 60
    assert three.verify()["chains"] >= 2
    time.sleep(1.5)
    status, page = three.get("/metrics")
    assert status == 200
    told = [line for line in page.splitlines() if line.startswith('bascule_requests_total{status="200"')]
    assert sum(float(line.split()[-1]) for line in told) == 60
    assert three.stop() == 0


def test_a_worker_that_dies_is_started_again(three: Gateway) -> None:
    victim = workers(three)[0]
    victim.kill()
    until(lambda: len([one for one in workers(three) if one.status() != psutil.STATUS_ZOMBIE]) == 3)
    until(lambda: victim.pid not in [one.pid for one in workers(three)])
    until(lambda: 200 in served(three, 1))
    assert "it is started again" in three.output()
    assert three.stop() == 0


def test_workers_end_with_their_parent(three: Gateway) -> None:
    left = workers(three)
    three.kill()
    assert psutil.wait_procs(left, timeout=15)[1] == []
    three.start()  # nobody holds the data directory any more
    assert served(three, 5) == [200] * 5
    assert three.stop() == 0


def test_a_reload_reaches_every_worker(three: Gateway, provider: Provider) -> None:
    os.kill(three.pid, signal.SIGHUP)
    time.sleep(0.5)
    assert served(three, 20) == [200] * 20
    assert three.stop() == 0


def test_a_port_that_is_taken_is_said_once(three: Gateway, make_gateway: MakeGateway) -> None:
    other = make_gateway(server={"workers": 3})
    port = three.url.rpartition(":")[2]
    refused = other.command("serve", "-c", str(other.file), "--port", port)
    assert refused.returncode == 1
    assert refused.stderr.count("is taken") == 1
