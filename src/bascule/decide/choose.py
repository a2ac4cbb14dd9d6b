"""From the endpoints that may serve to the candidates of a plan: floor, order, reasons."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from bascule.decide.breaker import Status
from bascule.decide.circumstances import Circumstances
from bascule.decide.eligible import Needs, is_named
from bascule.decide.health import standing
from bascule.decide.rank import SORTS, By, Option, by_worth, ranked
from bascule.model.catalog import Endpoint, Model
from bascule.model.plan import Candidate, Rejected
from bascule.model.policy import Ask, Objective, RoutePolicy, Rule
from bascule.model.prediction import Predicted

FLOOR_UNMET = "floor_unmet"

_OBJECTIVE_REASON: dict[Objective, str] = {
    "cheapest": "cheapest",
    "best": "best affordable",
    "fastest": "fastest",
    "balanced": "balanced",
}
_SORT_REASON: dict[By, str] = {"price": "lowest price", "throughput": "highest throughput", "latency": "lowest latency"}
LEARNED = "learned"
_FAILOVER = "failover"
_AGAINST_ADVICE = ", against the catalog's advice"


class Group(Struct, kw_only=True):
    """One name asked for: what it stands for, and what of it may serve."""

    name: str
    pairs: tuple[tuple[Model, Endpoint], ...]
    needs: Needs
    floor: float | None
    objective: Objective | None
    """None: in the order of the configuration."""
    sort: By | None
    route: RoutePolicy | None = None
    rule: Rule | None = None
    predicted: Mapping[str, Predicted] = {}
    """What the route's learned router says, by model."""
    options: list[Option] = []
    against_advice: bool = False
    """Nothing was left but endpoints that the catalog says cannot serve."""


def chosen(groups: list[Group], ask: Ask, output_tokens: int, rejected: list[Rejected]) -> tuple[Candidate, ...]:
    """The candidates in the order to try them, group after group. What is left out is added to `rejected`."""
    adequate = [_adequate(group) for group in groups]
    if not any(adequate):
        return _below_the_floor(groups)
    if len(groups) == 1 and ask.allow_fallbacks and len(adequate[0]) == len(groups[0].options):
        return _all_of(groups[0], ask, output_tokens)
    candidates: list[Candidate] = []
    seen: set[str] = set()
    for position, (group, options) in enumerate(zip(groups, adequate, strict=True)):
        if len(options) < len(group.options) and group.floor is not None:
            floor = group.floor
            rejected.extend([_too_low(option, floor) for option in group.options if option not in options])
        ordered = _ordered(group, options, ask, output_tokens)
        if not ask.allow_fallbacks and not ask.order:
            rejected.extend([Rejected(option.endpoint.id, "allow_fallbacks is false") for option in ordered[1:]])
            ordered = ordered[:1]
        reason = _reason(group, position, ordered[0], ask) if ordered else ""
        for option in ordered:
            if option.endpoint.id not in seen:
                seen.add(option.endpoint.id)
                candidates.append(_candidate(option, reason))
            reason = _FAILOVER + _AGAINST_ADVICE if group.against_advice else _FAILOVER
    return tuple(candidates)


def _all_of(group: Group, ask: Ask, output_tokens: int) -> tuple[Candidate, ...]:
    """The candidates of the only group, none of which is left out: so most requests go."""
    ordered = _ordered(group, group.options, ask, output_tokens)
    reason = _reason(group, 0, ordered[0], ask)
    candidates: dict[str, Candidate] = {}
    for option in ordered:
        if option.endpoint.id not in candidates:
            candidates[option.endpoint.id] = _candidate(option, reason)
        reason = _FAILOVER + _AGAINST_ADVICE if group.against_advice else _FAILOVER
    return tuple(candidates.values())


def worst_last(candidates: tuple[Candidate, ...], health: Mapping[str, Status]) -> tuple[Candidate, ...]:
    """Endpoints that asked for a pause, or are far worse than their peers, go behind the others; alone they are tried
    all the same."""
    return tuple(sorted(candidates, key=lambda candidate: standing(candidate.endpoint, health) in _LAST))


def slow_last(candidates: tuple[Candidate, ...], now: Circumstances, max_ttft_s: float | None) -> tuple[Candidate, ...]:
    """Endpoints that are full, or slower to first content than the route allows, go behind the others; the first one
    says so where it stands there because of that. What was not measured of late is not slow."""
    if not now.full and max_ttft_s is None:
        return candidates

    def why(candidate: Candidate) -> str | None:
        if candidate.endpoint.id in now.full:
            return "full"
        ttft_s = None if max_ttft_s is None else now.ttft_of(candidate.model, candidate.endpoint)
        return "slow" if ttft_s is not None and max_ttft_s is not None and ttft_s > max_ttft_s else None

    behind = {candidate.endpoint.id: why(candidate) for candidate in candidates}
    ordered = tuple(sorted(candidates, key=lambda candidate: behind[candidate.endpoint.id] is not None))
    first, before = ordered[0], candidates[0]
    if first is before:
        return ordered
    own = before.reason if first.reason == _FAILOVER else first.reason
    reason = f"{own}; {before.endpoint.id} {behind[before.endpoint.id]}"
    return (structs.replace(first, reason=reason), *ordered[1:])


def noted(candidates: tuple[Candidate, ...], before: Candidate, unwell: Sequence[str]) -> tuple[Candidate, ...]:
    """The candidates, the first of which says so where it stands there because others are not well.

    `before` is who would be first if nobody had been put behind; `unwell` are the endpoints left out.
    """
    first = candidates[0]
    why = f"{unwell[0]} open" if unwell else f"{before.endpoint.id} last" if before is not first else None
    if why is None:
        return candidates
    return (structs.replace(first, reason=f"{first.reason}; {why}"), *candidates[1:])


_LAST = ("cooling", "outlier")


def _adequate(group: Group) -> list[Option]:
    """Unknown quality is inadequate."""
    floor = group.floor
    if floor is None:
        return group.options
    return [option for option in group.options if option.quality is not None and option.quality >= floor]


def _too_low(option: Option, floor: float) -> Rejected:
    quality = "unknown" if option.quality is None else f"{option.quality:g}"
    return Rejected(option.endpoint.id, f"quality {quality}, floor {floor:g}")


def _ordered(group: Group, options: list[Option], ask: Ask, output_tokens: int) -> list[Option]:
    if len(options) < 2:
        return options
    if group.sort is not None:
        options = sorted(options, key=SORTS[group.sort])
    elif group.objective is not None:
        options = ranked(options, group.objective, output_tokens)
    if group.predicted and group.sort is None:
        options = by_worth(options)
    if ask.order:
        options = sorted(options, key=lambda option: _place(option.endpoint, ask.order))
    return options


def _place(endpoint: Endpoint, order: tuple[str, ...]) -> int:
    """Where the endpoint stands in `provider.order`; after all of it where it does not."""
    for place, name in enumerate(order):
        if is_named(endpoint, (name,)):
            return place
    return len(order)


def _below_the_floor(groups: list[Group]) -> tuple[Candidate, ...]:
    """Nothing reaches its floor: the dearest model first (its endpoints as configured), unknown prices last."""
    options = [option for group in groups for option in group.options]
    cost_of_model: dict[str, int] = {}
    for option in options:
        if option.expected_nanousd is not None:
            name = option.model.name
            cost_of_model[name] = max(cost_of_model.get(name, 0), option.expected_nanousd)
    options.sort(key=lambda option: (-cost_of_model.get(option.model.name, -1), -(option.quality or 0.0)))
    by_id: dict[str, Option] = {}
    for option in options:
        by_id.setdefault(option.endpoint.id, option)
    return tuple([_candidate(option, FLOOR_UNMET, adequate=False) for option in by_id.values()])


def _candidate(option: Option, reason: str, *, adequate: bool = True) -> Candidate:
    return Candidate(
        model=option.model.name,
        endpoint=option.endpoint,
        reason=reason,
        quality=option.quality,
        judged=option.judged,
        expected_nanousd=option.expected_nanousd,
        adequate=adequate,
        predicted=option.predicted,
    )


def _reason(group: Group, position: int, option: Option, ask: Ask) -> str:
    """Why a group's first option stands there. In few words, and in ASCII: they travel in a header."""
    if position:
        reason = "fallback"
    elif ask.order and _place(option.endpoint, ask.order) < len(ask.order):
        reason = "provider order"
    elif group.sort is not None:
        reason = _SORT_REASON[group.sort]
    elif group.predicted:
        reason = LEARNED if option.predicted is not None else "not known to the learned router"
    elif group.objective is not None:
        reason = _OBJECTIVE_REASON[group.objective]
        if group.floor is not None and group.objective != "best":
            reason += " adequate"
    else:
        reason = "requested"
    return reason + _AGAINST_ADVICE if group.against_advice else reason
