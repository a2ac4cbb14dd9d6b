import pytest

from bascule.decide.budget import (
    ceiling,
    fits,
    hold_mode,
    matching,
    over_budget,
    parse_scope,
    tightest,
)
from bascule.model.budget import Attribution, BudgetState
from bascule.model.policy import Budget


def budget(scope: str, **changes) -> Budget:
    return Budget(**{"scope": scope, "limit_nanousd": 100, "window": "day", **changes})


def state(scope: str = "key:ci", limit: int = 100, settled: int = 0, held: int = 0, **changes) -> BudgetState:
    fields = {"mode": "strict", "window_id": "2026-11-21", **changes}
    return BudgetState(scope=scope, limit_nanousd=limit, settled_nanousd=settled, held_nanousd=held, **fields)


EVERYBODY = Attribution(
    key="ci", org="acme", team="web", project="shop", user="ann", session_id="s1", tags={"feature": "search", "a": "b"}
)


@pytest.mark.parametrize(
    ("scope", "counts"),
    [
        ("org:acme", "org:acme"),
        ("team:web", "team:web"),
        ("team:other", None),
        ("project:shop", "project:shop"),
        ("key:ci", "key:ci"),
        ("key:*", "key:ci"),
        ("user:*", "user:ann"),
        ("user:ann", "user:ann"),
        ("user:bob", None),
        ("session:*", "session:s1"),
        ("tag:feature=search", "tag:feature=search"),
        ("tag:feature=*", "tag:feature=search"),
        ("tag:feature=chat", None),
        ("tag:search=feature", None),
    ],
)
def test_scopes_match_by_value_and_wildcards_count_each_value(scope, counts):
    found = matching((budget(scope),), EVERYBODY)
    assert [concrete for _, concrete in found] == ([] if counts is None else [counts])


def test_a_request_without_user_or_session_is_under_none_of_theirs():
    anonymous = Attribution(key="ci")
    assert matching((budget("user:*"), budget("session:*"), budget("tag:a=*")), anonymous) == ()
    assert len(matching((budget("key:ci"), budget("user:*")), anonymous)) == 1


def test_all_that_match_apply_outermost_first():
    budgets = tuple(budget(s) for s in ("session:*", "user:ann", "user:*", "key:ci", "org:acme", "team:x"))
    assert [c for _, c in matching(budgets, EVERYBODY)] == ["org:acme", "key:ci", "user:ann", "user:ann", "session:s1"]


def test_a_user_who_calls_himself_star_is_not_everybody():
    assert [c for _, c in matching((budget("user:*"), budget("user:ann")), Attribution(user="*"))] == ["user:*"]


@pytest.mark.parametrize("scope", ["ci", "keys:ci", "key:", "tag:feature", "tag:=x", "tag:feature=", ""])
def test_malformed_scopes_say_what_to_write(scope):
    with pytest.raises(ValueError, match=r"scope"):
        parse_scope(scope)


def test_strict_fits_to_the_last_nano_dollar():
    assert fits(60, 30, 10, 100, "strict")
    assert not fits(60, 30, 11, 100, "strict")
    assert not fits(60, 30, 11, 100, "expected")
    assert fits(60, 30, 11, 100, "warn")


def test_what_is_free_fits_a_spent_budget():
    assert fits(150, 0, 0, 100, "strict")


def test_the_strictest_mode_decides_the_hold():
    assert hold_mode(()) is None
    assert hold_mode((state(mode="warn"),)) == "warn"
    assert hold_mode((state(mode="warn"), state(mode="expected"))) == "expected"
    assert hold_mode((state(mode="expected"), state(mode="warn"))) == "expected"
    assert hold_mode((state(mode="expected"), state(mode="strict"), state(mode="warn"))) == "strict"


def test_tightest_looks_past_budgets_that_only_warn():
    broke, poor, rich = state("a:b", settled=100, mode="warn"), state("key:poor", settled=90), state("key:rich")
    assert tightest((broke, rich, poor)) is poor
    assert tightest((broke,)) is None


def test_refusal_has_both_figures():
    refusal = over_budget("key:ci", "2026-11-21", 11, 10)
    assert refusal.http_status == 402
    assert (refusal.scope, refusal.needed_nanousd, refusal.left_nanousd) == ("key:ci", 11, 10)
    assert "0.000000011" in refusal.message
    assert "0.000000010" in refusal.message


def test_an_overspent_budget_has_nothing_left_rather_than_less():
    assert state(mode="expected", settled=120).left_nanousd == -20
    assert over_budget("key:ci", "2026-11-21", 1, -20).left_nanousd == 0


def test_finish_session_keeps_the_last_tenth_for_those_who_run():
    assert ceiling(1000, "finish_session", running=False) == 900
    assert ceiling(1000, "finish_session", running=True) == 1000
    assert ceiling(1000, "refuse", running=False) == 1000
    assert state(reserved_nanousd=10, settled=50).left_nanousd == 40
