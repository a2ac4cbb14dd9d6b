"""Calls that nobody waits for, as a shadow makes them: held, settled, recorded, and settled too if cancelled."""

import asyncio

import pytest
from tests.playbooks.engine.conftest import CONFIG, Begin, Playbook, strict
from tests.playbooks.engine.wire import a_stream, answered, chat, openai_error, streamed

from bascule.dialects.registry import dialect
from bascule.gateway.admission import Admitted, admit
from bascule.gateway.bodies import Bodies
from bascule.gateway.derived import in_background
from bascule.gateway.subcalls import Captured, Subcalls
from bascule.gateway.tally import Tally
from bascule.model.errors import Refusal
from bascule.testing.transport import HANG_S, Reply


def admitted(world: Playbook, body: object) -> Admitted:
    exchange = world.exchange(body, headers={"x-bascule-deadline": "1s"})
    found = admit(
        exchange.incoming,
        request_id="req_01",
        keys=world.keys,
        bodies=Bodies(),
        dialect=dialect("openai_chat"),
        quality_levels={},
        registry=world.gateway.engine.snapshot,
        enforce=True,
        now_ms=world.clock.now_ms(),
        now_s=world.clock.monotonic_s(),
    )
    assert isinstance(found, Admitted)
    return found


async def shadow(world: Playbook, request: Admitted, model: str = "big") -> Captured | Refusal:
    settings = world.gateway.settings(world.gateway.engine.snapshot)
    route = world.gateway.engine.snapshot.route("auto")
    assert route is not None
    later = in_background(request, now_ms=world.clock.now_ms(), now_s=world.clock.monotonic_s())
    plan = settings.planning.plan_among(later, route, (model,))
    if isinstance(plan, Refusal):
        return plan
    calls = Subcalls(settings.effects, None, later, tally=Tally(None, attempts=1), strict=True, name="shadow")
    return await calls.alone(later, plan, role="shadow", reason="shadow of small")


@pytest.mark.parametrize("ask", [chat, streamed])
def test_a_shadow_is_a_row_of_its_request_and_its_answer_a_value(begin: Begin, ask: object) -> None:
    held: list[int] = []
    world = begin(config=CONFIG, more=strict("1"))
    reply = answered("shadow") if ask is chat else a_stream("sha", "dow")
    look = lambda: held.append(world.budget("key:ci").held_nanousd)  # noqa: E731
    world.upstream.replies = [Reply(before=[2.0, look], headers=reply.headers, parts=reply.parts)]
    request = admitted(world, ask("auto"))  # type: ignore[operator]
    got = world.run(shadow(world, request))  # 2 s, and the client would have waited for one
    assert isinstance(got, Captured)
    assert got.text == "shadow"
    assert got.latency_s == pytest.approx(2.0, abs=0.1)
    row = world.row
    assert (row.role, row.attempt_no, row.request_id, row.reason) == ("shadow", 2, "req_01", "shadow of small")
    assert held == [row.hold_nanousd]
    assert world.budget("key:ci").settled_nanousd == row.cost_nanousd == 180_000


def test_one_that_is_cancelled_has_settled(begin: Begin) -> None:
    world = begin(Reply(before=[HANG_S]), config=CONFIG, more=strict("1"))
    request = admitted(world, chat("auto"))

    async def cancelled() -> None:
        task = asyncio.ensure_future(shadow(world, request))
        await asyncio.sleep(1.0)
        task.cancel()
        await asyncio.wait([task])

    world.run(cancelled())
    world.assert_at_rest()
    assert (world.row.error_class, world.row.cost_nanousd) == ("cancelled", world.row.hold_nanousd)


def test_one_that_fails_is_tried_again_as_a_shadow(begin: Begin) -> None:
    world = begin(openai_error(500), answered("shadow"), config=CONFIG)
    got = world.run(shadow(world, admitted(world, chat("auto"))))
    assert isinstance(got, Captured)
    assert [row.role for row in world.rows] == ["shadow", "shadow"]


def test_one_that_cannot_be_paid_is_not_made(begin: Begin) -> None:
    world = begin(config=CONFIG, more=strict("0.0001"))
    got = world.run(shadow(world, admitted(world, chat("auto"))))
    assert isinstance(got, Refusal)
    assert got.kind == "budget_exhausted"
    assert world.upstream.calls == []


def test_data_policy_keeps_a_shadow_from_whom_it_keeps_the_request(begin: Begin) -> None:
    config = CONFIG.replace(
        "auto: {candidates: [small, big]}", "auto: {candidates: [small], data: {providers: {deny: [two]}}}"
    )
    world = begin(config=config)
    got = world.run(shadow(world, admitted(world, chat("auto"))))
    assert isinstance(got, Refusal)
    assert got.kind == "forbidden"
