"""Usage as bad providers report it."""

from collections.abc import Callable
from typing import Any

from bascule.testing.script import UsageFault

_HUGE = 10**15


def spoil_usage(usage: dict[str, Any], fault: UsageFault | None) -> Any:
    """`usage` with each of its numbers spoilt, or None for `null`. Faults of place and number change nothing here."""
    if fault == "null":
        return None
    changes: dict[str, Callable[[int], Any]] = {
        "zero": lambda count: 0,
        "negative": lambda count: -count - 1,
        "strings": str,
        "huge": lambda count: count + _HUGE,
    }
    return usage if fault not in changes else _each_number(usage, changes[fault])


def _each_number(value: Any, change: Callable[[int], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _each_number(inner, change) for key, inner in value.items()}
    return change(value) if isinstance(value, int) else value
