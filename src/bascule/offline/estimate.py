"""What volumes or requests will cost before any of them is sent. Pure.

Volumes are multiplied exactly. Requests are estimated: input tokens from the bytes of their text by the ratio that
live calibration starts from, output tokens by a length that is assumed and can be given; each request also has its
most, at its output cap.
"""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from bascule.decide.calibration import ASSUMED_TOKENS_PER_BYTE, Calibration, input_tokens, mean_output_tokens
from bascule.decide.estimate import EXPECTED_IMAGE_TOKENS, expected_cost, hold_amount, output_cap
from bascule.decide.price import dearest_rates, rates_for
from bascule.model.money import PriceTimeline
from bascule.offline.amounts import tokens_times_price
from bascule.offline.bodies import Asked

_UNKNOWN = Calibration()
ASSUMED_OUTPUT_TOKENS = mean_output_tokens(_UNKNOWN)

METHOD = (
    f"input: {ASSUMED_TOKENS_PER_BYTE} tokens per byte of text, {EXPECTED_IMAGE_TOKENS} per image; "
    "output: {output} tokens per choice or the request's cap, if less; nothing is taken to be cached; "
    "at most: one token per byte of text and the answer at its cap, at the dearest rates"
)


class VolumeLine(Struct, frozen=True):
    bucket: str
    tokens: int
    usd_per_mtok: Decimal
    usd: Decimal


def bill_volumes(volumes: Sequence[tuple[str, int, Decimal]]) -> tuple[tuple[VolumeLine, ...], Decimal]:
    """(bucket, tokens, USD per million) to lines and their sum: exact decimals, nothing rounded."""
    lines = tuple(
        [VolumeLine(name, tokens, price, tokens_times_price(tokens, price)) for name, tokens, price in volumes]
    )
    return lines, sum([line.usd for line in lines], Decimal(0))


class RequestEstimate(Struct, frozen=True, kw_only=True):
    """One request. Money in nano-USD; None where no price is known."""

    tokens_in: int
    tokens_out: int
    """Of all its choices."""
    cost_nanousd: int | None
    most_tokens_out: int
    most_nanousd: int | None


def estimate_request(
    asked: Asked, prices: PriceTimeline | None, ts_ms: int, *, max_output: int | None, output_tokens: int | None = None
) -> RequestEstimate:
    """`output_tokens`: how long an answer is taken to be; None: the assumed length. See `METHOD`."""
    facts = asked.facts
    tokens_in = round(input_tokens(_UNKNOWN, facts.text_bytes)) + len(facts.images) * EXPECTED_IMAGE_TOKENS
    embeds = asked.dialect == "openai_embeddings"
    cap = 0 if embeds else output_cap(facts, None, None, max_output).tokens
    each = min(cap, ASSUMED_OUTPUT_TOKENS if output_tokens is None else output_tokens)
    cost = most = None
    if prices is not None:
        rates = rates_for(prices, ts_ms, input_tokens=tokens_in, service_tier=facts.service_tier)
        cost = None if rates is None else expected_cost(facts, rates, tokens_in, each)
        bound_in = facts.text_bytes + len(facts.images) * EXPECTED_IMAGE_TOKENS
        dearest = dearest_rates(prices, ts_ms, bound_in)
        most = None if dearest is None else hold_amount(bound_in, cap, facts.n, dearest, images=bool(facts.images))
    return RequestEstimate(
        tokens_in=tokens_in,
        tokens_out=each * facts.n,
        cost_nanousd=cost,
        most_tokens_out=cap * facts.n,
        most_nanousd=most,
    )
