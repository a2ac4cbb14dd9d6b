"""The smallest output cap that a provider of this dialect takes."""

from bascule.dialects.base import Target
from bascule.model.errors import Refusal

LEAST_OUTPUT_TOKENS = 16
"""OpenAI answers any less with 400 `integer_below_min_value`. Clients of other dialects ask for 1 to see whether a
model is there at all."""


def refuse_less(target: Target) -> Refusal | None:
    """The engine raises what a client asked for; what is below the least here is what a key or a route allows."""
    if target.max_tokens is None or target.max_tokens >= LEAST_OUTPUT_TOKENS:
        return None
    return Refusal(
        kind="unsupported",
        message=f"this model's provider takes no output cap below {LEAST_OUTPUT_TOKENS} tokens, and the "
        "`max_output_tokens` of your key or of the route is below that; raise it, or choose another model",
        param="max_output_tokens",
    )
