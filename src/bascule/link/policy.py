"""Routes, keys and budgets of the configuration in the words of decisions."""

from bascule.config.shape import QUALITY_LEVELS, Config, DataConstraint, Floor, Key, Route
from bascule.config.shape import Budget as BudgetConfig
from bascule.config.shape import Hedge as HedgeConfig
from bascule.config.shape import Protect as ProtectConfig
from bascule.decide.presets import OBJECTIVE_OF, floors_of
from bascule.link.strategies import strategy_of
from bascule.model.policy import (
    NO_DATA_POLICY,
    NO_PROTECTION,
    Budget,
    DataPolicy,
    DearCap,
    Hedge,
    KeyPolicy,
    Objective,
    Protect,
    RateLimit,
    RoutePolicy,
    Rule,
    Sticky,
)


def route_policy(name: str, route: Route, config: Config) -> RoutePolicy:
    """A route with its floors as numbers; a floor without a number is a mistake that `check` has reported."""
    levels = {**QUALITY_LEVELS, **config.quality_levels}
    return RoutePolicy(
        name=name,
        candidates=route.candidates,
        objective=objective_of(route),
        quality=_number(route.quality, levels),
        floors={} if route.preset is None or route.quality is not None else floors_of(route.preset, levels),
        tiers=route.tiers,
        max_ttft_s=route.max_ttft_s,
        dear=None
        if route.dear is None
        else DearCap(key_share=route.dear.key_share, session_share=route.dear.session_share, burst=route.dear.burst),
        sticky=Sticky(
            enabled=route.sessions.sticky,
            max_switch_nanousd=route.sessions.max_switch_nanousd,
            least_saving_percent=route.sessions.least_saving_percent,
        ),
        max_cost_nanousd=route.max_cost_nanousd,
        max_output_tokens=route.max_output_tokens,
        data=data_policy(route.data),
        protect=protect_policy(route.protect),
        hedge=_hedge(route.hedge),
        filtered_elsewhere=route.content_filter == "failover",
        strategy=strategy_of(route),
        rules=tuple(
            [
                Rule(
                    when=rule.when,
                    candidates=rule.candidates,
                    objective=rule.objective,
                    quality=_number(rule.quality, levels),
                    tiers=rule.tiers,
                    max_cost_nanousd=rule.max_cost_nanousd,
                    refuse=rule.refuse,
                )
                for rule in route.rules
            ]
        ),
    )


def objective_of(route: Route) -> Objective:
    """What is written wins over the preset's."""
    if route.objective is not None:
        return route.objective
    return "cheapest" if route.preset is None else OBJECTIVE_OF[route.preset]


def _hedge(hedge: HedgeConfig | None) -> Hedge | None:
    if hedge is None:
        return None
    return Hedge(after_s=hedge.after_s, percentile=None if hedge.after is None else int(hedge.after[1:]) / 100)


def data_policy(data: DataConstraint) -> DataPolicy:
    if data == DataConstraint():
        return NO_DATA_POLICY
    return DataPolicy(
        retention=data.retention,
        training=data.training,
        regions=data.regions,
        providers_allow=data.providers.allow,
        providers_deny=data.providers.deny,
        zdr=data.zdr,
        quantizations=data.quantizations,
    )


def protect_policy(protect: ProtectConfig) -> Protect:
    if protect == ProtectConfig():
        return NO_PROTECTION
    return Protect(personal=protect.personal, secrets=protect.secrets)


def key_policy(name: str, key: Key) -> KeyPolicy:
    return KeyPolicy(
        name=name,
        org=key.org,
        team=key.team,
        project=key.project,
        user=key.user,
        models=key.models,
        max_output_tokens=key.max_output_tokens,
        rate=RateLimit(rpm=key.rate.rpm, tpm=key.rate.tpm, in_flight=key.rate.in_flight),
        tags=key.tags,
        role=key.role,
        source="config",
        expires_ms=key.expires_ms,
        data=data_policy(key.data),
        protect=protect_policy(key.protect),
    )


def budget_policy(budget: BudgetConfig) -> Budget:
    return Budget(
        scope=budget.scope,
        limit_nanousd=budget.limit_nanousd,
        window=budget.window,
        mode=budget.mode,
        alerts=budget.alerts,
        on_exhausted=budget.on_exhausted,
        source="config",
    )


def _number(floor: Floor | None, levels: dict[str, float]) -> float | None:
    return levels.get(floor) if isinstance(floor, str) else floor
