"""The clients that are installed within seconds, against every upstream dialect. The script runs all of them:
`python -m tests.acceptance.clients`."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.acceptance.clients.arena import Arena
from tests.acceptance.clients.cell import TASK, Ran, findings_of, run_cell
from tests.acceptance.clients.faults import FAULTS, Fault
from tests.acceptance.clients.roster import CLIENTS, ROUTES, Client
from tests.acceptance.clients.upstreams import UPSTREAMS, Upstream

from bascule.server.hot import hot_route

pytestmark = pytest.mark.real

QUICK = [client for client in CLIENTS if client.quick and hot_route(ROUTES[client.surface].encode()) is not None]


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    with Arena() as made:
        yield made


@pytest.mark.parametrize("upstream", UPSTREAMS, ids=lambda upstream: upstream.name)
@pytest.mark.parametrize("client", QUICK, ids=lambda client: client.name)
def test_a_client_at_an_upstream(client: Client, upstream: Upstream, arena: Arena) -> None:
    outcome = run_cell(client, upstream, arena)
    assert outcome.verdict in ("pass", "known"), "\n".join([*outcome.findings, outcome.output])


def test_a_known_fault_is_one_only_where_the_client_fails_by_itself_too(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client expects what no model says: it fails alone as well, in the steps that are named or in others."""
    client, upstream = QUICK[0], UPSTREAMS[0]
    wrong = replace(client, settings={"CLIENT_TASK": json.dumps({**TASK, "answer": "Nobody says that."})})
    failing = frozenset({"plain", "stream", "tools"})
    for steps, verdict in ((failing, "known"), (failing - {"plain"}, "FAIL")):
        monkeypatch.setitem(FAULTS, client.name, Fault(steps=steps, reason="for a test"))
        assert run_cell(wrong, upstream, arena).verdict == verdict
    assert run_cell(client, upstream, arena).verdict == "FAIL", "what no longer fails is to be taken off the list"


def test_a_client_that_only_says_so_has_not_passed(arena: Arena) -> None:
    """The program's word alone is nothing: the provider and the ledger must have seen it."""
    client, upstream = QUICK[0], UPSTREAMS[0]
    arena.clear()
    steps = dict.fromkeys(client.steps[1:], "ok")
    found = findings_of(client, upstream, arena, Ran(steps, [[5, 7]], ""))
    assert found == [
        f"{client.steps[0]}: not tried",
        "the provider was asked []",
        "the tool's result did not reach the provider",
        "the client was told (5, 7), which no row has: []",
    ]
