"""How many tokens a model may think where its vendor wants a number: of the effort asked for, within the output cap."""

from bascule.model.request import Reasoning

MIN_THINKING_TOKENS = 1_024
"""Anthropic's least."""
_BUDGET_SHARE = {"low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.9, "max": 0.95}


def thinking_budget(wanted: Reasoning, cap: int, least: int = MIN_THINKING_TOKENS) -> int | None:
    """The client's own budget, else the effort's share of the output `cap`; None where less than `least` fits in."""
    budget = wanted.budget_tokens or int(cap * _BUDGET_SHARE.get(wanted.effort or "medium", 0.0))
    budget = min(max(budget, least), cap - 1)
    return budget if budget >= least else None
