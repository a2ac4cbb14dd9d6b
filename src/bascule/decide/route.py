"""Who may answer a request, in which order, and why. INTERFACE, "Names", "Floor"; DESIGN, "One request".

Every name asked for (the model, then OpenRouter's `models[]`) stands for a model or a route and is expanded to
endpoints. Those that may not or cannot serve drop out with a reason (`eligible`), the rest is ranked (`rank`), and what
does not reach the floor is left out, so that failing over never leads below it. Only where nothing reaches the floor
is it crossed: then the dearest goes first, every candidate says `floor_unmet`, and nothing of it is silent.

Asking for less than a route's floor by `x-bascule-quality` is the client's right; data constraints and the maximum
cost it can only tighten.
"""

from msgspec import Struct, structs

from bascule.decide.choose import Group, chosen, noted, slow_last, worst_last
from bascule.decide.circumstances import Circumstances as Circumstances
from bascule.decide.eligible import BREAKER_OPEN, Obstacle, needs_of, obstacle, refusal
from bascule.decide.rank import By, Option
from bascule.decide.resolve import Resolved, resolve
from bascule.decide.rules import RULE_FACTS as RULE_FACTS
from bascule.decide.rules import Moment
from bascule.decide.rules import RuleFacts as RuleFacts
from bascule.decide.stickiness import Turn, begun, settled
from bascule.decide.task import TaskSource, task_of
from bascule.model.budget import Attribution
from bascule.model.catalog import Endpoint, Model
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.identity import Identity
from bascule.model.plan import Candidate, Plan, Rejected
from bascule.model.policy import Ask, RoutePolicy, Rule
from bascule.model.prediction import Predicted
from bascule.model.quality import Quality
from bascule.model.registry import Registry
from bascule.model.session_state import SessionChoice

_SORT_OF_SUFFIX: dict[str, By] = {"floor": "price", "nitro": "throughput"}
_MS_PER_HOUR = 3_600_000


class RouteTable:
    """A registry with what routing needs of its routes worked out once. Make one per configuration snapshot."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._expanded: dict[tuple[str, ...], _Expanded] = {}
        self._needs_task: dict[str, bool] = {}

    def expand(self, candidates: tuple[str, ...]) -> "_Expanded":
        """The endpoints of a route's or a rule's candidates; remembered, as a configuration has only so many."""
        found = self._expanded.get(candidates)
        if found is None:
            found = self._expanded[candidates] = _expand(candidates, self.registry)
        return found

    def needs_task(self, route: RoutePolicy) -> bool:
        """Whether any rule or any candidate's declared quality asks what the task is."""
        found = self._needs_task.get(route.name)
        if found is None:
            by_rule = any("task" in rule.when for rule in route.rules)
            named = [route.candidates, *[rule.candidates for rule in route.rules if rule.candidates is not None]]
            pairs = [pair for candidates in named for pair in self.expand(candidates).pairs]
            by_quality = any(model.quality.keys() - {"default"} for model, _ in pairs)
            found = self._needs_task[route.name] = by_rule or by_quality or bool(route.floors)
        return found


class _Expanded(Struct, frozen=True):
    pairs: tuple[tuple[Model, Endpoint], ...]
    missing: tuple[Rejected, ...]


class _Request(Struct, frozen=True):
    """The arguments of `route`, passed on as one."""

    ask: Ask
    facts: Facts
    who: Attribution
    identity: Identity
    table: RouteTable
    now: Circumstances
    est_input_tokens: int


def route(
    ask: Ask, facts: Facts, who: Attribution, identity: Identity, table: RouteTable, now: Circumstances
) -> Plan | Refusal:
    """The plan of a request: candidates in the order to try them, each with its reason; never an empty one.

    A Refusal says what the candidate that came furthest failed at: `model_not_found`, `forbidden` (a constraint or a
    rule), `unsupported`, `context_length`, `unpriceable`, `budget_exhausted` (over the maximum cost), `overloaded`.
    """
    first = resolve(ask.model, table.registry)
    if isinstance(first, Refusal):
        return first
    return _planned(first, ask, facts, who, identity, table, now)


def route_through(
    policy: RoutePolicy,
    ask: Ask,
    facts: Facts,
    who: Attribution,
    identity: Identity,
    table: RouteTable,
    now: Circumstances,
) -> Plan | Refusal:
    """As `route`, through a policy that need not stand in the configuration: for calls that a strategy makes."""
    return _planned(Resolved(name=policy.name, route=policy), ask, facts, who, identity, table, now)


def _planned(
    first: Resolved,
    ask: Ask,
    facts: Facts,
    who: Attribution,
    identity: Identity,
    table: RouteTable,
    now: Circumstances,
) -> Plan | Refusal:
    est_input_tokens = facts.text_bytes // 4 if now.est_input_tokens is None else now.est_input_tokens
    request = _Request(ask, facts, who, identity, table, now, est_input_tokens)
    task, task_source = _task(request, first)
    rejected: list[Rejected] = []
    groups = _groups(request, first, task, rejected)
    if isinstance(groups, Refusal):
        return groups
    head = groups[0]
    obstacles = _screen(request, groups, task)
    rejected.extend([Rejected(endpoint.id, found.reason) for endpoint, found in obstacles])
    candidates = chosen(groups, ask, now.est_output_tokens, rejected)
    if not candidates:
        return refusal(head.name, obstacles, head.needs.max_cost_nanousd) if obstacles else no_endpoint(head.name)
    candidates, session = _settled(request, groups, candidates)
    candidates = slow_last(candidates, now, None if head.route is None else head.route.max_ttft_s)
    if now.health:
        as_ranked = candidates[0]
        candidates = worst_last(candidates, now.health)
        candidates = noted(candidates, as_ranked, [one.id for one, found in obstacles if found.reason == BREAKER_OPEN])
    return Plan(
        candidates=candidates,
        rejected=tuple(rejected),
        route=None if head.route is None else head.route.name,
        reason=candidates[0].reason,
        task=task,
        task_source=task_source,
        floor=head.floor,
        max_cost_nanousd=head.needs.max_cost_nanousd,
        max_output_tokens=None if head.route is None else head.route.max_output_tokens,
        hedge=None if head.route is None else head.route.hedge,
        filtered_elsewhere=head.route is not None and head.route.filtered_elsewhere,
        rule=None if head.rule is None else head.rule.when,
        session=session,
        watches_latency=head.route is not None and (head.route.max_ttft_s is not None or head.objective == "fastest"),
        policy_version=table.registry.policy_version,
    )


def _settled(
    request: _Request, groups: list[Group], candidates: tuple[Candidate, ...]
) -> tuple[tuple[Candidate, ...], SessionChoice | None]:
    """The candidates as the session's history has it. An order that the request itself asks for is left alone."""
    head, now, session = groups[0], request.now, request.now.session
    if head.route is None or head.sort is not None or request.ask.order or len(groups) > 1:
        return candidates, None
    if session is None:
        for_money = head.objective == "cheapest" and not head.predicted
        if not for_money or not head.route.sticky.enabled or not _begins_a_session(request):
            return candidates, None
        left = now.turns_left(1)
        return begun(candidates, request.est_input_tokens, now.est_output_tokens, left, now.rates_of), None
    tokens_in = max(request.est_input_tokens, session.cached_tokens)
    turn = Turn(
        tokens_in=tokens_in,
        tokens_out=now.est_output_tokens,
        warm_tokens=session.warm_tokens(now.now_ms),
        cached_tokens=session.cached_tokens,
    )
    left = now.turns_left(session.turns + 1)
    # What a learned router has chosen is not undone for money alone: the session simply stays.
    objective = "best" if head.predicted else head.objective
    return settled(candidates, session, turn, left, objective, head.route.sticky, now.rates_of)


def _begins_a_session(request: _Request) -> bool:
    """An agent that says which session this is: others may ask once and never again."""
    identity = request.identity
    return request.facts.tools > 0 and identity.session_id is not None and identity.session_source != "derived"


def _task(request: _Request, first: Resolved) -> tuple[str | None, TaskSource | None]:
    """The header's task is free; guessing one costs microseconds, so only where something hangs on it."""
    wanted = (
        request.identity.task is not None
        or request.now.want_task
        or bool(request.ask.fallback_models)
        or (first.route is not None and (first.route.learned is not None or request.table.needs_task(first.route)))
    )
    if not wanted:
        return None, None
    facts = request.facts
    task, source = task_of(request.identity.task, facts)
    classifier = None if first.route is None else first.route.classifier
    if task is not None or classifier is None:
        return task, source
    task = classifier(facts.system_text, facts.first_user_text)
    return task, None if task is None else "classifier"


def _expand(candidates: tuple[str, ...], registry: Registry) -> _Expanded:
    pairs: list[tuple[Model, Endpoint]] = []
    missing: list[Rejected] = []
    for name in candidates:
        found = resolve(name, registry)
        if isinstance(found, Refusal):
            missing.append(Rejected(name, "no configured provider serves it"))
        elif found.model is None:
            missing.append(Rejected(name, "a route cannot be a candidate of a route"))
        else:
            pairs.extend([(found.model, endpoint) for endpoint in found.model.endpoints])
    return _Expanded(tuple(pairs), tuple(missing))


def _groups(request: _Request, first: Resolved, task: str | None, rejected: list[Rejected]) -> list[Group] | Refusal:
    """One group per name asked for. A name that stands for nothing refuses, as do the first one's failings; those of
    later ones leave them out."""
    head = _group(request, first, task, rejected)
    if isinstance(head, Refusal):
        return head
    groups = [head]
    for name in request.ask.fallback_models:
        found = resolve(name, request.table.registry)
        if isinstance(found, Refusal):
            return structs.replace(found, param="models")  # a misspelt fallback is none, when it is needed
        group = _group(request, found, task, rejected)
        if isinstance(group, Refusal):
            rejected.append(Rejected(name, group.message))
        else:
            groups.append(group)
    return groups


def _group(request: _Request, found: Resolved, task: str | None, rejected: list[Rejected]) -> Group | Refusal:
    ask = request.ask
    sort = ask.sort or _SORT_OF_SUFFIX.get(found.suffix or ask.suffix or "")
    if found.model is not None:
        return Group(
            name=found.name,
            pairs=tuple([(found.model, endpoint) for endpoint in found.model.endpoints]),
            needs=needs_of(ask, request.facts, by_name=True, est_input_tokens=request.est_input_tokens),
            floor=ask.quality,
            objective=None,
            sort=sort,
        )
    policy = found.route
    assert policy is not None  # Resolved has one or the other
    rule = _matching_rule(request, policy, task)
    candidates, objective, floor = policy.candidates, policy.objective, policy.quality
    max_cost = policy.max_cost_nanousd
    tiers = policy.tiers
    if floor is None and policy.floors:
        floor = policy.floors.get(task or "default", policy.floors["default"])
    if rule is not None:
        if rule.refuse is not None:
            return Refusal(kind="forbidden", message=rule.refuse, code="refused_by_rule", param="model")
        candidates = candidates if rule.candidates is None else rule.candidates
        objective = rule.objective or objective
        floor = floor if rule.quality is None else rule.quality
        max_cost = max_cost if rule.max_cost_nanousd is None else rule.max_cost_nanousd
        tiers = tiers if rule.tiers is None else rule.tiers
    expanded = request.table.expand(candidates)
    rejected.extend(expanded.missing)
    return Group(
        name=found.name,
        pairs=expanded.pairs,
        needs=needs_of(
            ask,
            request.facts,
            by_name=False,
            est_input_tokens=request.est_input_tokens,
            data=policy.data,
            max_cost_nanousd=max_cost,
            tiers=tiers,
            dear_spent=None if policy.dear is None else request.now.dear_spent(policy),
        ),
        floor=floor if ask.quality is None else ask.quality,
        objective=objective,
        sort=sort,
        route=policy,
        rule=rule,
        predicted={} if policy.learned is None else policy.learned(request.facts.first_user_text, task),
    )


def _matching_rule(request: _Request, policy: RoutePolicy, task: str | None) -> Rule | None:
    if not policy.rules:
        return None
    facts = RuleFacts(
        request.facts,
        request.who,
        request.identity,
        model=request.ask.model,
        task=task,
        est_input_tokens=request.est_input_tokens,
        hour_utc=request.now.now_ms // _MS_PER_HOUR % 24,
        moment=Moment(
            session=request.now.session,
            now_ms=request.now.now_ms,
            deadline_ms=request.ask.deadline_ms,
            budget_left_nanousd=request.now.budget_left_nanousd,
        ),
    )
    return request.table.registry.first_rule(policy, facts)


def _screen(request: _Request, groups: list[Group], task: str | None) -> list[tuple[Endpoint, Obstacle]]:
    """Fill every group's options with what may serve; what is in the way of the others."""
    obstacles: list[tuple[Endpoint, Obstacle]] = []
    now = request.now
    found_any = advised = False
    for group in groups:
        for model, endpoint in group.pairs:
            found = obstacle(group.needs, model, endpoint, now)
            if found is None:
                group.options.append(_option(now, model, endpoint, task, group.predicted.get(model.name)))
                found_any = True
            else:
                obstacles.append((endpoint, found))
                advised = advised or found.advisory
    if found_any or not advised:
        return obstacles
    # Nothing is left but what our catalog advises against; the provider knows better than the catalog.
    return _screen_against_advice(request, groups, task)


def _screen_against_advice(request: _Request, groups: list[Group], task: str | None) -> list[tuple[Endpoint, Obstacle]]:
    obstacles: list[tuple[Endpoint, Obstacle]] = []
    for group in groups:
        for model, endpoint in group.pairs:
            hard = obstacle(group.needs, model, endpoint, request.now, against_advice=True)
            if hard is None:
                predicted = group.predicted.get(model.name)
                group.options.append(_option(request.now, model, endpoint, task, predicted))
            else:
                obstacles.append((endpoint, hard))
        group.against_advice = True
    return obstacles


def _option(
    now: Circumstances, model: Model, endpoint: Endpoint, task: str | None, predicted: Predicted | None
) -> Option:
    judged = now.quality_of(model.name, task)
    if judged is None and model.quality:
        default = model.quality.get("default")
        declared = default if task is None else model.quality.get(task, default)
        judged = None if declared is None else Quality(low=declared, mean=declared)
    ttft_s = now.ttft_of(model.name, endpoint)
    return Option(
        model,
        endpoint,
        None if judged is None else judged.low,
        now.expected_cost_of(endpoint),
        judged,
        endpoint.ttft_s if ttft_s is None else ttft_s,
        predicted,
    )


def no_endpoint(name: str) -> Refusal:
    return Refusal(
        kind="model_not_found",
        message=f"{name!r} has no endpoint: no configured provider serves any of its candidates.",
        code="model_not_found",
        param="model",
    )
