"""What Gemini's generations take, read from the model's name: the API refuses some fields by generation.

Thinking: up to 2.5 a budget in tokens, from 3 on a level, and a level is an error before (ai.google.dev, Thinking).
Calls without a signature are refused from 3 on (Thought signatures). A schema beside tools (Structured output), and
images inside a function's response (Function calling), are taken from 3 on.
"""

import re
from typing import Any

from bascule.model.request import Reasoning

_GENERATION = re.compile(r"\b(?:gemini|gemma)-(\d+)")
_BUDGETS = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 24_576, "max": 24_576}
"""Those of Google's own OpenAI-compatible endpoint (ai.google.dev/gemini-api/docs/openai)."""
_LOW, _MEDIUM = 2_048, 8_192


def is_older(upstream_model: str) -> bool:
    """Before Gemini 3. A name that tells no generation is of a new one."""
    found = _GENERATION.search(upstream_model)
    return found is not None and int(found[1]) < 3


def thinking_config(wanted: Reasoning | None, upstream_model: str) -> dict[str, Any] | None:
    """`thinkingConfig`; None leaves it to the model."""
    if wanted is None or (wanted.enabled is None and wanted.effort is None and wanted.budget_tokens is None):
        return None
    is_off = wanted.enabled is False or wanted.effort == "none"
    if is_older(upstream_model):
        if is_off:
            # 2.5 Pro cannot do without: 128 is the least that it takes.
            return {"thinkingBudget": 128 if "pro" in upstream_model else 0}
        budget = wanted.budget_tokens or (None if wanted.effort is None else _BUDGETS[wanted.effort])
        return {"includeThoughts": True} if budget is None else {"thinkingBudget": budget, "includeThoughts": True}
    least = "LOW" if "pro" in upstream_model else "MINIMAL"
    if is_off:
        return {"thinkingLevel": least}
    level = _level(wanted)
    if level == "MINIMAL":
        level = least
    return {"includeThoughts": True} if level is None else {"thinkingLevel": level, "includeThoughts": True}


def _level(wanted: Reasoning) -> str | None:
    if wanted.effort is not None:
        return "HIGH" if wanted.effort in ("xhigh", "max") else wanted.effort.upper()
    if wanted.budget_tokens is None:
        return None
    return "LOW" if wanted.budget_tokens <= _LOW else "MEDIUM" if wanted.budget_tokens <= _MEDIUM else "HIGH"
