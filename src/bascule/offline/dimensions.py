"""What spend can be broken down by: the names, what they mean, and which of them exist."""

from collections.abc import Iterable

from bascule.decide.market import COMMODITY_BELOW, PREMIUM_FROM, blended_rate, market_of

__all__ = ["MARKETS", "NAMES", "blended_rate", "dimension_names", "market_of"]

_USD_PER_MTOK = 1_000_000

MARKETS = {
    "commodity_below_usd_per_mtok": f"{COMMODITY_BELOW / _USD_PER_MTOK:.2f}",
    "premium_from_usd_per_mtok": f"{PREMIUM_FROM / _USD_PER_MTOK:.2f}",
    "blend": "three parts input, one part output, uncached",
}
"""What `market` means; between the two it is `mid`, and unknown where a price is."""

SMALL_INPUT = 2_000
SMALL_OUTPUT = 300
"""Tokens: what counts as small, see `size`."""

MEANINGS = {
    "model": "the name that it has here",
    "provider": "who served it",
    "upstream_model": "the model's name at the provider",
    "model_requested": "the name that the client asked for",
    "route": "the virtual model that decided",
    "market": "commodity, mid or premium, by the blended price of its tokens",
    "org": "organisation",
    "team": "team",
    "department": "the tag `department`, else the project's department",
    "project": "project",
    "user": "user",
    "key": "the key that was used",
    "session": "one run of an agent, or one conversation",
    "agent": "an agent within a session; none is the main one",
    "task": "the kind of work",
    "pr": "pull request",
    "branch": "branch",
    "outcome": "what became of the work, as `bascule outcomes` tells it; where nothing is known the tag `outcome`",
    "client": "the program that asked",
    "origin": "who recorded it: the gateway, or the source of an import",
    "role": "why the attempt was made: primary, retry, judge, …",
    "reason": "why this model",
    "cache": "none, exact or semantic",
    "dialect_in": "the API that the client spoke",
    "error_class": "how it failed",
    "size": f"small: at most {SMALL_INPUT:,} tokens in and {SMALL_OUTPUT:,} out and no tool call; else large",
    "answers": "yes where the answer was used: the attempt that served its request, and judges and verifiers",
    "priced": "yes where the cost is known",
    "hour": "UTC",
    "day": "UTC",
    "week": "ISO 8601, from Monday, UTC",
    "month": "UTC",
}
NAMES = (*MEANINGS, "tag:K")


def dimension_names(given: Iterable[str]) -> tuple[str, ...]:
    """The names, each once; commas separate too. Raises ValueError with all there are."""
    words = [word.strip() for name in given for word in _split(name)]
    found = tuple(dict.fromkeys([word for word in words if word]))
    for name in found:
        kind, colon, tag = name.partition(":")
        if name not in MEANINGS and not (kind == "tag" and colon and tag):
            raise ValueError(f"nothing is known by {name!r}; there are {', '.join(NAMES)}")
    return found


def _split(name: str) -> list[str]:
    """A tag's name may hold a comma, so such a name is one word."""
    return [name] if name.startswith("tag:") else name.split(",")
