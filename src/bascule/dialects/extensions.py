"""OpenRouter's extensions of a body: what of them goes on to a provider."""

from collections.abc import Collection

_DECIDED_HERE = frozenset({"models", "route"})
"""Fallbacks are resolved, priced and checked against the key here; sent on, OpenRouter would choose once more."""


def extensions_to_drop(given: Collection[str], quirks: frozenset[str]) -> list[str]:
    """Those of the extensions `given` that this provider must not see: all of them, but at OpenRouter itself."""
    if "openrouter" not in quirks:
        return list(given)
    return [name for name in given if name in _DECIDED_HERE]
