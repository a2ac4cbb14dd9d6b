"""Promise 21: after streams were cancelled and providers misbehaved nothing is left: no slot, connection, file."""

import random
import time
from pathlib import Path

import pytest
from tests.acceptance.process import Gateway
from tests.promises.conftest import Figure
from tests.promises.peers import config_for, connect, open_files, request, reset, serving, upstream, wait_for

POOL = 40
WITHIN_S = 5.0
KINDS = ("flood", "drip", "hang", "mute", "words-3-5", "words-60-20")


def cancelled_streams(gateway: Gateway, number: int, dice: random.Random) -> None:
    """Each client leaves at some moment: before its request is whole, before the answer, in its middle."""
    lines = []
    for _ in range(number):
        line = connect(gateway)
        data = request(dice.choice(KINDS), stream=dice.random() < 0.8)
        line.sendall(data if dice.random() < 0.9 else data[: dice.randrange(1, len(data))])
        lines.append(line)
        if len(lines) >= 2 * POOL:
            leaving = lines.pop(dice.randrange(len(lines)))
            reset(leaving) if dice.random() < 0.5 else leaving.close()
    time.sleep(0.5)
    for line in lines:
        reset(line)


@pytest.mark.promise(21, fault="cancelled streams of sound, hanging and mute providers", limit="0 in flight in 5 s")
def test_cancelled_streams_leave_nothing(tmp_path: Path, figure: Figure, full: bool) -> None:
    number = 500 if full else 150
    dice = random.Random(21)
    with upstream() as up:
        config = config_for(
            up,
            *KINDS,
            provider={"disconnect": "cancel"},
            server={"limits": {"max_connections_per_provider": POOL}},
            overload={"lag_target_s": 30},
        )
        with serving(tmp_path / "gw", config) as gateway:
            files = []
            for _ in range(3 if full else 2):
                cancelled_streams(gateway, number, dice)
                took_s = wait_for(lambda: gateway.metric("bascule_in_flight") == 0, WITHIN_S, "still in flight")
                figure("in_flight_0_after", took_s, "s")
                wait_for(lambda: up.open == 0, WITHIN_S, f"{up.open} requests go on upstream")
                assert gateway.metric("bascule_open_holds") == 0
                assert gateway.metric("bascule_upstream_connections") <= POOL
                wait_for(lambda: gateway.metric("bascule_waiting_requests") == 0, WITHIN_S)
                wait_for(lambda: open_files(gateway) < 60 + POOL, WITHIN_S, "files stay open")
                files.append(open_files(gateway) - int(gateway.metric("bascule_upstream_connections")))
            figure("files", files[-1])
            assert files[-1] - files[0] <= 2
            assert not [row for row in gateway.rows() if row["kind"] == "intent"]
