"""What Gemini's generations take, read from the model's name: the API refuses some fields by generation.

Thinking: up to 2.5 a budget in tokens, from 3 on a level, and a level is an error before (ai.google.dev, Thinking).
A budget outside of the model's range is an error too, and thoughts count within `maxOutputTokens`.
Calls without a signature are refused from 3 on (Thought signatures). A schema beside tools (Structured output), and
images inside a function's response (Function calling), are taken from 3 on.
"""

import re
from typing import Any

from msgspec.structs import replace

from bascule.dialects.thinking_budget import thinking_budget
from bascule.model.request import Reasoning

_GENERATION = re.compile(r"\b(?:gemini|gemma)-(\d+)")
_BUDGETS = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 24_576, "max": 24_576}
"""Those of Google's own OpenAI-compatible endpoint (ai.google.dev/gemini-api/docs/openai)."""
_OF_PRO, _OF_FLASH_LITE, _OF_FLASH = (128, 32_768), (512, 24_576), (1, 24_576)
"""The least and the most that a model takes as its budget (ai.google.dev/gemini-api/docs/thinking); all but Pro take 0
too."""
_LOW, _MEDIUM = 2_048, 8_192


def is_older(upstream_model: str) -> bool:
    """Before Gemini 3. A name that tells no generation is of a new one."""
    found = _GENERATION.search(upstream_model)
    return found is not None and int(found[1]) < 3


def thinking_config(wanted: Reasoning | None, upstream_model: str, cap: int | None) -> dict[str, Any] | None:
    """`thinkingConfig` within an output cap in tokens; None leaves it to the model."""
    if wanted is None or (wanted.enabled is None and wanted.effort is None and wanted.budget_tokens is None):
        return None
    is_off = wanted.enabled is False or wanted.effort == "none"
    if is_older(upstream_model):
        return _budget_config(None if is_off else wanted, upstream_model, cap)
    least = "LOW" if _is_pro(upstream_model) else "MINIMAL"
    if is_off:
        return {"thinkingLevel": least}
    level = _level(wanted)
    if level == "MINIMAL":
        level = least
    return {"includeThoughts": True} if level is None else {"thinkingLevel": level, "includeThoughts": True}


def _is_pro(upstream_model: str) -> bool:
    """By the name's end: the folders before it may be of a `-project`."""
    return "-pro" in upstream_model.rpartition("/")[2]


def _budget_config(wanted: Reasoning | None, upstream_model: str, cap: int | None) -> dict[str, Any]:
    """The same before Gemini 3. None is as little as the model can do with."""
    is_pro = _is_pro(upstream_model)
    least, most = _OF_PRO if is_pro else _OF_FLASH_LITE if "flash-lite" in upstream_model else _OF_FLASH
    if wanted is not None:
        asked = wanted.budget_tokens or (None if wanted.effort is None else _BUDGETS[wanted.effort])
        if asked is None:
            return {"includeThoughts": True}
        room = asked if cap is None else _room(wanted, cap, least)
        if room is not None:
            return {"thinkingBudget": max(min(asked, room, most), least), "includeThoughts": True}
    return {"thinkingBudget": least if is_pro else 0}  # Pro cannot do without


def _room(wanted: Reasoning, cap: int, least: int) -> int | None:
    """How much of the output may be thoughts, in tokens; None where less than the `least` would fit in."""
    return thinking_budget(replace(wanted, effort="low") if wanted.effort == "minimal" else wanted, cap, least)


def _level(wanted: Reasoning) -> str | None:
    if wanted.effort is not None:
        return "HIGH" if wanted.effort in ("xhigh", "max") else wanted.effort.upper()
    if wanted.budget_tokens is None:
        return None
    return "LOW" if wanted.budget_tokens <= _LOW else "MEDIUM" if wanted.budget_tokens <= _MEDIUM else "HIGH"
