"""Which budgets a request falls under, and what they say: fits, refuse, degrade, finish the session.

Scopes are `org:N team:N project:N key:N user:N session:N tag:K=V`; `*` for the name (`user:*`, `tag:K=*`) is one
budget per value that occurs. A request without a user is under no `user:` budget. Spend is counted by
(concrete scope, window_id); budgets that share both share the counter and keep their own limits.
"""

from collections.abc import Iterable

from bascule.model.budget import Attribution, BudgetState
from bascule.model.errors import Refusal
from bascule.model.money import usd_text
from bascule.model.policy import Budget, BudgetMode, OnExhausted

SESSION_RESERVE_DIVISOR = 10
"""`finish_session`: the last tenth of the limit is for sessions that are already running."""

AUTHORITY_AWAY = Refusal(
    kind="unavailable",
    message=(
        "What is left of a budget that several workers share cannot be told: their authority does not answer in time."
        " Nothing was sent; try again soon."
    ),
    retry_after_s=1.0,
)
"""A 503: the money may be there, and nobody can say so now."""

_KINDS = ("org", "team", "project", "key", "user", "session", "tag")


def parse_scope(scope: str) -> tuple[str, str]:
    """Kind and name of a budget's scope. Raises ValueError with what is wrong and how it should look."""
    kind, _, name = scope.partition(":")
    if kind not in _KINDS:
        raise ValueError(f"scope {scope!r} has no known kind; use one of {' '.join(k + ':' for k in _KINDS)}")
    if not name:
        raise ValueError(
            f"scope {scope!r} names nothing; write e.g. {kind}:{'feature=search' if kind == 'tag' else 'x'}"
        )
    if kind == "tag":
        tag, equals, value = name.partition("=")
        if not (tag and equals and value):
            raise ValueError(f"scope {scope!r} needs a tag and its value; write tag:feature=search or tag:feature=*")
    return kind, name


class BudgetIndex:
    """Budgets arranged for look-up. Fixed once made; two requests of one key differ only in what varies."""

    __slots__ = ("_any", "_any_tag", "_exact", "_has_session", "_has_tag", "_has_user", "budgets", "named", "varies")

    def __init__(self, budgets: tuple[Budget, ...]) -> None:
        """Raises ValueError where a scope is malformed."""
        self.budgets = budgets
        self._exact: dict[str, tuple[Budget, ...]] = {}
        self._any: dict[str, tuple[Budget, ...]] = {}
        self._any_tag: dict[str, tuple[Budget, ...]] = {}
        kinds = set()
        for budget in budgets:
            kind, name = parse_scope(budget.scope)
            kinds.add(kind)
            if name == "*" and kind != "tag":
                self._any[kind] = (*self._any.get(kind, ()), budget)
            elif kind == "tag" and name.endswith("=*"):
                tag = name.partition("=")[0]
                self._any_tag[tag] = (*self._any_tag.get(tag, ()), budget)
            else:
                self._exact[budget.scope] = (*self._exact.get(budget.scope, ()), budget)
        self._has_user = "user" in kinds
        self._has_session = "session" in kinds
        self._has_tag = "tag" in kinds
        self.varies = self._has_user or self._has_session or self._has_tag
        """True where some budget depends on the request and not on its key alone."""
        self.named = tuple(self._exact)
        """Concrete scopes that a budget names."""

    def on(self, scope: str) -> tuple[Budget, ...]:
        """The budgets that count spend of this concrete scope."""
        kind, _, name = scope.partition(":")
        found = self._exact.get(scope, ())
        if kind == "tag":
            return found + self._any_tag.get(name.partition("=")[0], ())
        return found + self._any.get(kind, ())

    def fixed(self, attribution: Attribution) -> list[str]:
        """Concrete scopes that follow from the key and have a budget, outermost first."""
        named = (
            ("org", attribution.org),
            ("team", attribution.team),
            ("project", attribution.project),
            ("key", attribution.key),
        )
        return [scope for kind, name in named if name is not None and self.on(scope := f"{kind}:{name}")]

    def varying(self, attribution: Attribution) -> list[str]:
        """Concrete scopes that follow from the request and have a budget: user, then tags, then session."""
        scopes = []
        if self._has_user and attribution.user is not None:
            scopes.append("user:" + attribution.user)
        if self._has_tag:
            scopes += [f"tag:{tag}={value}" for tag, value in attribution.tags.items()]
        if self._has_session and attribution.session_id is not None:
            scopes.append("session:" + attribution.session_id)
        return [scope for scope in scopes if self.on(scope)]

    def matching(self, attribution: Attribution) -> tuple[tuple[Budget, str], ...]:
        """Every budget that applies, with the concrete scope that it counts; all of them must be held, or none."""
        scopes = self.fixed(attribution) + self.varying(attribution)
        return tuple([(budget, scope) for scope in scopes for budget in self.on(scope)])


def in_force(fixed: tuple[Budget, ...], made: Iterable[Budget]) -> tuple[Budget, ...]:
    """The configuration file's budgets, then those made by command for other scopes and windows."""
    known = {(budget.scope, budget.window) for budget in fixed}
    return (*fixed, *[budget for budget in made if (budget.scope, budget.window) not in known])


def matching(budgets: tuple[Budget, ...], attribution: Attribution) -> tuple[tuple[Budget, str], ...]:
    """As `BudgetIndex.matching`, for one look without an index."""
    return BudgetIndex(budgets).matching(attribution)


def belongs(scope: str, attribution: Attribution) -> bool:
    """True where spend of this attribution counts in the concrete scope."""
    kind, _, name = scope.partition(":")
    if kind == "tag":
        tag, _, value = name.partition("=")
        return attribution.tags.get(tag) == value
    if kind == "session":
        return attribution.session_id == name
    named: dict[str, str | None] = {
        "org": attribution.org,
        "team": attribution.team,
        "project": attribution.project,
        "key": attribution.key,
        "user": attribution.user,
    }
    return named[kind] == name


def ceiling(limit_nanousd: int, on_exhausted: OnExhausted, running: bool) -> int:
    """How far `settled + held` may go. `running`: the request's session has already been served in this window.

    With `finish_session` new sessions (and requests without one) stop at nine tenths of the limit, and sessions
    that are running may use the rest. Everything stays inside the cap.
    """
    if on_exhausted == "finish_session" and not running:
        return limit_nanousd - limit_nanousd // SESSION_RESERVE_DIVISOR
    return limit_nanousd


def fits(settled_nanousd: int, held_nanousd: int, amount_nanousd: int, ceiling_nanousd: int, mode: BudgetMode) -> bool:
    """May this amount be held? What costs nothing always fits: a spent budget does not stop a free model."""
    if mode == "warn" or amount_nanousd == 0:
        return True
    return settled_nanousd + held_nanousd + amount_nanousd <= ceiling_nanousd


def hold_mode(states: tuple[BudgetState, ...]) -> BudgetMode | None:
    """The strictest mode that applies: it says which bound the hold takes. None where no budget applies."""
    mode: BudgetMode | None = None
    for state in states:
        if state.mode == "strict":
            return "strict"
        if state.mode == "expected" or mode is None:
            mode = "expected" if state.mode == "expected" else "warn"
    return mode


def tightest(states: tuple[BudgetState, ...]) -> BudgetState | None:
    """The budget with the least left among those that can refuse, or None where none can."""
    found: BudgetState | None = None
    least = 0
    for state in states:
        if state.mode != "warn":
            left = state.left_nanousd
            if found is None or left < least:
                found, least = state, left
    return found


def over_budget(
    scope: str, window: str, needed_nanousd: int, left_nanousd: int, *, held_for: str | None = None
) -> Refusal:
    """A 402 with both figures. `held_for` is the dearest candidate where a cheaper one would have fit."""
    left = max(0, left_nanousd)
    where, way = "", ""
    if held_for is not None:
        where = f" at {held_for}, the dearest of its candidates,"
        way = " A cheaper candidate would fit: a budget with `on_exhausted: degrade` goes on with that."
    return Refusal(
        kind="budget_exhausted",
        message=(
            f"Budget {scope} ({window}) cannot take this request: it may cost up to ${usd_text(needed_nanousd)}{where}"
            f" and ${usd_text(left)} is left.{way} Ask for fewer output tokens or a cheaper model, or raise the budget."
        ),
        code="insufficient_quota",
        needed_nanousd=needed_nanousd,
        left_nanousd=left,
        scope=scope,
    )


def unpriced(scope: str | None, left_nanousd: int | None = None) -> Refusal:
    """A 402: no price is known where a budget applies."""
    where = f"budget {scope}" if scope else "a budget"
    return Refusal(
        kind="unpriceable",
        message=(
            f"The price of this request is unknown and {where} applies, so it is refused."
            " Give the model a price in the configuration, or choose one that has a price."
        ),
        code="unpriceable",
        left_nanousd=None if left_nanousd is None else max(0, left_nanousd),
        scope=scope,
    )
