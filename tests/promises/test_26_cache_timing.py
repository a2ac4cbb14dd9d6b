"""How long an answer takes tells nothing of what other tenants have asked.

Ann asks half of the prompts; Bob then asks all of them, in random order. To him, those that Ann has asked and those
that nobody has must take the same time. Chance alone gives p < 0.01 once in a hundred runs, and a machine that does
something else once in a while more often: the promise is broken where three runs in a row say so.
"""

import http.client
import json
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.acceptance.configuration import PROVIDER_ENV, configuration
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.promises.conftest import Figure
from tests.promises.rank_test import mann_whitney_p

from bascule.testing.script import Script

ANN, BOB = "ann-secret-0123456789abcdef", "bob-secret-0123456789abcdef"
KEYS = {"ann": {"secret": "env:ANN"}, "bob": {"secret": "env:BOB"}}
RUNS = 3
SEED = 26
FORGET_FIRST = 10
"""Answers at the start, when connections and caches of the machine are cold."""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    provider = Provider(Script(output_tokens=8))
    provider.start()
    config = configuration(provider.openai_url, provider.anthropic_url, keys=KEYS, cache={"exact": {"enabled": True}})
    made = Gateway(tmp_path, config, {**PROVIDER_ENV, "ANN": ANN, "BOB": BOB}).start()
    yield made
    made.kill()
    provider.stop()


class Client:
    """One connection that stays open."""

    def __init__(self, url: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    def close(self) -> None:
        self._connection.close()

    def ask(self, prompt: str) -> tuple[float, str | None]:
        """Seconds, and what the cache had to do with it."""
        messages = [{"role": "user", "content": prompt}]
        body = json.dumps({"model": "oai", "temperature": 0, "max_tokens": 8, "messages": messages})
        began = time.perf_counter()
        self._connection.request("POST", "/v1/chat/completions", body, self._headers)
        answer = self._connection.getresponse()
        answer.read()
        took_s = time.perf_counter() - began
        assert answer.status == 200
        return took_s, answer.getheader("x-bascule-cache")


def probe(gateway: Gateway, run: int, count: int) -> tuple[list[float], list[float], int]:
    """Bob's seconds for what Ann has asked and for what nobody has, and how many of his came from the cache."""
    dice = random.Random(SEED + run)
    hers = [f"{run} shared {number:04} {dice.random():.15f}" for number in range(count)]
    nobodys = [f"{run} lonely {number:04} {dice.random():.15f}" for number in range(count)]
    with closing(Client(gateway.url, ANN)) as ann:
        for prompt in hers:
            ann.ask(prompt)
    order = [(prompt, True) for prompt in hers] + [(prompt, False) for prompt in nobodys]
    dice.shuffle(order)
    took: dict[bool, list[float]] = {True: [], False: []}
    hits = 0
    with closing(Client(gateway.url, BOB)) as bob:
        for number in range(FORGET_FIRST):
            bob.ask(f"{run} first {number}")
        for prompt, asked_by_ann in order:
            took_s, cache = bob.ask(prompt)
            took[asked_by_ann].append(took_s)
            hits += cache != "none"
    return took[True], took[False], hits


@pytest.mark.promise(26, fault="200 probes of what another tenant has asked and has not", limit="p > 0.01")
def test_the_time_of_an_answer_tells_nothing(gateway: Gateway, figure: Figure, full: bool) -> None:
    count = 500 if full else 200
    p, hits = 0.0, 0
    for run in range(RUNS):
        shared, lonely, crossed = probe(gateway, run, count)
        p, hits = max(p, mann_whitney_p(shared, lonely)), hits + crossed
        if p > 0.01:
            break
    figure("p", round(p, 3))
    figure("probes", 2 * count)
    assert p > 0.01
    assert hits == 0


def test_the_rank_test_sees_a_difference_and_none() -> None:
    dice = random.Random(1)
    same = [dice.gauss(0, 1) for _ in range(400)]
    assert mann_whitney_p(same[:200], same[200:]) > 0.05
    assert mann_whitney_p(same[:200], [value + 0.5 for value in same[200:]]) < 0.001
    assert mann_whitney_p([1.0] * 30, [1.0] * 30) == 1.0
    # Worked by hand: U = 0 of 20 x 20 without ties, z = (200 - 0.5) / sqrt(400 * 41 / 12) = 5.396.
    assert mann_whitney_p(range(20), range(20, 40)) == pytest.approx(6.8e-8, rel=0.02)
