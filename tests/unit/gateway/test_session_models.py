"""Sessions are remembered with what their provider caches, end after an hour, and are bounded."""

from typing import Any

from msgspec import structs
from tests.unit.gateway.test_cache_watch import asked, sent

from bascule.gateway.session_models import ENDED_AFTER_MS, LOOKED_AT_AGAIN, SessionModels
from bascule.model.identity import Identity
from bascule.model.usage import Usage


def reported(**tokens: Any) -> Usage:
    return Usage(source="reported", tokens_in=1_000, tokens_out=5, **tokens)


def at(session: str | None, now_ms: int = 0, agent: str | None = None) -> Any:
    return structs.replace(asked("ci", Identity(session_id=session, agent_id=agent)), started_ms=now_ms)


def test_a_session_has_the_model_and_the_cached_prompt_of_its_last_answer() -> None:
    models = SessionModels()
    assert models.of(at("s")) is None
    models.observe(at("s"), sent(0), reported(tokens_cache_read=0))
    models.observe(at("s"), sent(1_000), reported(tokens_cache_read=9_000))
    found = models.of(at("s", 2_000))
    assert found is not None
    assert (found.model, found.turns, found.cached_tokens, found.lifetime_s) == ("m", 2, 10_000, 300)
    assert found.warm_tokens(301_000) == 10_000
    assert found.warm_tokens(301_001) == 0
    assert models.of(at("s", agent="sub")) is None
    assert models.of(at(None)) is None


def test_anthropics_cache_holds_what_was_read_and_written_alone() -> None:
    models = SessionModels()
    attempt = sent(0)
    endpoint = structs.replace(attempt.candidate.endpoint, dialect="anthropic_messages")
    attempt.candidate = structs.replace(attempt.candidate, endpoint=endpoint)
    models.observe(at("s"), attempt, reported(tokens_cache_read=5_000, tokens_cache_write_1h=300))
    found = models.of(at("s"))
    assert found is not None
    assert (found.cached_tokens, found.lifetime_s) == (5_300, 3_600)


def test_what_is_not_reported_or_too_short_is_not_cached() -> None:
    models = SessionModels()
    for number, usage in enumerate(
        (reported(), reported(tokens_cache_read=23), Usage(source="estimated", tokens_in=9_000, tokens_cache_read=0))
    ):
        models.observe(at(f"s{number}"), sent(0), usage)
        assert models.of(at(f"s{number}")).cached_tokens == 0  # type: ignore[union-attr]


def test_a_session_that_was_silent_for_an_hour_has_ended_and_teaches_how_long_sessions_are() -> None:
    models = SessionModels()
    before = models.turns_left(1)
    for number in range(200):
        models.observe(at(f"s{number}"), sent(0), reported())
    assert models.turns_left(1) == before
    assert models.of(at("s1", ENDED_AFTER_MS + 1)) is None
    for _ in range(LOOKED_AT_AGAIN):
        models.observe(at("later"), sent(ENDED_AFTER_MS + 1), reported())
    assert models.turns_left(1) < before / 10


def test_beyond_its_bound_the_oldest_is_forgotten() -> None:
    models = SessionModels(max_sessions=2)
    for name in ("a", "b", "a", "c"):
        models.observe(at(name), sent(0), reported())
    assert [models.of(at(name)) is None for name in ("a", "b", "c")] == [False, True, False]
