"""Whether an endpoint may and can take a request: the hurdles before choosing, lowest first.

A candidate stops at its first obstacle. Where none is left, the obstacle of the one that came furthest says what
would have to change. What is not known is judged by what a mistake would cost: an unknown fact about data satisfies
no constraint, an unknown price no limit, but an unknown capability is left to the provider.
"""

from msgspec import Struct

from bascule.decide.circumstances import Circumstances
from bascule.decide.data_policy import violation
from bascule.decide.health import standing
from bascule.decide.tier import Tier, tier_of
from bascule.model.catalog import Endpoint, Modality, Model
from bascule.model.errors import Refusal, RefusalKind
from bascule.model.facts import Facts, Fetched
from bascule.model.money import Rates, usd_text
from bascule.model.policy import NO_DATA_POLICY, Ask, DataPolicy

# Order of hurdles: a candidate that stopped at a later one came further.
_CHOICE, _DATA, _CAPABILITY, _WINDOW, _RETIRED, _PRICE, _COST, _SHARE, _HEALTH = range(9)

BREAKER_OPEN = "failing now; its circuit breaker is open"


class Obstacle(Struct, frozen=True):
    """Why an endpoint cannot take a request."""

    stage: int
    kind: RefusalKind
    reason: str
    advisory: bool = False
    """A catalog fact that the provider may know better: where nothing else is left, the request goes there all the
    same. Only for models asked for by name, and for an output cap that is merely larger than the model's maximum."""
    needed_nanousd: int | None = None


class Needs(Struct, frozen=True, kw_only=True):
    """What one request needs of any endpoint. Made once per request and name asked for."""

    by_name: bool
    """A model asked for by its name rather than through a route."""
    abilities: bool = False
    """Anything of the next four: most requests need none of them."""
    modalities: tuple[Modality, ...] = ()
    tools: bool = False
    json_schema: bool = False
    reasoning: bool = False
    max_tokens: int | None = None
    est_input_tokens: int = 0
    policies: tuple[DataPolicy, ...] = ()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    """Filled only where nothing outside of it may be tried."""
    fetches: Fetched = "nothing"
    require_parameters: bool = False
    max_price_input: int | None = None
    max_price_output: int | None = None
    max_cost_nanousd: int | None = None
    tiers: tuple[Tier, ...] = ()
    """Only these; empty for all."""
    dear_spent: str | None = None
    """Why no dear model may be asked; None: one may."""


def needs_of(
    ask: Ask,
    facts: Facts,
    *,
    by_name: bool,
    est_input_tokens: int,
    data: DataPolicy = NO_DATA_POLICY,
    max_cost_nanousd: int | None = None,
    tiers: tuple[Tier, ...] = (),
    dear_spent: str | None = None,
) -> Needs:
    """`data` and `max_cost_nanousd` are the route's; the request can only tighten them, as both can the key's data."""
    modalities: tuple[Modality, ...] = ()
    if facts.images or facts.has_audio or facts.has_document:
        modalities = _modalities(facts)
    policies: tuple[DataPolicy, ...] = ()
    for policy in (ask.key_data, data, ask.data):
        if policy is not NO_DATA_POLICY:
            policies = (*policies, policy)
    if max_cost_nanousd is None:
        max_cost_nanousd = ask.max_cost_nanousd
    elif ask.max_cost_nanousd is not None:
        max_cost_nanousd = min(max_cost_nanousd, ask.max_cost_nanousd)
    return Needs(
        by_name=by_name,
        abilities=bool(modalities) or facts.tools > 0 or facts.has_json_schema or facts.has_reasoning,
        modalities=modalities,
        tools=facts.tools > 0,
        json_schema=facts.has_json_schema,
        reasoning=facts.has_reasoning,
        max_tokens=facts.max_tokens,
        est_input_tokens=est_input_tokens,
        policies=policies,
        only=ask.only,
        ignore=ask.ignore,
        order=() if ask.allow_fallbacks else ask.order,
        fetches=facts.fetches,
        require_parameters=ask.require_parameters,
        max_price_input=ask.max_price_input,
        max_price_output=ask.max_price_output,
        max_cost_nanousd=max_cost_nanousd,
        tiers=tiers,
        dear_spent=dear_spent,
    )


def obstacle(
    needs: Needs,
    model: Model,
    endpoint: Endpoint,
    now: Circumstances,
    *,
    against_advice: bool = False,
) -> Obstacle | None:
    """The first hurdle that `endpoint` does not take; None where it may serve.

    `against_advice` leaves out the advisory ones.
    """
    if (needs.only or needs.ignore or needs.order) and (found := _not_chosen(needs, endpoint)):
        return found
    for policy in needs.policies:
        reason = violation(policy, endpoint)
        if reason is not None:
            return Obstacle(_DATA, "forbidden", reason)
    if needs.fetches != "nothing" and endpoint.fetching != "pass" and (found := _must_not_fetch(needs, endpoint)):
        return found
    found = _incapable(needs, model) if needs.abilities else None
    if found is None:
        found = _unfit(needs, model, endpoint, now.now_ms)
    if found is not None and not (against_advice and found.advisory):
        return found
    bounded = needs.max_price_input is not None or needs.max_price_output is not None
    if bounded and (found := _too_dear_a_rate(needs, now.rates_of(endpoint))):
        return found
    if needs.max_cost_nanousd is not None and (found := _too_dear(needs.max_cost_nanousd, now.hold_of(endpoint))):
        return found
    if (needs.tiers or needs.dear_spent is not None) and (found := _wrong_tier(needs, model, endpoint, now)):
        return found
    if now.health and standing(endpoint, now.health) == "open":
        return Obstacle(_HEALTH, "overloaded", BREAKER_OPEN)
    return None


def refusal(name: str, obstacles: list[tuple[Endpoint, Obstacle]], max_cost_nanousd: int | None) -> Refusal:
    """Why nothing that `name` stands for can take a request; `obstacles` is not empty."""
    furthest = max(found.stage for _, found in obstacles)
    last = [found for _, found in obstacles if found.stage == furthest]
    told = "; ".join([f"{endpoint.id}: {found.reason}" for endpoint, found in obstacles[:5]])
    more = f"; and {len(obstacles) - 5} more" if len(obstacles) > 5 else ""
    needed = min([found.needed_nanousd for found in last if found.needed_nanousd is not None], default=None)
    return Refusal(
        kind=last[0].kind,
        message=f"No endpoint of {name!r} can take this request. {told}{more}.",
        code="context_length_exceeded" if last[0].kind == "context_length" else None,
        param="model",
        needed_nanousd=needed,
        left_nanousd=None if needed is None else max_cost_nanousd,
        scope=None if needed is None else "max_cost_usd",
    )


def is_named(endpoint: Endpoint, names: tuple[str, ...]) -> bool:
    """Whether lower-case `names` hold the endpoint's provider, or `provider/upstream-model`."""
    return endpoint.provider.lower() in names or endpoint.id.lower() in names


def _modalities(facts: Facts) -> tuple[Modality, ...]:
    needed: list[Modality] = []
    if facts.images:
        needed.append("image")
    if facts.has_audio:
        needed.append("audio")
    if facts.has_document:
        needed.append("document")
    return tuple(needed)


def _not_chosen(needs: Needs, endpoint: Endpoint) -> Obstacle | None:
    if needs.only and not is_named(endpoint, needs.only):
        return Obstacle(_CHOICE, "forbidden", "not in provider.only")
    if needs.ignore and is_named(endpoint, needs.ignore):
        return Obstacle(_CHOICE, "forbidden", "in provider.ignore")
    if needs.order and not is_named(endpoint, needs.order):
        return Obstacle(_CHOICE, "forbidden", "not in provider.order, and allow_fallbacks is false")
    return None


def _must_not_fetch(needs: Needs, endpoint: Endpoint) -> Obstacle | None:
    if endpoint.fetching == "refuse":
        reason = "must not fetch what a request names by address; send the bytes instead"
    elif needs.fetches == "inside":
        reason = "must not fetch from an address inside its network; send the bytes instead"
    else:
        return None
    return Obstacle(_DATA, "forbidden", reason)


def _incapable(needs: Needs, model: Model) -> Obstacle | None:
    strict = needs.require_parameters
    advisory = needs.by_name and not strict
    for modality in needs.modalities:
        if modality not in model.input:
            return Obstacle(_CAPABILITY, "unsupported", f"takes no {modality} input", advisory)
    # `strict` wants each of these to be known, else only a known lack counts.
    if needs.tools and (model.tools is False or (strict and model.tools is None)):
        return Obstacle(_CAPABILITY, "unsupported", "tools not supported", advisory)
    if needs.json_schema and (model.json_schema is False or (strict and model.json_schema is None)):
        return Obstacle(_CAPABILITY, "unsupported", "JSON schema output not supported", advisory)
    if strict and needs.reasoning and model.reasoning is not True:
        return Obstacle(_CAPABILITY, "unsupported", "reasoning not supported")
    return None


def _unfit(needs: Needs, model: Model, endpoint: Endpoint, now_ms: int) -> Obstacle | None:
    if needs.max_tokens is not None:
        most = endpoint.max_output or model.max_output
        if most is not None and needs.max_tokens > most:
            reason = f"max output {most} < {needs.max_tokens}"
            return Obstacle(_CAPABILITY, "unsupported", reason, advisory=not needs.require_parameters)
    window = endpoint.context_window or model.context_window
    # Four bytes a token is the estimate; dense text reaches five, so only what is beyond that is turned away here.
    if window is not None and needs.est_input_tokens * 4 > window * 5:
        reason = f"about {needs.est_input_tokens} tokens, context window {window}"
        return Obstacle(_WINDOW, "context_length", reason, advisory=needs.by_name)
    if model.retires_ms is not None and model.retires_ms <= now_ms:
        reason = "retired" if model.successor is None else f"retired; its successor is {model.successor}"
        return Obstacle(_RETIRED, "model_not_found", reason, advisory=needs.by_name)
    return None


def _wrong_tier(needs: Needs, model: Model, endpoint: Endpoint, now: Circumstances) -> Obstacle | None:
    tier = tier_of(model, endpoint, now.rates_of(endpoint))
    if needs.tiers and tier not in needs.tiers:
        return Obstacle(_CHOICE, "forbidden", f"tier {tier or 'unknown'} is not among {', '.join(needs.tiers)}")
    if needs.dear_spent is not None and tier in ("premium", None):
        return Obstacle(_SHARE, "rate_limited", needs.dear_spent)
    return None


def _too_dear_a_rate(needs: Needs, rates: Rates | None) -> Obstacle | None:
    for name, rate, most in (
        ("input", None if rates is None else rates.input, needs.max_price_input),
        ("output", None if rates is None else rates.output, needs.max_price_output),
    ):
        if most is None:
            continue
        if rate is None:
            return Obstacle(_PRICE, "unpriceable", f"{name} price unknown, and max_price is set")
        if rate > most:
            return Obstacle(_PRICE, "forbidden", f"{name} price over max_price")
    return None


def _too_dear(max_cost_nanousd: int, hold_nanousd: int | None) -> Obstacle | None:
    if hold_nanousd is None:
        return Obstacle(_PRICE, "unpriceable", "price unknown, and a maximum cost is set")
    if hold_nanousd > max_cost_nanousd:
        reason = f"may cost ${usd_text(hold_nanousd)}, over the maximum of ${usd_text(max_cost_nanousd)}"
        return Obstacle(_COST, "budget_exhausted", reason, needed_nanousd=hold_nanousd)
    return None
