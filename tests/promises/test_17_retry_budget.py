"""Retries stay within a budget per target, in one layer; Retry-After is honoured and capped."""

import random
from collections import Counter
from pathlib import Path

import pytest
from tests.playbooks.engine.wire import answered, chat, openai_error
from tests.promises.conftest import Figure
from tests.promises.steady import Upstream, gateway, steady

from bascule.testing.transport import Reply

RATE_RPS = 50.0
CAP_S = 60.0


def failing(kind: str, dice: random.Random) -> Reply:
    match kind:
        case "500":
            return openai_error(500)
        case "429":
            return openai_error(429, "slow down")
        case "flaky":
            return openai_error(500) if dice.random() < 0.3 else answered()
        case _:
            return openai_error(503) if dice.random() < 0.5 else openai_error(429, "slow down")


@pytest.mark.promise(17, fault="500, 429, flaky and mixed failures at 50 rps", limit="<= 1.2 (+3) per target")
@pytest.mark.parametrize("kind", ["500", "429", "flaky", "mixed"])
@pytest.mark.parametrize("model", ["small", "auto"])
def test_attempts_upstream_per_request(tmp_path: Path, figure: Figure, full: bool, model: str, kind: str) -> None:
    dice = random.Random(17)
    seconds = 30.0 if full else 8.0
    with gateway(tmp_path) as world:
        upstream = Upstream(world, lambda host, now_s: failing(kind, dice), takes_s=0.05)
        sent = steady(world, lambda number: {"body": chat(model)}, rate_rps=RATE_RPS, seconds=seconds)
        asked = Counter(host for _, host in upstream.calls)
        figure("amplification", max(asked.values()) / len(sent))
        for host, count in asked.items():
            assert count <= 1.2 * len(sent) + 3, (host, count, len(sent))
        for one in sent:
            if one.status in (502, 504):
                assert one.exchange.header("x-should-retry") == "false"


def http_date(at_s: int) -> str:
    return f"Sat, 21 Nov 2026 12:00:{at_s:02} GMT"


PAUSES = {
    "seconds": ({"retry_after": "7"}, 7.0),
    "milliseconds": ({"retry_after_ms": "2500"}, 2.5),
    "date": ({"retry_after": http_date(9), "date": http_date(0)}, 9.0),
    "date gone by": ({"retry_after": http_date(0), "date": http_date(9)}, 0.0),
    "the cap": ({"retry_after": "60"}, 60.0),
}


@pytest.mark.promise(17, fault="Retry-After in every form", limit="honoured up to 60 s, never slept beyond")
@pytest.mark.parametrize("form", PAUSES)
def test_a_pause_is_kept(tmp_path: Path, figure: Figure, form: str) -> None:
    headers, pause_s = PAUSES[form]
    replies = [openai_error(429, "slow down", **headers), answered()]
    with gateway(tmp_path) as world:
        upstream = Upstream(world, lambda host, now_s: replies.pop(0))
        (one,) = steady(world, lambda number: {"body": chat()}, rate_rps=1.0, seconds=1.0)
        first_s, second_s = upstream.at("one.test")
        figure("waited", second_s - first_s, "s")
        assert one.status == 200
        assert pause_s <= second_s - first_s < pause_s + 1.0


@pytest.mark.promise(17, fault="429 with an absurd Retry-After", limit="no sleep, told to the client if at most a day")
@pytest.mark.parametrize("asked", ["61", "86400", "99999999999", "1e9"])
def test_a_pause_beyond_the_cap_is_not_slept(tmp_path: Path, figure: Figure, asked: str) -> None:
    with gateway(tmp_path) as world:
        Upstream(world, lambda host, now_s: openai_error(429, "slow down", retry_after=asked))
        sent = steady(world, lambda number: {"body": chat()}, rate_rps=1.0, seconds=1.0)
        figure("longest wait", max(one.took_s for one in sent), "s")
        for one in sent:
            assert one.status == 429
            assert one.took_s <= 2.0
            told = one.exchange.header("retry-after")
            assert told is not None
            assert 1 <= int(told) <= 86_400


@pytest.mark.promise(17, fault="quota exhausted on one of two keys", limit="not asked again with that key")
def test_an_exhausted_quota_is_not_asked_twice_with_the_same_key(tmp_path: Path, figure: Figure) -> None:
    config = TWO_KEYS
    with gateway(tmp_path, config=config) as world:
        keys: list[bytes] = []

        def reply(host: str, now_s: float) -> Reply:
            (key,) = [value for name, value in world.upstream.calls[-1].headers if name == b"authorization"]
            keys.append(key)
            if key.endswith(b"sk-one-canary-0123456789"):
                return openai_error(429, "exceeded your current quota", code="insufficient_quota")
            return answered()

        Upstream(world, reply)
        asks = [{"body": chat(), "headers": {"x-bascule-session": f"s{number}"}} for number in range(40)]
        sent = steady(world, lambda number: asks[number], rate_rps=40.0, seconds=1.0)
        used = Counter(keys)
        figure("attempts with the exhausted key", used[b"Bearer sk-one-canary-0123456789"])
        assert [one.status for one in sent] == [200] * 40
        assert used[b"Bearer sk-one-canary-0123456789"] == 1


TWO_KEYS = """
data_dir: data
providers:
  one: {dialect: openai_chat, base_url: "https://one.test/v1", api_keys: ["env:ONE_KEY", "env:ONE_B_KEY"]}
models:
  small: {endpoints: [{provider: one, model: small-up}], price: {input: 1, output: 10}, max_output: 4000}
keys:
  ci: {secret: "env:CI_KEY"}
"""
