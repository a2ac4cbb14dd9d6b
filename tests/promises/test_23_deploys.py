"""Promise 23: a stop cuts no stream within drain_timeout_s, says so to those beyond it, and loses no row."""

import signal
import socket
import time
from pathlib import Path

import pytest
from tests.promises.conftest import Figure
from tests.promises.peers import config_for, connect, request, rest_of, serving, upstream, wait_for

SHORT, LONG = "words-40-50", "words-4000-50"


def opened(gateway: object, model: str, number: int) -> list[socket.socket]:
    lines = [connect(gateway) for _ in range(number)]  # type: ignore[arg-type]  # a Gateway
    for line in lines:
        line.sendall(request(model))
    for line in lines:
        assert line.recv(1024).startswith(b"HTTP/1.1 200")
    return lines


def refuses(gateway: object) -> bool:
    try:
        connect(gateway).close()  # type: ignore[arg-type]  # a Gateway
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.promise(
    23, fault="SIGTERM with streams that end in time and some that do not", limit="0 cut; rows complete"
)
def test_a_stop_lets_streams_end(tmp_path: Path, figure: Figure, full: bool) -> None:
    number = 100 if full else 20
    with upstream() as up:
        # No longer: what comes is read only in the end, and beyond what the kernel keeps of it these would be stalled.
        config = config_for(up, SHORT, LONG, server={"drain_timeout_s": 6})
        with serving(tmp_path / "gw", config) as gateway:
            short, long = opened(gateway, SHORT, number), opened(gateway, LONG, 5)
            gateway.signal(signal.SIGTERM)
            figure("closed_after", wait_for(lambda: refuses(gateway), 2, "the listener stays open"), "s")
            cut = [line for line in short if not rest_of(line).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")]
            figure("cut", len(cut))
            assert not cut
            assert gateway.running
            for line in long:
                said = rest_of(line)
                assert b'"error"' in said
                assert b"[DONE]" not in said
                assert said.endswith(b"0\r\n\r\n")  # the end of the answer, not of its connection alone
            assert gateway.wait(10) == 0
            rows = gateway.rows()
            kinds = sorted({(row["model"], row["kind"], row["usage_source"]) for row in rows})
            assert kinds == [(SHORT, "settle", "reported"), (LONG, "settle", "estimated")]
            figure("rows", len(rows))
            assert len(rows) == number + 5
            gateway.verify()


@pytest.mark.promise(23, fault="a second SIGTERM", limit="ends at once; rows complete")
def test_a_second_signal_ends_the_wait(tmp_path: Path, figure: Figure) -> None:
    with upstream() as up, serving(tmp_path / "gw", config_for(up, LONG)) as gateway:
        lines = opened(gateway, LONG, 10)
        stalled = opened(gateway, LONG, 1)
        gateway.signal(signal.SIGTERM)
        wait_for(lambda: refuses(gateway), 2)
        time.sleep(0.3)
        assert gateway.running
        began = time.monotonic()
        gateway.signal(signal.SIGTERM)
        for line in lines:
            said = rest_of(line)
            assert b'"error"' in said
            assert b"[DONE]" not in said
        assert gateway.wait(10) == 0
        figure("ended_after", time.monotonic() - began, "s")
        rows = gateway.rows()
        assert [(row["kind"], row["usage_source"]) for row in rows] == [("settle", "estimated")] * 11
        gateway.verify()
        for line in stalled:
            line.close()
