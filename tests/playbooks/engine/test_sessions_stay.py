"""A session stays with its model while its prompt is cached there, and overflow leaves an endpoint that is full."""

from tests.playbooks.engine.conftest import CONFIG, Begin, Playbook
from tests.playbooks.engine.wire import answered, chat, completion, openai_error, usage

from bascule.ports import UpstreamCall
from bascule.testing.transport import Reply, whole

LONG = [{"role": "user", "content": "word " * 20_000}]
"""About 25,000 tokens."""
CACHED = CONFIG.replace("output: 10}, max_output", "output: 10, cache_read: 0.1}, max_output").replace(
    "output: 30}, max_output", "output: 10, cache_read: 0.03}, max_output"
)
"""Warm, a turn costs less at `big` than at `small`; cold, three times as much."""


def long_answer(cached: int) -> Reply:
    return whole(completion(usage=usage(25_000, 5, prompt_tokens_details={"cached_tokens": cached})))


def ask(world: Playbook, session: str | None = "s") -> tuple[str | None, str | None]:
    headers = {} if session is None else {"x-bascule-session": session}
    found = world.ask(chat("auto", messages=LONG), headers=headers)
    assert found.status == 200, found.body
    return found.header("x-bascule-model"), found.header("x-bascule-reason")


def moved_to_big(begin: Begin, config: str = CACHED) -> Playbook:
    """`small` fails once, so `big` has the session and its prompt."""
    world = begin(config=config)
    failing = True

    def answer(call: UpstreamCall) -> Reply:
        return openai_error(500) if failing and "one.test" in call.origin else long_answer(24_000)

    world.upstream.answer = answer
    assert ask(world)[0] == "big"
    failing = False
    return world


def test_a_session_stays_where_its_prompt_is_cached_though_another_model_has_the_lower_price(begin: Begin) -> None:
    world = moved_to_big(begin)
    assert ask(world) == ("big", "session stays")
    assert ask(world, "another") == ("small", "cheapest")


def test_once_the_cache_has_run_out_it_goes_to_the_cheaper_model(begin: Begin) -> None:
    # Read anew, 25,000 tokens cost 0.075 at `big` and 0.025 at `small`; later turns cost little at either.
    world = moved_to_big(begin)
    world.clock.advance(301.0)
    assert ask(world) == ("small", "cheapest")


def test_switched_off_each_request_is_for_itself(begin: Begin) -> None:
    route = "  auto: {candidates: [small, big]}\n"
    world = moved_to_big(begin, CACHED.replace(route, route.replace("]}", "], sessions: {sticky: false}}")))
    assert ask(world) == ("small", "cheapest")


def test_where_the_provider_reports_no_cache_nothing_holds_a_session(begin: Begin) -> None:
    world = begin(config=CACHED)
    replies = iter([openai_error(500), whole(completion(tokens_in=25_000)), whole(completion(tokens_in=25_000))])
    world.upstream.answer = lambda call: next(replies)
    assert ask(world)[0] == "big"
    assert ask(world) == ("small", "cheapest")


def test_an_endpoint_that_is_full_sends_what_is_more_to_the_next_one(begin: Begin) -> None:
    config = CONFIG.replace("{provider: one, model: small-up}", "{provider: one, model: small-up, concurrency: 2}")
    world = begin(config=config)

    world.upstream.answer = lambda call: answered()
    occupancy = world.gateway.routing.occupancy
    endpoint = world.gateway.engine.snapshot.model("small").endpoints[0]  # type: ignore[union-attr]
    with occupancy.during(endpoint):
        assert world.ask(chat("auto")).header("x-bascule-model") == "small"
        with occupancy.during(endpoint):
            found = world.ask(chat("auto"))
            assert found.header("x-bascule-model") == "big"
            assert found.header("x-bascule-reason") == "cheapest; one/small-up full"
    assert occupancy.full == frozenset()
    assert world.ask(chat("auto")).header("x-bascule-model") == "small"
