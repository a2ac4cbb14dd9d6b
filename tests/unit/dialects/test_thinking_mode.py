"""Models that think as they see fit, told by their names."""

import pytest

from bascule.dialects.anthropic_messages.thinking_mode import thinks_adaptively


@pytest.mark.parametrize(
    "model",
    ["claude-opus-4-6", "claude-opus-4-8", "claude-sonnet-4.6", "anthropic/claude-opus-4.7", "claude-sonnet-5",
     "us.anthropic.claude-opus-4-8-v1:0", "claude-opus-5-20260701", "claude-opus-4-7@20260416", "claude-fable-5-1"],
)  # fmt: skip
def test_adaptive_models(model: str) -> None:
    assert thinks_adaptively(model)


@pytest.mark.parametrize(
    "model",
    ["claude-opus-4-5", "claude-opus-4-5-20251101", "claude-haiku-4-5-20251001", "claude-sonnet-4-20250514",
     "claude-3-7-sonnet-20250219", "claude-opus-4-1@20250805", "claude-instant-1", "MiniMax-M2", "claude-", "gpt-5-6",
     "claude", ""],
)  # fmt: skip
def test_models_that_think_within_a_budget_or_are_not_known(model: str) -> None:
    assert not thinks_adaptively(model)
