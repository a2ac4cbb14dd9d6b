"""How long answers have been, from the ledger: the middle and the 95th percentile."""

from collections.abc import Iterable

from msgspec import Struct

from bascule.model.row import AttemptRow
from bascule.offline.percentile import percentile

LEAST_ANSWERS = 20
"""Fewer answers than this say nothing about a 95th percentile."""


class Lengths(Struct, frozen=True):
    """Billed output tokens of one answer."""

    answers: int
    p50: int
    p95: int


def lengths_by_endpoint(rows: Iterable[AttemptRow]) -> dict[str, Lengths]:
    """By `provider/upstream-model`, where there are enough whole answers with reported usage."""
    seen: dict[str, list[int]] = {}
    for row in rows:
        if row.kind != "settle" or row.usage_source != "reported" or row.error_class is not None:
            continue
        if row.provider is not None and row.upstream_model is not None and row.tokens_out is not None:
            seen.setdefault(f"{row.provider}/{row.upstream_model}", []).append(
                row.tokens_out + (row.tokens_reasoning or 0)
            )
    found: dict[str, Lengths] = {}
    for endpoint, tokens in seen.items():
        tokens.sort()
        p50, p95 = percentile(tokens, 50), percentile(tokens, 95)
        if len(tokens) >= LEAST_ANSWERS and p50 is not None and p95 is not None:
            found[endpoint] = Lengths(len(tokens), p50, p95)
    return found
