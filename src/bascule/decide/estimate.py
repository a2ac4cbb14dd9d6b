"""What a request may cost before it is sent: bounds of its tokens, the hold, and what is to be expected.

INTERFACE, "Bounds" and "Hold". Strict input is a sound upper bound, see `decide.bounds`; expected input is the 95th
percentile of an estimate calibrated per model.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from typing import overload

from msgspec import Struct
from msgspec.structs import replace

from bascule.decide.bounds import input_bound_tokens, sampling_rounds, thinking_bound_tokens, web_searches
from bascule.decide.budget import over_budget, unpriced
from bascule.decide.calibration import Calibration, input_tokens, mean_output_tokens
from bascule.decide.price import bound_nanousd, is_known_place
from bascule.model.budget import BudgetState
from bascule.model.catalog import BoundFacts
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.money import Rates, round_nanousd, usd_text
from bascule.model.policy import BudgetMode

DEFAULT_OUTPUT_TOKENS = 16_000
LEAST_OUTPUT_TOKENS = 256
EXPECTED_IMAGE_TOKENS = 1_600
"""A full-size image at (width x height) / 750 tokens, 1.2 megapixels: Anthropic's published rule, the dearer of the
common ones; for estimates only, never for strict bounds."""


class OutputCap(Struct, frozen=True, kw_only=True):
    """How long an answer may become, per choice."""

    tokens: int
    """The cap to send and, in strict mode, to hold."""
    expected_tokens: int
    """What `expected` and `warn` hold: at most `tokens`."""
    from_client: bool
    """The client gave a cap, so it is not halved to fit a budget."""
    policy_tokens: int | None = None
    """What a key, a route or the target demands instead of the client's wish: to be sent even where no budget
    applies."""


NO_OUTPUT = OutputCap(tokens=0, expected_tokens=0, from_client=True)
"""Of surfaces that generate nothing: embeddings, token counts."""


class Priced(Struct, frozen=True, kw_only=True):
    """One candidate as the hold sees it."""

    input_tokens: int
    """From `held_input_tokens`."""
    rates: Rates | None
    """From `price.dearest_rates` for those input tokens; None is unknown."""
    cap: OutputCap
    thinking_tokens: int = 0
    """From `held_thinking_tokens`: per choice, beside the cap."""
    mode: BudgetMode | None = "strict"
    """From `budget.hold_mode`."""
    free: bool = False
    """Declared to cost nothing."""
    name: str | None = None
    """As a refusal names it."""


class HoldPlan(Struct, frozen=True, kw_only=True):
    """What to hold before an attempt, and which candidates it covers."""

    amount_nanousd: int | None
    """The dearest of the candidates; None where a price is unknown and no budget can refuse."""
    candidates: tuple[int, ...]
    """Positions in the sequence that was asked about; those left out do not fit or have no price."""
    max_tokens: tuple[int, ...]
    """The output cap of each of `candidates`, per choice, as held."""
    send_tokens: tuple[int | None, ...]
    """The cap that each of `candidates` must be sent; None leaves the client's own, whatever that is."""


def expected_input_tokens(facts: Facts, calibration: Calibration) -> int:
    """The 95th percentile of what this request's input may be, by what the model's own usage has taught."""
    text = ceil(input_tokens(calibration, facts.text_bytes) * calibration.upper)
    return text + len(facts.images) * EXPECTED_IMAGE_TOKENS if facts.images else text


def held_input_tokens(
    facts: Facts,
    bounds: BoundFacts,
    calibration: Calibration,
    mode: BudgetMode | None,
    context_window: int | None = None,
) -> int | Refusal:
    """The input tokens that a hold of this mode counts. Refused only where the mode is strict and a bound is not."""
    bound = input_bound_tokens(facts, bounds, context_window)
    if mode == "strict":
        return bound
    expected = expected_input_tokens(facts, calibration)
    return expected if isinstance(bound, Refusal) else min(expected, bound)


def held_thinking_tokens(
    facts: Facts, bounds: BoundFacts, mode: BudgetMode | None, context_window: int | None = None
) -> int | Refusal:
    """Output tokens beside the cap that a hold of this mode counts. Refused only where it is strict and has no bound.

    Where the mode is another, only a budget that the client states: what answers usually cost tells of the rest.
    """
    if mode == "strict":
        return thinking_bound_tokens(facts, bounds, context_window)
    return max(0, facts.thinking_tokens or 0)


def output_cap(
    facts: Facts,
    key_cap: int | None,
    route_cap: int | None,
    model_max: int | None,
    history_p99: int | None = None,
    default: int = DEFAULT_OUTPUT_TOKENS,
    *,
    least: int = 1,
) -> OutputCap:
    """min(client, key, route, model); where the client gave none, the p99 of history or the default stands in.

    A client's own cap is lowered by policy and by what the model can do, never by history or by a budget. `least` is
    what the target takes at least: less is raised to it and held so, unless a key or a route allows no more. That is
    then sent as it is, and the codec refuses it.
    """
    likely = default if history_p99 is None else history_p99
    return _output_cap(facts.max_tokens, key_cap, route_cap, model_max, likely, least)


@lru_cache(maxsize=4096)
def _output_cap(
    wished: int | None, key_cap: int | None, route_cap: int | None, model_max: int | None, likely: int, least: int
) -> OutputCap:
    """Asked twice per candidate, of few different numbers."""
    policy = _least(key_cap, route_cap)
    allowed = _least(likely if wished is None else wished, _least(policy, model_max))
    demanded = None if policy is None or (wished is not None and wished <= policy) else _least(policy, model_max)
    if policy is not None and policy < least:
        demanded = allowed
    elif allowed < least:
        if demanded is not None or (wished is not None and wished < least):
            demanded = max(least, demanded or 0)
        allowed = least
    return OutputCap(
        tokens=allowed,
        expected_tokens=min(allowed, likely),
        from_client=wished is not None,
        policy_tokens=demanded,
    )


def hold_amount(
    input_tokens: int,
    out_tokens: int,
    n: int,
    rates: Rates,
    *,
    fees_nanousd: int = 0,
    images: bool = False,
    searches: int = 0,
) -> int | None:
    """Nano-USD, rounded up, of a call with this much input and `n` answers of `out_tokens` at the dearest rates.

    `rates` come from `price.dearest_rates`, whose `input` already covers cache classes and whose `output` covers
    reasoning; images may have a dearer class of their own. None where a rate that matters is unknown.
    """
    if images and rates.input is not None and rates.image_in is not None and rates.image_in > rates.input:
        rates = replace(rates, input=rates.image_in)
    amount = bound_nanousd(rates, input_tokens=input_tokens, output_tokens=out_tokens * n, web_searches=searches)
    return None if amount is None else amount + fees_nanousd


def fit_output(
    facts: Facts,
    candidates: Sequence[Priced],
    tight: BudgetState | None,
    *,
    max_cost_nanousd: int | None = None,
    degrade: bool = False,
) -> HoldPlan | Refusal:
    """The hold for an attempt that any of `candidates` may serve: the dearest of them, each cut to fit.

    `tight` is `budget.tightest` of what applies. Where the client gave no output cap it is halved until affordable,
    not below 256. A candidate that does not fit what is left is a refusal with both figures, or with `degrade` is
    left out; one above `max_cost_nanousd` or without a price (where a budget can refuse) is left out. None left: a
    Refusal. Before a further attempt, ask again with that candidate alone.
    """
    left = None if tight is None else max(0, tight.left_nanousd)
    limit = _least(left, max_cost_nanousd)
    kept: list[int] = []
    caps: list[int] = []
    sent: list[int | None] = []
    short: list[tuple[int, str | None]] = []
    too_dear: list[int] = []
    dearest, unknown = 0, False
    for position, priced in enumerate(candidates):
        amount, tokens = _fit(facts, priced, limit)
        if amount is None:
            if limit is not None:
                continue
            unknown = True
        elif amount and max_cost_nanousd is not None and amount > max_cost_nanousd:
            too_dear.append(amount)
            continue
        elif amount and left is not None and amount > left:
            short.append((amount, priced.name))
            continue
        elif amount > dearest:
            dearest = amount
        kept.append(position)
        caps.append(tokens)
        sent.append(_to_send(priced.cap, tokens, limit is not None))
    if tight is not None and short and not (degrade and kept):
        needed, name = min(short, key=_amount_of) if degrade else max(short, key=_amount_of)
        return over_budget(tight.scope, tight.window_id, needed, tight.left_nanousd, held_for=name if kept else None)
    if not kept:
        return _none_fits(tight, max_cost_nanousd, too_dear)
    return HoldPlan(
        amount_nanousd=None if unknown else dearest,
        candidates=tuple(kept),
        max_tokens=tuple(caps),
        send_tokens=tuple(sent),
    )


class Asked(Struct, frozen=True, kw_only=True):
    """One of several calls that are planned for a request, as their hold sees it."""

    facts: Facts
    candidates: tuple[Priced, ...]
    times: int = 1
    """How often it is made at most."""


def fit_calls(
    calls: Sequence[Asked], tight: BudgetState | None, *, max_cost_nanousd: int | None = None
) -> tuple[HoldPlan, ...] | Refusal:
    """The holds of all calls that a strategy plans, which together fit what is left: all of them, or a Refusal.

    INTERFACE, "Hold": strategies that plan several calls hold their sum. Where the client gave no output cap, those of
    all calls are halved together until the sum is affordable, none below 256. Within a call the dearest candidate is
    held; those without a price are left out where a budget can refuse. `max_cost_nanousd` bounds the sum.
    """
    left = None if tight is None else max(0, tight.left_nanousd)
    limit = _least(left, max_cost_nanousd)
    halvings = 0
    while True:
        plans = [_at(call, halvings, bounded=limit is not None) for call in calls]
        if any(not plan.candidates for plan in plans):
            return _none_fits(tight, max_cost_nanousd, [])
        amounts = [plan.amount_nanousd for plan in plans]
        known = [amount * call.times for amount, call in zip(amounts, calls, strict=True) if amount is not None]
        total = sum(known)
        if limit is None or total <= limit:
            return tuple(plans)
        if not any(_can_shrink(priced.cap, halvings) for call in calls for priced in call.candidates):
            if max_cost_nanousd is not None and total > max_cost_nanousd:
                return _none_fits(tight, max_cost_nanousd, [total])
            assert tight is not None  # the limit is one of the two
            return over_budget(tight.scope, tight.window_id, total, tight.left_nanousd)
        halvings += 1


def _at(call: Asked, halvings: int, *, bounded: bool) -> HoldPlan:
    """A call whose outputs are cut so often; no candidates where none has a price and a budget minds."""
    kept: list[int] = []
    caps: list[int] = []
    sent: list[int | None] = []
    dearest, unknown = 0, False
    for position, priced in enumerate(call.candidates):
        tokens = _halved(priced.cap, halvings)
        amount = _amount(call.facts, priced, tokens)
        if amount is None and bounded:
            continue
        unknown = unknown or amount is None
        dearest = max(dearest, amount or 0)
        kept.append(position)
        caps.append(tokens)
        sent.append(_to_send(priced.cap, tokens, bounded))
    return HoldPlan(
        amount_nanousd=None if unknown else dearest,
        candidates=tuple(kept),
        max_tokens=tuple(caps),
        send_tokens=tuple(sent),
    )


def _halved(cap: OutputCap, halvings: int) -> int:
    if cap.from_client or cap.tokens <= LEAST_OUTPUT_TOKENS:
        return cap.tokens
    return max(LEAST_OUTPUT_TOKENS, cap.tokens >> halvings)


def _can_shrink(cap: OutputCap, halvings: int) -> bool:
    return _halved(cap, halvings + 1) < _halved(cap, halvings)


def _amount_of(one: tuple[int, str | None]) -> int:
    return one[0]


def expected_output_tokens(calibration: Calibration, cap: OutputCap) -> int:
    """An average recent answer of this model, per choice, within the cap."""
    return min(cap.tokens, mean_output_tokens(calibration))


def expected_cost(facts: Facts, rates: Rates, expected_in: int, expected_out: int) -> int | None:
    """Nano-USD that the request will probably cost at these rates, all input uncached; None where unknown."""
    output = expected_out * facts.n
    if rates.input is None or (output and rates.output is None):
        return None
    return round_nanousd(expected_in * rates.input + output * (rates.output or 0) + (rates.request_fee or 0))


def _fit(facts: Facts, priced: Priced, left: int | None) -> tuple[int | None, int]:
    """Amount and output cap of one candidate: halved as far as needed and allowed, whether or not that is enough."""
    cap = priced.cap
    tokens = cap.tokens
    while True:
        amount = _amount(facts, priced, tokens)
        if amount is None or left is None or amount <= left:
            return amount, tokens
        if cap.from_client or tokens <= LEAST_OUTPUT_TOKENS:
            return amount, tokens
        tokens = max(LEAST_OUTPUT_TOKENS, tokens // 2)


def _to_send(cap: OutputCap, tokens: int, bounded: bool) -> int | None:
    """What was held is said even where the client said the same: it may have used a field that the target ignores."""
    if cap is NO_OUTPUT:
        return None
    return tokens if bounded else cap.policy_tokens


def _amount(facts: Facts, priced: Priced, cap_tokens: int) -> int | None:
    if priced.free:
        return 0
    if priced.rates is None or (facts.inference_geo is not None and not is_known_place(facts.inference_geo)):
        return None
    tokens = cap_tokens if priced.mode == "strict" else min(cap_tokens, priced.cap.expected_tokens)
    tokens += priced.thinking_tokens
    if facts.prediction_bytes:
        # Never more tokens than bytes; four bytes a token is what providers publish as usual.
        tokens += facts.prediction_bytes if priced.mode == "strict" else -(-facts.prediction_bytes // 4)
    if not facts.images and not facts.web_tools:
        return bound_nanousd(priced.rates, input_tokens=priced.input_tokens, output_tokens=tokens * facts.n)
    searches = web_searches(facts)
    if priced.mode == "strict":
        tokens *= sampling_rounds(facts)
    elif priced.rates.web_search_fee is None:
        searches = 0  # an unknown fee is refused where the hold has to be a bound
    return hold_amount(priced.input_tokens, tokens, facts.n, priced.rates, images=facts.has_image, searches=searches)


@overload
def _least(one: int, other: int | None) -> int: ...
@overload
def _least(one: int | None, other: int | None) -> int | None: ...
def _least(one: int | None, other: int | None) -> int | None:
    """The smaller limit; None is no limit."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


MAX_COST = "max_cost_usd"
"""In the place of a scope, where the request's own bound refuses it."""


def _none_fits(tight: BudgetState | None, max_cost_nanousd: int | None, too_dear: list[int]) -> Refusal:
    if not too_dear or max_cost_nanousd is None:
        return unpriced(None if tight is None else tight.scope, None if tight is None else tight.left_nanousd)
    needed = min(too_dear)
    return Refusal(
        kind="budget_exhausted",
        message=(
            f"This request may cost up to ${usd_text(needed)}, above its max_cost_usd of ${usd_text(max_cost_nanousd)}."
            " Ask for fewer output tokens or a cheaper model, or raise max_cost_usd."
        ),
        code="insufficient_quota",
        needed_nanousd=needed,
        left_nanousd=max_cost_nanousd,
        scope=MAX_COST,
    )
