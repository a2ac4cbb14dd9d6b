"""The month: what must hold whatever the seed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.routing.month.agents import Caches, session_nanousd, turn_nanousd
from benchmarks.routing.month.cast import AGENT_MODELS, PREMIUM, Cast, cast
from benchmarks.routing.month.company import FIRST_TOKENS, MONTH_START_MS, Month, Turn, Volume, drawn
from benchmarks.routing.month.earned import Earned, Outcome
from benchmarks.routing.month.policies import careful_table, of_outcome, one_model
from benchmarks.routing.month.purse import Purse
from benchmarks.routing.month.setting import Setting
from hypothesis import given
from hypothesis import strategies as st

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "routing"
TINY = Volume(developers=10, assistant_requests=20_000, question_requests=20_000)
KINDS = ("agents", "assistant", "questions")


@pytest.fixture(scope="module")
def who() -> Cast:
    if not DATA.is_dir():
        pytest.skip(f"the outcomes of real models are not at {DATA}")
    return cast(DATA, MONTH_START_MS, 1)


@pytest.fixture(scope="module")
def month(who: Cast) -> Month:
    return drawn(who, TINY, 1)


def earned_of(who: Cast, month: Month, limit_nanousd: int) -> tuple[Outcome, Purse]:
    purse = Purse(limit_nanousd)
    return Earned(who, Setting(who)).month(month, purse), purse


def test_the_same_seed_is_the_same_month(who: Cast, month: Month) -> None:
    assert drawn(who, TINY, 1) == month
    assert drawn(who, TINY, 2) != month


def test_a_turn_is_cheaper_where_the_prompt_lies_in_a_cache(who: Cast) -> None:
    first = Turn(0, FIRST_TOKENS, 0, 100)
    soon, late = replace(first, at_ms=60_000, tokens_before=FIRST_TOKENS), replace(first, at_ms=400_000)
    caches = Caches()
    assert caches.warm(PREMIUM, first) == 0
    caches.note(PREMIUM, first)
    assert (caches.warm(PREMIUM, soon), caches.warm(PREMIUM, late), caches.warm("gpt-5.1", soon)) == (
        FIRST_TOKENS,
        0,
        0,
    )
    # 19,000 tokens written at $6.25 or read at $0.50, and 100 at $25, per million.
    assert turn_nanousd(PREMIUM, first, 0, who.rates) == 121_250_000
    assert turn_nanousd(PREMIUM, soon, FIRST_TOKENS, who.rates) == 12_000_000


def test_nothing_is_spent_but_what_answers_cost(who: Cast, month: Month) -> None:
    outcome, purse = earned_of(who, month, 10**15)
    result = of_outcome(month, who, outcome)
    assert purse.overspent_nanousd == 0
    assert sum([kind.usd for kind in result.values()]) == pytest.approx(purse.settled_nanousd / 1e9, rel=1e-9)
    assert sum(map(len, outcome.answers.values())) == len(month.sessions) + sum(map(len, month.requests.values()))
    assert outcome.evidence_nanousd > 0


def test_who_serves_has_earned_it(who: Cast, month: Month) -> None:
    outcome, _ = earned_of(who, month, 10**15)
    earned = {made.key.challenger for made in outcome.transitions if made.after == "canary"}
    served = {answer.model for answers in outcome.answers.values() for answer in answers}
    assert served <= earned | {PREMIUM}


def test_a_strict_limit_is_kept(who: Cast, month: Month) -> None:
    premium = one_model(month, who, dict.fromkeys(KINDS, PREMIUM))
    limit = round(0.3 * sum([kind.usd for kind in premium.values()]) * 1e9)
    _, purse = earned_of(who, month, limit)
    assert purse.overspent_nanousd == 0
    assert purse.refused > 0
    assert purse.settled_nanousd > 0.9 * limit


def test_the_careful_table_loses_at_most_what_it_may_on_its_history(who: Cast) -> None:
    weights = {"assistant": 0.6, "questions": 0.4}
    free, strict = careful_table(who, weights, 0.05), careful_table(who, weights, 0.0)
    assert free != strict
    lost = 0.0
    for kind, history in who.history.items():
        chosen = np.array([history.column(free[kind][label]) for label in history.labels])
        quality = history.quality[np.arange(len(chosen)), chosen]
        lost += weights[kind] * float((history.quality[:, history.column(PREMIUM)] - quality).mean())
    assert lost <= 0.05 + 1e-9


def test_a_session_costs_less_where_the_model_is_cheaper_throughout(who: Cast, month: Month) -> None:
    costs = [sum([session_nanousd(model, one, who.rates) for one in month.sessions]) for model in AGENT_MODELS]
    assert costs == sorted(costs, reverse=True)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=200), st.integers(0, 500))
def test_a_purse_is_never_overspent(asked: list[tuple[int, int]], limit: int) -> None:
    purse = Purse(limit)
    for one, other in asked:
        purse.pay(max(one, other), min(one, other))
    assert purse.overspent_nanousd == 0
