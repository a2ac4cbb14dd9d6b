"""Other names for routes and models: exact ones, and patterns such as `claude-*` for names that nobody could list."""

from collections.abc import Mapping
from typing import Literal, Self

from msgspec import Struct

Suffix = Literal["floor", "nitro"]

SUFFIXES: dict[str, Suffix] = {"floor": "floor", "nitro": "nitro"}
"""What may stand behind any name, after a colon."""
WILDCARD = "*"


class Aliases(Struct, frozen=True):
    """`bascule.yaml`'s aliases, ready to be asked."""

    exact: Mapping[str, str]
    patterns: tuple[tuple[str, str], ...]
    """Pattern and target, the most telling first."""

    @classmethod
    def of(cls, written: Mapping[str, str]) -> Self:
        """Among patterns the one with the most characters besides `*` wins, and of equals the first in the file."""
        exact = {alias: target for alias, target in written.items() if WILDCARD not in alias}
        patterns = [(alias, target) for alias, target in written.items() if WILDCARD in alias]
        patterns.sort(key=lambda pair: len(pair[0]) - pair[0].count(WILDCARD), reverse=True)
        return cls(exact, tuple(patterns))

    def target(self, name: str) -> str | None:
        """What `name` leads to; None where it is no alias.

        A pattern does not swallow a suffix: `claude-x:floor` is `claude-x`, asked for with `:floor`.
        """
        found = self.exact.get(name)
        if found is not None or not self.patterns or name.rpartition(":")[2] in SUFFIXES:
            return found
        return next((target for pattern, target in self.patterns if matches(pattern, name)), None)


def matches(pattern: str, name: str) -> bool:
    """Whether `name` is what `pattern` says, each `*` standing for any characters or none."""
    first, *rest = pattern.split(WILDCARD)
    if not rest:
        return name == pattern
    last = rest.pop()
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return False
    at, end = len(first), len(name) - len(last)
    for part in rest:
        at = name.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
