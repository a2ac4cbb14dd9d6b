"""Several keys of one provider: whose turn it is, and what follows when one is refused or limited."""

from tests.playbooks.engine.conftest import CI, ENVIRONMENT, Playbook
from tests.playbooks.engine.wire import answered, chat, openai_error

KEYS = """
data_dir: data
providers:
  one: {dialect: openai_chat, base_url: "https://one.test/v1", api_keys: ["env:ONE_KEY", "env:TWO_KEY"]}
models:
  small: {endpoints: [{provider: one, model: small-up}], price: {input: 1, output: 10}, max_output: 4000}
keys:
  ci: {secret: "env:CI_KEY"}
"""
FIRST, SECOND = b"Bearer " + ENVIRONMENT["ONE_KEY"].encode(), b"Bearer " + ENVIRONMENT["TWO_KEY"].encode()


def sent(world: Playbook) -> list[bytes]:
    return [value for call in world.upstream.calls for name, value in call.headers if name == b"authorization"]


def test_sessions_keep_to_a_key_and_spread_over_all(begin) -> None:
    world = begin(*[answered() for _ in range(24)], config=KEYS)
    for number in range(24):
        world.ask(chat(), headers={"x-bascule-session": f"s{number % 8}"}, key=CI)
    used = sent(world)
    assert {FIRST, SECOND} == set(used)
    assert used[:8] == used[8:16] == used[16:]


def test_a_limited_key_is_followed_by_the_other_at_once(begin) -> None:
    world = begin(openai_error(429, "slow down", retry_after="30"), answered(), config=KEYS)
    before_s = world.clock.monotonic_s()
    assert world.ask(chat(), headers={"x-bascule-session": "s"}).status == 200
    assert world.clock.monotonic_s() == before_s
    one, other = sent(world)
    assert {one, other} == {FIRST, SECOND}


def test_when_every_key_is_refused_the_client_gets_a_502_and_no_key_is_asked_twice(begin) -> None:
    world = begin(openai_error(401), openai_error(401), config=KEYS)
    answer = world.ask(chat())
    assert answer.status == 502
    assert set(sent(world)) == {FIRST, SECOND}
    again = world.ask(chat())
    assert (again.status, again.error["code"]) == (503, "circuit_open")
    assert again.header("retry-after") == "1"
