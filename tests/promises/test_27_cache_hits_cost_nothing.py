"""A hit costs nothing, saves what the stored usage costs today, has a row that says so, and never touches a hold."""

from pathlib import Path

import pytest
from tests.playbooks.engine.conftest import CONFIG, ENVIRONMENT, Playbook, strict
from tests.playbooks.engine.wire import a_stream, answered, chat, streamed
from tests.promises.conftest import Figure

COST_NANOUSD = 60_000
"""10 tokens in at 1 USD and 5 out at 10 USD per million."""


@pytest.mark.promise(27, fault="the same request 100 times, whole and streamed", limit="upstream 0, held once")
@pytest.mark.parametrize("stream", [False, True])
def test_a_hundred_hits(
    tmp_path: Path, figure: Figure, full: bool, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = 2_000 if full else 100
    # Room for one request: were a hit to hold or to be charged anything, the next one would be refused.
    world = Playbook(
        CONFIG + strict("0.00120"), [a_stream() if stream else answered()], tmp_path, environment=ENVIRONMENT
    )
    holds: list[int | None] = []
    reserve = world.gateway.authority.reserve

    def counted(attribution, attempt_id, amount_nanousd, now_ms):
        holds.append(amount_nanousd)
        return reserve(attribution, attempt_id, amount_nanousd, now_ms)

    monkeypatch.setattr(world.gateway.authority, "reserve", counted)
    body = streamed(temperature=0) if stream else chat(temperature=0)
    first = world.ask(body)
    assert first.status == 200
    after_first = world.budget("key:ci")
    for _ in range(times):
        hit = world.ask(body)
        assert (hit.status, hit.header("x-bascule-cache"), hit.header("x-bascule-cost-usd")) == (
            200,
            "exact",
            "0.000000000",
        )
    rows = world.rows
    hits = [row for row in rows if row.cache == "exact"]
    figure("upstream calls", len(world.upstream.calls) - 1)
    figure("hits", len(hits))
    assert len(world.upstream.calls) == 1
    assert len(holds) == 1
    assert world.budget("key:ci") == after_first
    assert after_first.settled_nanousd == COST_NANOUSD
    assert len(hits) == times
    assert len(rows) == times + 1
    for row in hits:
        assert (row.role, row.attempt_no, row.provider) == ("cache", 0, None)
        assert (row.cost_nanousd, row.hold_nanousd, row.saved_nanousd) == (0, 0, COST_NANOUSD)
        assert (row.tokens_in, row.tokens_out, row.tokens_cache_read) == (0, 0, 0)
    assert sum(row.cost_nanousd or 0 for row in rows) == COST_NANOUSD
    world.assert_at_rest()
    world.close()
