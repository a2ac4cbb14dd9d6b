"""Promise 19: providers that drip or hang, and clients that stop reading, cost little memory each and have an end."""

import time
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.process import Gateway
from tests.promises.conftest import Figure
from tests.promises.peers import (
    Upstream,
    config_for,
    connect,
    request,
    resident_bytes,
    rest_of,
    serving,
    upstream,
    wait_for,
)

MOST_BYTES = 64 * 1024
FLAT_BYTES = 2 * 1024 * 1024
"""Of the whole process: 4 KB for each of 500; what a ledger and metrics add beside them is as much with few."""


def config(
    up: Upstream, *, client_stall_s: float = 60, disconnect: str = "cancel", **timeouts: float
) -> dict[str, Any]:
    return config_for(
        up,
        *("flood", "drip", "hang", "mute", "words-1-1", "words-4000-1"),
        timeouts=timeouts,
        provider={"disconnect": disconnect},
        server={"limits": {"max_connections_per_provider": 1000, "client_stall_s": client_stall_s}},
        overload={"lag_target_s": 30},  # this is about memory
    )


def warmed(gateway: Gateway) -> int:
    """Its memory once everything that is made once has been made."""
    for _ in range(20):
        line = connect(gateway)
        line.sendall(request("words-1-1"))
        line.recv(4096)
        line.close()
    gateway.settled()
    return resident_bytes(gateway)


def memory_each(gateway: Gateway, before: int, number: int, figure: Figure, watch_s: float) -> None:
    """Of each open stream, now and when it has been watched for a while."""
    at_first = (resident_bytes(gateway) - before) / number
    time.sleep(watch_s)
    later = (resident_bytes(gateway) - before) / number
    figure("memory_each", max(at_first, later) / 1024, "KB")
    figure("growth_each", max(0, later - at_first) / 1024, "KB")
    assert max(at_first, later) < MOST_BYTES
    assert (later - at_first) * number < FLAT_BYTES


@pytest.mark.promise(19, fault="clients that read the head and then nothing", limit="< 64 KB each, flat, all cut off")
def test_clients_that_stop_reading(tmp_path: Path, figure: Figure, full: bool) -> None:
    number = 500 if full else 60
    stall_s = 25 if full else 5
    with upstream() as up, serving(tmp_path / "gw", config(up, client_stall_s=stall_s)) as gateway:
        before = warmed(gateway)
        lines = [connect(gateway, receive_bytes=4096) for _ in range(number)]
        for line in lines:
            line.sendall(request("flood"))
        for line in lines:
            assert line.recv(1024).startswith(b"HTTP/1.1 200")
        time.sleep(2)
        memory_each(gateway, before, number, figure, stall_s / 5)
        took_s = wait_for(lambda: gateway.metric("bascule_stalled_clients_total") == number, 2 * stall_s + 5)
        figure("all_cut_after", took_s, "s")
        gateway.settled()
        wait_for(lambda: up.open == 0, 5, "upstream work goes on")
        rows = [row for row in gateway.rows() if row["model"] == "flood"]
        assert [(row["kind"], row["usage_source"]) for row in rows] == [("settle", "estimated")] * number
        for line in lines:
            line.close()


@pytest.mark.promise(19, fault="a client that stops reading, of a provider that is drained", limit="usage exact")
def test_what_a_stalled_client_has_asked_for_is_read_to_its_end(tmp_path: Path, figure: Figure) -> None:
    """The usage comes at the end of 7 MB, which fit into no buffer on the way."""
    with upstream() as up, serving(tmp_path / "gw", config(up, client_stall_s=1, disconnect="drain")) as gateway:
        with connect(gateway, receive_bytes=4096) as line:
            line.sendall(request("words-4000-1"))
            assert line.recv(1024).startswith(b"HTTP/1.1 200")
            wait_for(lambda: gateway.metric("bascule_stalled_clients_total") == 1, 20)
            gateway.settled(timeout_s=40)
        (row,) = gateway.rows()
        assert (row["usage_source"], row["tokens_out"]) == ("reported", 20)
        figure("tokens_out", row["tokens_out"])


@pytest.mark.promise(19, fault="providers that drip, hang or are mute", limit="< 64 KB each, flat, all time out")
def test_providers_that_drip_and_hang(tmp_path: Path, figure: Figure, full: bool) -> None:
    number = 501 if full else 60
    limits = (
        {"first_byte_s": 25, "idle_s": 25, "total_s": 30} if full else {"first_byte_s": 5, "idle_s": 5, "total_s": 7}
    )
    with upstream() as up, serving(tmp_path / "gw", config(up, **limits)) as gateway:
        before = warmed(gateway)
        kinds = ("drip", "hang", "mute")
        lines = [(kinds[index % 3], connect(gateway)) for index in range(number)]
        for kind, line in lines:
            line.sendall(request(kind))
        wait_for(lambda: up.open == number, limits["idle_s"], "not all are being answered")
        memory_each(gateway, before, number, figure, limits["idle_s"] / 5)
        wait_for(lambda: up.open == 0, limits["total_s"] + 10, "upstream work goes on")
        gateway.settled()
        for kind, line in lines:
            line.shutdown(1)
            said = rest_of(line)
            assert b"timeout" in said, (kind, said[-300:])
            assert b"data: [DONE]" not in said
            line.close()
        rows = [row for row in gateway.rows() if row["model"] in kinds]
        ended = {kind: {row["error_class"] for row in rows if row["model"] == kind} for kind in kinds}
        assert ended == {"drip": {"timeout_total"}, "hang": {"timeout_idle"}, "mute": {"timeout_first_byte"}}
        figure("ended", len(rows))
        assert len(rows) == number
