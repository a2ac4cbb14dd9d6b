"""The quality-by-cost matrix: how good an answer must be, by the work's kind and by what the operator prefers. Pure.

Rows are how much hangs on the answer, columns the presets; a cell names one of `quality_levels`. Work that is not
recognised is treated as the most demanding, for in doubt the dearer model answers.
"""

from collections.abc import Mapping
from typing import Literal

from bascule.model.policy import Objective, Preset

Need = Literal["plain", "skilled", "critical"]

NEED_OF: dict[str, Need] = {
    **dict.fromkeys(("classification", "extraction", "summarization", "translation", "chat", "tool_step"), "plain"),
    **dict.fromkeys(("question_answering", "writing", "code_edit", "analysis"), "skilled"),
    **dict.fromkeys(("code_generation", "reasoning", "math", "security_audit"), "critical"),
}
MATRIX: dict[Preset, dict[Need, str]] = {
    "cost": {"plain": "low", "skilled": "low", "critical": "medium"},
    "balanced": {"plain": "low", "skilled": "medium", "critical": "high"},
    "quality": {"plain": "medium", "skilled": "high", "critical": "high"},
}
OBJECTIVE_OF: dict[Preset, Objective] = {"cost": "cheapest", "balanced": "cheapest", "quality": "best"}


def floors_of(preset: Preset, levels: Mapping[str, float]) -> dict[str, float]:
    """Floors by task, `default` for a task that is unknown or none of ours. `levels` has `low`, `medium`, `high`."""
    column = MATRIX[preset]
    floors = {task: levels[column[need]] for task, need in NEED_OF.items()}
    return {**floors, "default": levels[column["critical"]]}
