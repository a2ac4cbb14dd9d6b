"""Sessions are watched apart, told of once, and forgotten in time."""

import logging
from typing import Any

import pytest

from bascule.decide.cache_watch import CollapsePolicy
from bascule.gateway.admission import Admitted
from bascule.gateway.books import OpenAttempt
from bascule.gateway.cache_watch import CacheWatch
from bascule.gateway.metrics import Metrics
from bascule.model.budget import Attribution, Hold
from bascule.model.catalog import Endpoint
from bascule.model.facts import Facts
from bascule.model.identity import Identity
from bascule.model.plan import Candidate
from bascule.model.policy import Ask, KeyPolicy
from bascule.model.usage import Usage
from bascule.testing.ledger import an_intent

POLICY = CollapsePolicy(warm_requests=2, cold_requests=2)
ENDPOINT = Endpoint(id="p/m", provider="p", dialect="openai_chat", upstream_model="m")
CANDIDATE = Candidate(model="m", endpoint=ENDPOINT, reason="cheapest")


def asked(key: str, identity: Identity) -> Admitted:
    return Admitted(
        request_id="req_1",
        surface="openai_chat",
        work="chat",
        key=KeyPolicy(name=key),
        raw=b"",
        body={},
        facts=Facts(model="m"),
        identity=identity,
        ask=Ask(model="m"),
        attribution=Attribution(),
        betas="",
        started_ms=0,
        started_s=0.0,
    )


def sent(started_ms: int) -> OpenAttempt:
    return OpenAttempt(
        attempt_id="att_1.1",
        attempt_no=1,
        candidate=CANDIDATE,
        hold=Hold(attempt_id="att_1.1", amount_nanousd=0, held=()),
        hold_nanousd=0,
        intent=an_intent(1),
        started_ms=started_ms,
    )


class Watched:
    def __init__(self, **how: Any) -> None:
        self.metrics = Metrics()
        self.watch = CacheWatch(self.metrics, **how)
        self.now_ms = 0

    def see(self, cached: int | None, *, key: str = "k", session: str | None = "s", agent: str | None = None) -> None:
        self.now_ms += 1_000
        usage = Usage(tokens_in=10_000 - (cached or 0), tokens_cache_read=cached, source="reported")
        self.watch.observe(POLICY, asked(key, Identity(session_id=session, agent_id=agent)), sent(self.now_ms), usage)

    @property
    def told(self) -> dict[tuple[str, str], int]:
        return self.metrics.cache_collapses


def test_a_collapse_is_one_line_and_one_count(caplog: pytest.LogCaptureFixture) -> None:
    seen = Watched()
    with caplog.at_level(logging.WARNING, logger="bascule.caches"):
        for cached in (0, 9_000, 9_000, 0, 0, 0):
            seen.see(cached)
    assert seen.told == {("m", "p"): 1}
    (line,) = caplog.records
    assert line.__dict__["event"] == "cache_collapse"
    assert line.__dict__["session_id"] == "s"
    assert line.__dict__["uncached_tokens"] == 20_000
    assert seen.metrics.uncached_prompts == {("m", "p", "first"): 1, ("m", "p", "cold"): 3}


@pytest.mark.parametrize("other", [{"session": "t"}, {"key": "l"}, {"agent": "helper"}])
def test_another_session_key_or_agent_is_watched_apart(other: dict[str, str]) -> None:
    seen = Watched()
    for cached in (9_000, 9_000):
        seen.see(cached)
    for cached in (0, 0, 0):
        seen.see(cached, **other)
    assert seen.told == {}


def test_what_is_not_said_is_not_taken_for_zero() -> None:
    seen = Watched()
    for cached in (9_000, 9_000, None, None, None):
        seen.see(cached)
    assert seen.told == {}


def test_without_a_session_nothing_is_watched() -> None:
    seen = Watched()
    for cached in (9_000, 9_000, 0, 0):
        seen.see(cached, session=None)
    assert seen.told == {}
    assert seen.metrics.uncached_prompts == {}


def test_it_remembers_those_that_were_heard_of_last() -> None:
    seen = Watched(max_sessions=2)
    for session in ("a", "a", "b", "a", "c"):
        seen.see(9_000, session=session)
    for session in ("a", "a", "b"):
        seen.see(0, session=session)
    assert seen.told == {("m", "p"): 1}, "a was remembered"
    assert seen.metrics.uncached_prompts["m", "p", "first"] == 1, "b was forgotten when c came"
