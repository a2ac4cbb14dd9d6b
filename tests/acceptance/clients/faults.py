"""Clients that fail by themselves: what, and why. Each is proved at every run: it must fail in the same step when it is
pointed straight at a provider of its own dialect, without Bascule between."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fault:
    steps: frozenset[str]
    """Empty: the program ends before it tells anything."""
    reason: str


FAULTS: dict[str, Fault] = {}
