"""Strict bounds of images by their pixels and of tools that the provider works with itself."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.bounds import (
    WEB_ROUNDS,
    image_bound_tokens,
    input_bound_tokens,
    sampling_rounds,
    thinking_bound_tokens,
    web_searches,
)
from bascule.decide.calibration import Calibration
from bascule.decide.estimate import Priced, fit_output, held_input_tokens, held_thinking_tokens, output_cap
from bascule.model.catalog import BoundFacts
from bascule.model.errors import Refusal
from bascule.model.facts import Facts, ImageFact, WebTool
from bascule.model.money import Rates
from bascule.providers.spec import ANTHROPIC_BOUNDS, OPENAI_BOUNDS

SIDES = st.integers(1, 8_000)
SEARCH, FETCH = WebTool("web_search", 2), WebTool("web_fetch", 3)


def facts(**fields) -> Facts:
    return Facts(**{"model": "m", "text_bytes": 100, "messages": 1, **fields})


def image(width: int, height: int, detail: str | None = None) -> ImageFact:
    return ImageFact("base64", 1_000, width, height, detail)


def anthropic_tokens(width: int, height: int, most_side: int, most_tokens: int) -> int:
    """As the documentation tells it: the largest size of the same shape that fits, in patches of 28 pixels."""
    scale = min(1.0, most_side / max(width, height))
    while True:
        across, down = max(1, int(width * scale)), max(1, int(height * scale))
        tokens = ceil(across / 28) * ceil(down / 28)
        if tokens <= most_tokens:
            return tokens
        scale *= 0.99


def anthropic_tokens_of_old(width: int, height: int) -> int:
    scale = min(1.0, 1_568 / max(width, height))
    return min(1_600, ceil(width * scale * height * scale / 750))


def openai_tiles(width: int, height: int, base: int, per_tile: int) -> int:
    scale = min(1.0, 2_048 / max(width, height))
    across, down = width * scale, height * scale
    scale = min(1.0, 768 / min(across, down))
    across, down = across * scale, down * scale
    return base + per_tile * ceil(across / 512) * ceil(down / 512)


def openai_patches(width: int, height: int, budget: int, multiplier: float) -> int:
    return ceil(min(budget, ceil(width / 32) * ceil(height / 32)) * multiplier)


@given(SIDES, SIDES)
def test_an_image_never_costs_more_at_anthropic(width: int, height: int) -> None:
    bound = image_bound_tokens(image(width, height), ANTHROPIC_BOUNDS)
    assert bound >= anthropic_tokens(width, height, 2_576, 4_784)
    assert bound >= anthropic_tokens(width, height, 1_568, 1_568)
    assert bound >= anthropic_tokens_of_old(width, height)
    assert bound <= ANTHROPIC_BOUNDS.tokens_per_image


@given(SIDES, SIDES)
def test_an_image_never_costs_more_at_openai(width: int, height: int) -> None:
    bound = image_bound_tokens(image(width, height), OPENAI_BOUNDS)
    for base, per_tile in ((85, 170), (75, 150), (70, 140), (65, 129), (2_833, 5_667)):
        assert bound >= openai_tiles(width, height, base, per_tile)
        assert image_bound_tokens(image(width, height, "low"), OPENAI_BOUNDS) >= base
    for budget, multiplier in ((1_536, 1.62), (1_536, 2.46), (1_536, 1.72), (2_500, 1.2), (10_000, 2.46)):
        assert bound >= openai_patches(width, height, budget, multiplier)
    assert bound <= OPENAI_BOUNDS.tokens_per_image


@pytest.mark.parametrize(
    ("width", "height", "anthropic", "openai"),
    [
        (200, 200, 64, 2_833 + 5_667),
        (1_000, 1_000, 1_334, 2_833 + 4 * 5_667),
        (1_092, 1_092, 1_590, 2_833 + 4 * 5_667),
        (8_000, 8_000, 6_000, 2_833 + 4 * 5_667),
        (1, 4_000, 143, 2_833 + 5 * 5_667),
    ],
)
def test_worked_examples(width: int, height: int, anthropic: int, openai: int) -> None:
    assert image_bound_tokens(image(width, height), ANTHROPIC_BOUNDS) == anthropic
    assert image_bound_tokens(image(width, height), OPENAI_BOUNDS) == openai


def test_without_a_rule_or_a_size_an_image_costs_the_providers_maximum() -> None:
    for unread in (ImageFact("base64", 9), ImageFact("base64", 9, 100, None)):
        assert image_bound_tokens(unread, ANTHROPIC_BOUNDS) == 6_000
        assert image_bound_tokens(unread, OPENAI_BOUNDS) == 50_000
    assert image_bound_tokens(image(10, 10), BoundFacts(tokens_per_image=123)) == 123
    two = facts(images=(image(200, 200), ImageFact("base64", 9)))
    assert input_bound_tokens(two, ANTHROPIC_BOUNDS) == 100 + 64 + 16 + 64 + 6_000


def test_a_tool_whose_prompt_the_provider_writes_costs_a_constant() -> None:
    bounds = BoundFacts()
    plain = input_bound_tokens(facts(tools=2), bounds)
    assert input_bound_tokens(facts(tools=2, vendor_tools=2), bounds) == plain + 2 * bounds.per_vendor_tool_tokens


@pytest.mark.parametrize(
    ("tools", "bounds", "words"),
    [
        ((WebTool("web_search"),), ANTHROPIC_BOUNDS, ("web_search", "Give the tool `max_uses`")),
        ((SEARCH, WebTool("web_fetch")), ANTHROPIC_BOUNDS, ("web_fetch", "Give the tool `max_uses`")),
        ((SEARCH,), BoundFacts(), ("web_search", "not how many tokens", "context window is not known")),
    ],
)
def test_web_tools_without_a_bound_say_why_and_what_to_do(tools, bounds, words) -> None:
    refusal = input_bound_tokens(facts(tools=len(tools), web_tools=tools), bounds)
    assert isinstance(refusal, Refusal)
    assert (refusal.kind, refusal.param) == ("unpriceable", words[0])
    assert all(word in refusal.message for word in (*words, "mode: expected"))


def test_a_limited_web_tool_is_bounded_by_what_the_model_can_read_in_every_round() -> None:
    request = facts(tools=2, web_tools=(SEARCH, FETCH))
    assert sampling_rounds(request) == WEB_ROUNDS
    assert sampling_rounds(facts(web_tools=(WebTool("web_search", 40),))) == 41
    assert sampling_rounds(facts()) == 1
    assert web_searches(request) == 2
    assert input_bound_tokens(request, ANTHROPIC_BOUNDS) == WEB_ROUNDS * 1_000_000
    assert input_bound_tokens(request, ANTHROPIC_BOUNDS, 200_000) == WEB_ROUNDS * 200_000
    assert held_input_tokens(request, ANTHROPIC_BOUNDS, Calibration(), "strict", 200_000) == WEB_ROUNDS * 200_000
    assert held_input_tokens(request, ANTHROPIC_BOUNDS, Calibration(), "expected") < 100


def test_a_place_without_a_price_has_no_hold() -> None:
    rates = Rates(input=1_000, output=4_000)
    for geo, known in (("us", True), ("global", True), (None, True), ("eu", False)):
        request = facts(inference_geo=geo, max_tokens=10)
        cap = output_cap(request, None, None, None)
        plan = fit_output(request, [Priced(input_tokens=5, rates=rates, cap=cap)], None)
        assert not isinstance(plan, Refusal)
        assert (plan.amount_nanousd is not None) is known


def test_the_hold_of_a_web_tool_counts_every_round_and_every_search() -> None:
    request = facts(tools=1, web_tools=(SEARCH,), max_tokens=1_000)
    cap = output_cap(request, None, None, None)
    rates = Rates(input=1_000, output=4_000, web_search_fee=10_000_000)

    def held(mode, rates=rates):
        plan = fit_output(request, [Priced(input_tokens=500, rates=rates, cap=cap, mode=mode)], None)
        assert not isinstance(plan, Refusal)
        return plan.amount_nanousd

    assert held("strict") == 500 + WEB_ROUNDS * 1_000 * 4 + 2 * 10_000
    assert held("expected") == 500 + 1_000 * 4 + 2 * 10_000
    feeless = Rates(input=1_000, output=4_000)
    assert held("strict", feeless) is None  # unknown, and so refused where a budget applies
    assert held("expected", feeless) == 500 + 1_000 * 4


BESIDE = BoundFacts(thinks_beside_cap=True)


@pytest.mark.parametrize(
    ("asked", "bounds", "tokens"),
    [
        ({}, BoundFacts(), 0),
        ({"thinking": "off"}, BESIDE, 0),
        ({"thinking_tokens": 300}, BoundFacts(), 300),
        ({"thinking": "on", "thinking_tokens": 300}, BESIDE, 300),
        ({"thinking": "on"}, BoundFacts(), 131_072),
        ({}, BESIDE, 131_072),
    ],
)
def test_thinking_beside_the_cap_is_bounded_by_its_budget_or_the_context(asked, bounds, tokens) -> None:
    assert thinking_bound_tokens(facts(**asked), bounds, 131_072) == tokens
    assert held_thinking_tokens(facts(**asked), bounds, "strict", 131_072) == tokens
    assert held_thinking_tokens(facts(**asked), bounds, "expected", 131_072) == asked.get("thinking_tokens", 0)


@pytest.mark.parametrize(("asked", "bounds"), [({"thinking": "on"}, BoundFacts()), ({}, BESIDE)])
def test_thinking_without_a_bound_is_refused_with_what_to_send(asked, bounds) -> None:
    refusal = thinking_bound_tokens(facts(**asked), bounds)
    assert isinstance(refusal, Refusal)
    assert (refusal.kind, refusal.param) == ("unpriceable", "thinking_budget")
    assert "end `thinking_budget` or `enable_thinking: false`" in refusal.message
