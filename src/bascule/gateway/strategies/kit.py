"""What a strategy is given to serve one request."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from bascule.gateway.admission import Admitted
from bascule.gateway.holding import Holding
from bascule.gateway.planning import Planning
from bascule.gateway.subcalls import Prepared, Subcalls, prepared
from bascule.model.errors import Refusal
from bascule.model.plan import Candidate, Plan
from bascule.model.policy import RoutePolicy
from bascule.ports.commands import Commands
from bascule.ports.verifiers import Verifiers

Asked = tuple[Admitted, tuple[Candidate, ...]]
"""A request, and who may be asked it."""
Course = Callable[[Subcalls], Awaitable[Refusal | None]]
"""Serves the request; None where the client was answered."""


class Kit(Struct, frozen=True, kw_only=True):
    """The request, who may answer it, and what is to be asked of the world before anything is sent."""

    holding: Holding
    planning: Planning
    request: Admitted
    plan: Plan
    route: RoutePolicy
    commands: Commands | None = None
    """Who runs the operator's own programs; None: nothing is sent, and so nothing looked at."""
    verifiers: Verifiers | None = None
    """Who asks trained verifiers; None likewise."""

    def of_model(self, name: str) -> tuple[Candidate, ...]:
        """The endpoints of a model among those that may answer; empty where policy or health has left it out."""
        return tuple([one for one in self.plan.candidates if one.model == name])

    def helpers(self, request: Admitted, name: str) -> tuple[Candidate, ...] | Refusal:
        """The endpoints of a model that may be asked a request of our own, by the same policies."""
        found = self.planning.plan_among(request, self.route, (name,))
        return found if isinstance(found, Refusal) else found.candidates

    def most_output(self, candidate: Candidate) -> int:
        """The longest answer to this request that a candidate may give, in tokens per choice."""
        cap = self.plan.max_output_tokens
        return self.holding.longest(self.request, candidate.endpoint, route_cap=cap)

    def prepare(self, calls: Sequence[Asked], times: Sequence[int]) -> tuple[Prepared, ...] | Refusal:
        """The calls with their bounds, whose sum fits what is left."""
        return prepared(self.holding, self.request, calls, self.plan, times)


class Ready(Struct, frozen=True, kw_only=True):
    """A strategy that can be begun: the calls to hold money for, and what is then done with them."""

    name: str
    calls: tuple[Prepared, ...]
    times: tuple[int, ...]
    course: Course
    max_answer_bytes: int

    @property
    def hold_nanousd(self) -> int | None:
        """The sum of what they may cost; None where that of one is unknown."""
        total = 0
        for call, count in zip(self.calls, self.times, strict=True):
            if call.fitted.amount_nanousd is None:
                return None
            total += call.fitted.amount_nanousd * count
        return total

    def told(self) -> dict[str, Any]:
        """For the record of the decision."""
        calls = [
            {
                "models": sorted({candidate.model for candidate in call.plan.candidates}),
                "times": count,
                "hold_nanousd": call.fitted.amount_nanousd,
            }
            for call, count in zip(self.calls, self.times, strict=True)
        ]
        return {"name": self.name, "calls": calls, "hold_nanousd": self.hold_nanousd}


class Strategist(Protocol):
    """One route's strategy, ready for any request."""

    def ready(self, kit: Kit) -> Ready | Refusal | None:
        """None where this request is better served by one call: too few of the models may answer it."""
        ...
