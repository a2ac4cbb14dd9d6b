"""Signals, descriptors and half-made connections by the hundred, against a real gateway."""

import asyncio
import os
import resource
import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.promises.budgeted import PATIENCE_S, fleet, until

from bascule.testing.script import Script

pytestmark = pytest.mark.real

KIND = "capped"
DESCRIPTORS = 96


def test_signals_to_read_the_configuration_again_disturb_nobody(tmp_path: Path) -> None:
    """Good ones and broken ones, faster than they can be read."""
    with fleet(tmp_path) as several:
        several.provider.use(Script(output_tokens=20, gap_s=0.005))
        [gateway] = several.gateways
        sound = gateway.file.read_text()

        async def storm() -> None:
            for number in range(300):
                gateway.file.write_text(sound if number % 3 else sound[: number % len(sound)])
                os.kill(gateway.pid, signal.SIGHUP)
                await asyncio.sleep(0.005)
            gateway.file.write_text(sound)
            os.kill(gateway.pid, signal.SIGHUP)

        async def ask() -> list[int]:
            return [(await several.send(KIND)).status or 0 for _ in range(5)]

        async def both() -> list[list[int]]:
            storming = asyncio.create_task(storm())
            statuses = await asyncio.gather(*[ask() for _ in range(4)])
            await storming
            return statuses

        statuses = [status for one in asyncio.run(both()) for status in one]
        assert set(statuses) <= {200, 402}
        assert statuses.count(200) >= 10
        several.settled()
        assert "Traceback" not in gateway.output()
        assert len(several.rows(KIND)) == len(several.provider.served)


def test_descriptors_run_out_and_come_back(tmp_path: Path) -> None:
    with fleet(tmp_path) as several:
        several.provider.use(Script(output_tokens=5))
        [gateway] = several.gateways
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        at = urlsplit(gateway.url)
        with ExitStack() as stack:
            for _ in range(3 * DESCRIPTORS):
                half = stack.enter_context(socket.create_connection((at.hostname, at.port), timeout=PATIENCE_S))
                half.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
            assert gateway.running
        until("serves again", lambda: _serves(gateway.url), PATIENCE_S)
        assert asyncio.run(several.send(KIND)).status == 200
        several.settled()
        assert "Traceback" not in gateway.output(), gateway.output()[-3_000:]


def _serves(url: str) -> tuple[bool, str]:
    at = urlsplit(url)
    try:
        with socket.create_connection((at.hostname, at.port), timeout=2) as probe:
            probe.sendall(f"GET /healthz HTTP/1.1\r\nHost: {at.netloc}\r\nConnection: close\r\n\r\n".encode())
            said = probe.recv(64)
    except OSError as error:
        return False, str(error)
    return b" 200 " in said, repr(said)
