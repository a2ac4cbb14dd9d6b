"""The bill of a plan: its tasks against a baseline and under optimisations, its pipelines and its agents. Pure."""

from msgspec import Struct

from bascule.offline.background import AgentCost, agent_cost
from bascule.offline.mix import Mix, mix
from bascule.offline.optimisation import Combined, combine
from bascule.offline.pipelines import PipelineCost, pipeline_cost, pipelines_usd
from bascule.offline.plan import Plan
from bascule.offline.quantity import ZERO, Span
from bascule.offline.workloads import PriceOf


class PlanBill(Struct, frozen=True, kw_only=True):
    plan: Plan
    mix: Mix | None
    """None where the plan has no tasks."""
    combined: Combined | None
    """None where it has no optimisations."""
    pipelines: tuple[PipelineCost, ...]
    agents: tuple[AgentCost, ...]

    @property
    def tasks_usd(self) -> Span:
        """A month of the tasks, after the optimisations."""
        if self.combined is not None:
            return Span(self.combined.low.after_usd, self.combined.high.after_usd)
        return ZERO if self.mix is None else self.mix.usd

    @property
    def agents_usd(self) -> Span:
        return sum([one.usd for one in self.agents], ZERO)

    @property
    def usd(self) -> Span:
        """A month of everything."""
        return self.tasks_usd + pipelines_usd(self.pipelines) + self.agents_usd


def plan_bill(plan: Plan, price_of: PriceOf) -> PlanBill:
    """Raises BasculeError where a price that matters is not known or optimisations cannot be combined."""
    tasks = plan.workloads
    return PlanBill(
        plan=plan,
        mix=mix(tasks, price_of, plan.baseline, plan.baseline_usd_per_call) if tasks else None,
        combined=combine(tasks, plan.optimisations, price_of) if tasks and plan.optimisations else None,
        pipelines=tuple([pipeline_cost(one, price_of) for one in plan.pipelines]),
        agents=tuple([agent_cost(one, price_of, plan.days) for one in plan.agents]),
    )
