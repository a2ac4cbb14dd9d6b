"""A child never exceeds its parent: what a team's administrator may give to keys of the team."""

from collections.abc import Iterable, Iterator

from bascule.decide.data_policy import loosened
from bascule.decide.protect import weakened
from bascule.model.policy import Budget, KeyPolicy
from bascule.server.admin.access import Caller
from bascule.server.admin.answers import Refused

GRANTABLE = ("member", "team_admin")
"""Roles that are not above a team administrator's own; an auditor reads what belongs to all teams."""


def sees(caller: Caller, policy: KeyPolicy) -> bool:
    """True where the key belongs to what the caller looks after."""
    parent = caller.parent
    return parent is None or (policy.team, policy.org) == (parent.team, parent.org)


def may_end(caller: Caller, policy: KeyPolicy) -> Refused | None:
    """None where the caller may revoke this key."""
    if sees(caller, policy) and (caller.parent is None or policy.role in GRANTABLE):
        return None
    return _not_yours(caller, policy.name)


def may_hold(caller: Caller, policy: KeyPolicy) -> Refused | None:
    """None where the caller may learn the secret of a key with this policy: make it, or rotate it."""
    parent = caller.parent
    if parent is None:
        return None
    if not sees(caller, policy):
        return _not_yours(caller, policy.name)
    for param, excess in _excesses(parent, policy):
        return Refused(status=403, message=f"{caller.by} may not give that: {excess}", param=param)
    return None


def budget_of_its_own(caller: Caller, name: str, budgets: Iterable[Budget]) -> Refused | None:
    """A cap on the caller's own key alone: what another key, whose secret it learns, spends would not count there.

    Caps on its team, project, user or tags hold for that key, as those are the same; so does one on every key
    (`key:*`).
    """
    parent = caller.parent
    if parent is None or name == parent.name:
        return None
    for budget in budgets:
        if budget.scope == f"key:{parent.name}" and budget.mode != "warn":
            message = (
                f"{caller.by} has a budget of its own ({budget.scope} a {budget.window}), in which what another key "
                "spends would not count. Let an administrator do this, or cap the team or project instead"
            )
            return Refused(status=403, message=message)
    return None


def _not_yours(caller: Caller, name: str) -> Refused:
    team = None if caller.parent is None else caller.parent.team
    return Refused(status=403, message=f"{caller.by} administers team {team!r}; key {name!r} is not among its keys")


def _excesses(parent: KeyPolicy, child: KeyPolicy) -> Iterator[tuple[str, str]]:
    """(field, what of it is more than the parent has)."""
    if child.role not in GRANTABLE:
        yield "role", f"role {child.role} is above team_admin"
    if parent.project is not None and child.project != parent.project:
        yield "project", f"it is bound to project {parent.project!r}"
    if parent.user is not None and child.user != parent.user:
        yield "user", f"it is bound to user {parent.user!r}"
    if parent.models and (beyond := sorted(set(child.models) - set(parent.models))):
        yield "models", f"it has no grant for {', '.join(beyond)}"
    if parent.models and not child.models:
        yield "models", "an empty list grants every model, and it has not got them all"
    for name, most, given in (
        ("max_output_tokens", parent.max_output_tokens, child.max_output_tokens),
        ("rpm", parent.rate.rpm, child.rate.rpm),
        ("tpm", parent.rate.tpm, child.rate.tpm),
        ("in_flight", parent.rate.in_flight, child.rate.in_flight),
        ("expires", parent.expires_ms, child.expires_ms),
    ):
        if most is not None and (given is None or given > most):
            yield name, f"{name} goes beyond its own"
    for tag, value in parent.tags.items():
        if child.tags.get(tag) != value:
            yield "tags", f"it is bound to tag {tag}={value}"
    if (more := loosened(parent.data, child.data)) is not None:
        yield "data", f"{more}, as for its own requests"
    if weakened(parent.protect, child.protect):
        yield "protect", "less would be looked for than in its own requests"
