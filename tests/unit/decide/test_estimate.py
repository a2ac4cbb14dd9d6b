import pytest

from bascule.decide.bounds import input_bound_tokens
from bascule.decide.calibration import Calibration, observe_output
from bascule.decide.estimate import (
    NO_OUTPUT,
    HoldPlan,
    Priced,
    expected_cost,
    expected_input_tokens,
    expected_output_tokens,
    fit_output,
    held_input_tokens,
    hold_amount,
    output_cap,
)
from bascule.model.budget import BudgetState
from bascule.model.catalog import BoundFacts
from bascule.model.errors import Refusal
from bascule.model.facts import Facts, ImageFact
from bascule.model.money import Rates

BOUNDS = BoundFacts(
    per_request_tokens=10, per_message_tokens=5, per_tool_tokens=20, tools_preamble_tokens=300, tokens_per_image=1000
)
RATES = Rates(input=1_000_000, output=4_000_000)  # 1 and 4 dollars per million: 1,000 and 4,000 nano-USD a token
FRESH = Calibration()


def facts(**fields) -> Facts:
    return Facts(**{"model": "m", "text_bytes": 100, "messages": 2, **fields})


def left(amount: int, scope: str = "key:ci") -> BudgetState:
    return BudgetState(
        scope=scope, window_id="total", mode="strict", limit_nanousd=amount, settled_nanousd=0, held_nanousd=0
    )


def priced(request: Facts, *, input_tokens: int = 100, rates: Rates | None = RATES, **fields) -> Priced:
    cap = fields.pop("cap", None) or output_cap(request, None, None, fields.pop("model_max", None))
    return Priced(input_tokens=input_tokens, rates=rates, cap=cap, **fields)


def test_input_bound_counts_bytes_and_what_providers_wrap_around():
    assert input_bound_tokens(facts(), BOUNDS) == 100 + 10 + 2 * 5
    assert input_bound_tokens(facts(tools=3), BOUNDS) == 120 + 300 + 3 * 20


def test_images_cost_their_pixel_bound_whatever_their_base64():
    one = ImageFact("base64", base64_bytes=5_000_000)
    assert input_bound_tokens(facts(images=(one, one)), BOUNDS) == 120 + 2 * 1000


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"unbounded": ("web_search",)}, "web_search"),
        ({"images": (ImageFact("url"),)}, "image_url"),
        ({"images": (ImageFact("file"),), "unbounded": ("image_file",)}, "image_file"),
    ],
)
def test_what_has_no_bound_is_named(fields, named):
    refusal = input_bound_tokens(facts(**fields), BOUNDS)
    assert isinstance(refusal, Refusal)
    assert refusal.kind == "unpriceable"
    assert refusal.http_status == 402
    assert refusal.message.count(named) == 1


def test_only_a_strict_budget_refuses_what_has_no_bound():
    request = facts(text_bytes=100_000, images=(ImageFact("url"),))
    assert isinstance(held_input_tokens(request, BOUNDS, FRESH, "strict"), Refusal)
    for mode in ("expected", "warn", None):
        assert held_input_tokens(request, BOUNDS, FRESH, mode) == pytest.approx(30_000 + 1_600, rel=0.01)


def test_expected_input_starts_at_three_tokens_in_ten_bytes():
    assert expected_input_tokens(facts(text_bytes=10_000), FRESH) == pytest.approx(3_000, rel=0.01)


@pytest.mark.parametrize(
    ("client", "key", "route", "model", "p99", "tokens", "expected", "policy"),
    [
        (None, None, None, None, None, 16_000, 16_000, None),
        (None, None, None, None, 900, 900, 900, None),
        (None, None, None, 4_096, None, 4_096, 4_096, None),
        (None, 8_000, None, None, None, 8_000, 8_000, 8_000),
        (None, 64_000, None, 32_000, None, 16_000, 16_000, 32_000),
        (32_000, None, None, None, None, 32_000, 16_000, None),  # history never shortens what a client asked for
        (32_000, None, None, None, 900, 32_000, 900, None),
        (32_000, 8_000, 9_000, None, None, 8_000, 8_000, 8_000),
        (32_000, 9_000, 8_000, 4_000, None, 4_000, 4_000, 4_000),
        (100, 8_000, None, None, None, 100, 100, None),
    ],
)
def test_output_cap_is_the_least_of_what_applies(client, key, route, model, p99, tokens, expected, policy):
    cap = output_cap(facts(max_tokens=client), key, route, model, p99)
    assert (cap.tokens, cap.expected_tokens, cap.policy_tokens) == (tokens, expected, policy)
    assert cap.from_client is (client is not None)


@pytest.mark.parametrize(
    ("client", "key", "route", "model", "p99", "tokens", "policy"),
    [
        (1, None, None, None, None, 16, 16),  # raised, held and sent, even where no budget applies
        (1, 100, None, None, None, 16, 16),
        (16, None, None, None, None, 16, None),
        (None, None, None, None, 9, 16, None),  # what history expects is sent where a budget applies
        (None, 100, None, None, 9, 16, 100),
        (100, 20, None, 9, None, 16, 16),
        (100, 15, None, None, None, 15, 15),  # policy is never exceeded; the codec refuses it
        (1, None, 15, None, None, 1, 1),
        (None, 64, 15, None, None, 15, 15),
    ],
)
def test_a_target_that_takes_no_small_cap_is_held_and_sent_its_least(client, key, route, model, p99, tokens, policy):
    cap = output_cap(facts(max_tokens=client), key, route, model, p99, least=16)
    assert (cap.tokens, cap.policy_tokens) == (tokens, policy)
    assert cap.expected_tokens <= cap.tokens


def test_hold_multiplies_choices_and_rounds_up():
    assert hold_amount(100, 50, 3, RATES) == 100 * 1_000 + 150 * 4_000
    assert hold_amount(1, 0, 1, Rates(input=1, output=1)) == 1
    assert hold_amount(1, 0, 1, Rates(input=1000, output=1), fees_nanousd=7) == 8
    assert hold_amount(1, 1, 1, Rates(input=1000)) is None
    assert hold_amount(1, 0, 1, Rates(output=1000)) is None


def test_hold_covers_a_dearer_class_for_images_only_where_there_are_some():
    rates = Rates(input=1_000, output=0, image_in=5_000)
    assert hold_amount(10, 0, 1, rates) == 10
    assert hold_amount(10, 0, 1, rates, images=True) == 50


def test_no_budget_changes_nothing_the_client_sent():
    request = facts()
    plan = fit_output(request, [priced(request)], None)
    assert isinstance(plan, HoldPlan)
    assert plan.send_tokens == (None,)
    assert plan.amount_nanousd == 100 * 1_000 + 16_000 * 4_000


def test_a_budget_makes_the_default_cap_explicit():
    request = facts()
    plan = fit_output(request, [priced(request)], left(10**12))
    assert isinstance(plan, HoldPlan)
    assert plan.send_tokens == (16_000,)


def test_without_a_client_cap_it_is_halved_until_affordable():
    request = facts()
    plan = fit_output(request, [priced(request)], left(100_000 + 4_000 * 4_000))
    assert isinstance(plan, HoldPlan)
    assert plan.max_tokens == plan.send_tokens == (4_000,)
    assert plan.amount_nanousd == 100_000 + 4_000 * 4_000


def test_halving_ends_at_256_and_then_refuses_with_both_figures():
    request = facts()
    needed = 100_000 + 256 * 4_000
    assert fit_output(request, [priced(request)], left(needed)).max_tokens == (256,)  # type: ignore[union-attr]
    refusal = fit_output(request, [priced(request)], left(needed - 1))
    assert isinstance(refusal, Refusal)
    assert (refusal.needed_nanousd, refusal.left_nanousd, refusal.scope) == (needed, needed - 1, "key:ci")


def test_a_clients_own_cap_is_never_shrunk():
    request = facts(max_tokens=1_000)
    refusal = fit_output(request, [priced(request)], left(100_000 + 999 * 4_000))
    assert isinstance(refusal, Refusal)
    assert refusal.needed_nanousd == 100_000 + 1_000 * 4_000
    plan = fit_output(request, [priced(request)], left(100_000 + 1_000 * 4_000))
    assert isinstance(plan, HoldPlan)
    assert plan.send_tokens == (1_000,)


def test_thinking_beside_the_cap_is_held_for_every_choice():
    request = facts(max_tokens=10, n=2)
    plan = fit_output(request, [priced(request, input_tokens=0, thinking_tokens=90)], left(10**9))
    assert isinstance(plan, HoldPlan)
    assert plan.amount_nanousd == 2 * 100 * 4_000


def test_expected_mode_holds_what_is_likely_and_sends_the_clients_cap():
    request = facts(max_tokens=32_000)
    plan = fit_output(request, [priced(request, input_tokens=0, mode="expected")], left(10**9))
    assert isinstance(plan, HoldPlan)
    assert plan.amount_nanousd == 16_000 * 4_000
    assert plan.max_tokens == (32_000,)


def test_the_hold_is_for_the_dearest_candidate():
    request = facts(max_tokens=100)
    dear = Rates(input=10_000_000, output=40_000_000)
    candidates = [priced(request), priced(request, rates=dear)]
    plan = fit_output(request, candidates, left(10**9))
    assert isinstance(plan, HoldPlan)
    assert plan.amount_nanousd == 10 * (100_000 + 100 * 4_000)
    refusal = fit_output(request, candidates, left(10**6))
    assert isinstance(refusal, Refusal)
    assert refusal.needed_nanousd == plan.amount_nanousd


def test_degrade_keeps_the_candidates_that_fit():
    request = facts(max_tokens=100)
    dear = Rates(input=10_000_000, output=40_000_000)
    candidates = [priced(request, rates=dear), priced(request)]
    plan = fit_output(request, candidates, left(10**6), degrade=True)
    assert isinstance(plan, HoldPlan)
    assert plan.candidates == (1,)
    assert plan.amount_nanousd == 500_000
    refusal = fit_output(request, candidates, left(499_999), degrade=True)
    assert isinstance(refusal, Refusal)
    assert refusal.needed_nanousd == 500_000


def test_without_a_price_a_candidate_is_left_out_where_a_budget_can_refuse():
    request = facts(max_tokens=100)
    unknown = priced(request, rates=None)
    plan = fit_output(request, [unknown, priced(request)], left(10**9))
    assert isinstance(plan, HoldPlan)
    assert plan.candidates == (1,)
    refusal = fit_output(request, [unknown], left(10**9))
    assert isinstance(refusal, Refusal)
    assert refusal.kind == "unpriceable"
    free_of_budgets = fit_output(request, [unknown, priced(request)], None)
    assert isinstance(free_of_budgets, HoldPlan)
    assert free_of_budgets.candidates == (0, 1)
    assert free_of_budgets.amount_nanousd is None


def test_a_free_model_is_served_when_nothing_is_left():
    request = facts()
    plan = fit_output(request, [priced(request, rates=None, free=True)], left(0))
    assert isinstance(plan, HoldPlan)
    assert plan.amount_nanousd == 0
    assert plan.max_tokens == (16_000,)


def test_max_cost_bounds_the_hold_and_drops_what_is_dearer():
    request = facts(max_tokens=100)
    dear = Rates(input=10_000_000, output=40_000_000)
    candidates = [priced(request, rates=dear), priced(request)]
    plan = fit_output(request, candidates, None, max_cost_nanousd=500_000)
    assert isinstance(plan, HoldPlan)
    assert plan.candidates == (1,)
    refusal = fit_output(request, candidates, left(10**9), max_cost_nanousd=400_000)
    assert isinstance(refusal, Refusal)
    assert (refusal.scope, refusal.needed_nanousd, refusal.left_nanousd) == ("max_cost_usd", 500_000, 400_000)
    assert fit_output(facts(), [priced(facts())], None, max_cost_nanousd=5 * 10**6).max_tokens == (1_000,)  # type: ignore[union-attr]


def test_embeddings_hold_their_input_and_send_no_cap():
    request = facts()
    plan = fit_output(request, [priced(request, cap=NO_OUTPUT, rates=Rates(input=1_000_000))], left(10**9))
    assert isinstance(plan, HoldPlan)
    assert plan.amount_nanousd == 100_000
    assert plan.send_tokens == (None,)


def test_expected_cost_uses_likely_tokens():
    assert expected_cost(facts(n=2), RATES, 100, 10) == 100 * 1_000 + 20 * 4_000
    assert expected_cost(facts(), Rates(input=1), 100, 10) is None


def test_expected_output_follows_recent_answers_within_the_cap():
    learned = FRESH
    for _ in range(300):
        learned = observe_output(learned, 400, 100)
    assert expected_output_tokens(learned, output_cap(facts(), None, None, None)) == pytest.approx(100, rel=0.02)
    assert expected_output_tokens(learned, output_cap(facts(max_tokens=20), None, None, None)) == 20
