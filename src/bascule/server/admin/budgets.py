"""`/bascule/api/budgets`: caps, and what is left of them in the running gateway."""

from decimal import Decimal
from typing import Annotated, cast, get_args

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bascule.config.scalars import Unreadable, usd
from bascule.config.scalars import scope as read_scope
from bascule.decide.budget import BudgetIndex, in_force
from bascule.decide.window import span_of
from bascule.model.budget import BudgetState
from bascule.model.errors import MalformedRequest
from bascule.model.policy import Budget, BudgetMode, BudgetWindow, OnExhausted
from bascule.offline.payload import budget_payload, state_payload
from bascule.server.admin.access import Caller
from bascule.server.admin.answers import Refused, document, read_json
from bascule.server.admin.parent import sees
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.query import Query
from bascule.server.admin.work import Changes

Alert = Annotated[float, Meta(gt=0, le=10)]


STRICTEST: tuple[BudgetMode, ...] = ("strict", "expected", "warn")


class BudgetBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A budget as the configuration writes it; `limit_usd` as a number or a decimal string, taken exactly."""

    scope: str
    limit_usd: Decimal
    window: BudgetWindow
    mode: BudgetMode = "strict"
    alerts: Annotated[tuple[Alert, ...], Meta(max_length=20)] = ()
    on_exhausted: OnExhausted = "refuse"


class Budgets:
    """The handlers. The file's budgets are listed and never changed."""

    def __init__(self, ports: AdminPorts, changes: Changes) -> None:
        self._ports = ports
        self._changes = changes

    async def listed(self, request: Request, caller: Caller) -> Response | Refused:
        """`data` has every counter of a current window, `defined` the budgets themselves, patterns included."""
        ports = self._ports
        now_ms = ports.clock.now_ms()
        Query(request, (), now_ms=now_ms)
        fixed = ports.snapshot().budgets
        made, own = await run_in_threadpool(lambda: (ports.governance.budgets(), self._own_scopes(caller)))
        index = BudgetIndex(fixed)
        data = [
            {**state_payload(state), "on_exhausted": state.on_exhausted, "source": _source(state, index)}
            for state in ports.authority.states(now_ms)
            if own is None or state.scope in own
        ]
        shown = [budget_payload(budget) for budget in in_force(fixed, made) if own is None or budget.scope in own]
        return document({"object": "list", "data": data, "defined": shown})

    async def put(self, request: Request, caller: Caller) -> Response | Refused:
        """Make or replace the budget of a scope and window."""
        budget = budget_of(await read_json(request, BudgetBody))
        ports = self._ports
        now_ms = ports.clock.now_ms()

        def change() -> Budget | Refused:
            problem = self._problem(caller, budget.scope, budget.window) or self._loosened(caller, budget)
            if problem is not None:
                return problem
            ports.governance.set_budget(budget, by=caller.by, now_ms=now_ms)
            return budget

        made = await self._changes.run(change)
        return made if isinstance(made, Refused) else document(budget_payload(made))

    async def remove(self, request: Request, caller: Caller) -> Response | Refused:
        ports = self._ports
        now_ms = ports.clock.now_ms()
        query = Query(request, ("scope", "window"), now_ms=now_ms)
        scope = _scope(query.needed("scope"))
        query.needed("window")
        window = cast(BudgetWindow, query.one_of("window", get_args(BudgetWindow), ""))

        def change() -> bool | Refused:
            problem = self._problem(caller, scope, window) or _kept(caller)
            if problem is not None:
                return problem
            if ports.governance.remove_budget(scope, window, by=caller.by, now_ms=now_ms):
                return True
            message = f"there is no budget of {scope} a {window}; GET /bascule/api/budgets lists them"
            return Refused(status=404, message=message)

        removed = await self._changes.run(change)
        if isinstance(removed, Refused):
            return removed
        return document({"scope": scope, "window": window, "removed": True})

    def _problem(self, caller: Caller, scope: str, window: BudgetWindow) -> Refused | None:
        if any((budget.scope, budget.window) == (scope, window) for budget in self._ports.snapshot().budgets):
            message = f"the budget of {scope} a {window} is defined in the configuration file; change it there"
            return Refused(status=409, message=message)
        own = self._own_scopes(caller)
        if own is None or (scope in own and scope.startswith("key:")):
            return None
        message = f"{caller.by} may set budgets of keys of its team (key:NAME), not of {scope}"
        return Refused(status=403, message=message, param="scope")

    def _loosened(self, caller: Caller, budget: Budget) -> Refused | None:
        """A team's administrator adds caps and tightens them: those that are there may be its own parent's."""
        if caller.parent is None:
            return None
        for known in self._ports.governance.budgets():
            if (known.scope, known.window) == (budget.scope, budget.window) and _is_looser(budget, known):
                return _kept(caller)
        return None

    def _own_scopes(self, caller: Caller) -> set[str] | None:
        """The team and the keys that the caller looks after; None is everything.

        A name that others have or had too, a key's or that of another organisation's team, is left out: what is spent
        under it is not this team's alone.
        """
        if caller.parent is None:
            return None
        ports = self._ports
        stored = ports.governance.keys()
        policies = [key.policy for key in ports.snapshot().keys] + [key.policy for key in stored]
        own: set[str] = set()
        others: set[str] = set()
        for policy in policies:
            scopes = own if sees(caller, policy) else others
            scopes.add(f"key:{policy.name}")
            if policy.team is not None:
                scopes.add(f"team:{policy.team}")
        return own - others


def _is_looser(budget: Budget, known: Budget) -> bool:
    """An alert that is taken away is a cap that is no longer watched."""
    return (
        budget.limit_nanousd > known.limit_nanousd
        or STRICTEST.index(budget.mode) > STRICTEST.index(known.mode)
        or not set(known.alerts) <= set(budget.alerts)
        or (budget.on_exhausted != known.on_exhausted and budget.on_exhausted != "refuse")
    )


def _kept(caller: Caller) -> Refused | None:
    if caller.parent is None:
        return None
    message = f"{caller.by} may add and tighten budgets; raising or removing one takes role admin"
    return Refused(status=403, message=message)


def budget_of(body: BudgetBody) -> Budget:
    """Raises MalformedRequest."""
    try:
        limit_nanousd = usd(str(body.limit_usd))
    except Unreadable as error:
        raise MalformedRequest(f"limit_usd: {error.what}. {error.remedy}", "limit_usd") from error
    return Budget(
        scope=_scope(body.scope),
        limit_nanousd=limit_nanousd,
        window=body.window,
        mode=body.mode,
        alerts=body.alerts,
        on_exhausted=body.on_exhausted,
        source="store",
    )


def _scope(text: str) -> str:
    try:
        return read_scope(text)
    except Unreadable as error:
        raise MalformedRequest(f"scope: {error.what}. {error.remedy}", "scope") from error


def _source(state: BudgetState, fixed: BudgetIndex) -> str:
    """Whether the state is of one of the file's budgets."""
    window = span_of(state.window_id).window
    limits = [budget.limit_nanousd for budget in fixed.on(state.scope) if budget.window == window]
    return "config" if state.limit_nanousd in limits else "store"
