"""What the maker of a model on Bedrock allows in a request: Converse has one form, but not all of it for every model.

Read from the model's id or the id at an ARN's end. An application inference profile's ARN says nothing of the model
behind it: there the quirk `claude` says that it is one.
"""

from collections.abc import Set
from typing import Literal

Family = Literal["claude", "nova", "other"]
RESULTS_WITH_STATUS: frozenset[Family] = frozenset({"claude", "nova"})
"""Whose tool results may hold images and a status (docs.aws.amazon.com, API_runtime_ToolResultBlock)."""
CACHES: frozenset[Family] = frozenset({"claude", "nova"})
"""Who caches a prompt up to a cache point (docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html)."""


def family_of(upstream_model: str, quirks: Set[str]) -> Family:
    """The family of a model, at a provider with these quirks."""
    model = upstream_model.lower()
    if "claude" in quirks or "anthropic." in model:
        return "claude"
    return "nova" if "amazon.nova" in model else "other"
