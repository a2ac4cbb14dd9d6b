"""Verifiers of installed packages: found by their entry point, bounded, and never believed where they say nonsense."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from bascule.model.strategy import VerifierPolicy
from bascule.ports.verifiers import Verifiers
from bascule.upstream.verifiers import MAX_AT_ONCE, InstalledVerifiers

MINE = VerifierPolicy(name="mine", timeout_s=5.0)


class Point:
    def __init__(self, verifier: Any) -> None:
        self._verifier = verifier

    def load(self) -> Any:
        return self._verifier


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Verifiers]:
    def install(verifier: Any) -> Verifiers:
        found = {("bascule.verifiers", "mine"): [Point(verifier)]}
        monkeypatch.setattr("bascule.upstream.verifiers.entry_points", lambda group, name: found.get((group, name), []))
        return InstalledVerifiers()

    return install


def test_it_is_asked_with_question_and_answer(installed: Any) -> None:
    verifiers = installed(lambda question, answer: 0.9 if (question, answer) == ("why", "so") else 0.1)
    assert asyncio.run(verifiers.score(MINE, "why", "so")) == 0.9


@pytest.mark.parametrize("said", [1.5, -0.1, float("nan"), "good", None])
def test_what_is_no_score_is_none(installed: Any, said: Any) -> None:
    assert asyncio.run(installed(lambda *_: said).score(MINE, "", "")) == "it gave no number from 0 to 1"


def test_what_it_raises_is_no_score_and_nobody_elses_trouble(installed: Any, caplog: Any) -> None:
    def broken(question: str, answer: str) -> float:
        raise RuntimeError("weights are missing")

    assert asyncio.run(installed(broken).score(MINE, "", "")) == "it failed: RuntimeError"
    assert "weights are missing" in caplog.text


def test_one_that_is_not_installed_any_more_says_nothing(installed: Any) -> None:
    gone = VerifierPolicy(name="gone")
    assert asyncio.run(installed(None).score(gone, "", "")) == "it failed: ValueError"


def test_a_slow_one_is_not_waited_for_and_holds_its_turn_until_it_ends(installed: Any) -> None:
    let_go = threading.Event()

    def slow(question: str, answer: str) -> float:
        let_go.wait(60)
        return 1.0

    async def asked() -> None:
        verifiers = installed(slow)
        hasty = VerifierPolicy(name="mine", timeout_s=0.05)
        said = await asyncio.gather(*[verifiers.score(hasty, "", "") for _ in range(MAX_AT_ONCE + 1)])
        assert said == [*["it took longer than 0.05 s"] * MAX_AT_ONCE, "too many answers are being verified"]
        let_go.set()
        while verifiers._busy:
            await asyncio.sleep(0.01)
        assert await verifiers.score(MINE, "", "") == 1.0

    asyncio.run(asked())
