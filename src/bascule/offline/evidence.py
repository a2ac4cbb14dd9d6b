"""What evidence is worth in money: the sessions that were routed against those that were held out, from the ledger.

Sessions count from the first promotion on; before it both parts are alike. Everything that a session cost its clients
counts to it: retries and failures too. Shadows and judges are nobody's answer, and are taken off the saving.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, structs

from bascule.decide.evidence.finding import ANY_TASK
from bascule.decide.evidence.holdout import Saving, Spent, is_held_out, saving
from bascule.decide.promotion.policy import EVIDENCE_TAG, EvidencePolicy
from bascule.model.row import AttemptRow


class RouteMoney(Struct, frozen=True, kw_only=True):
    """Of one route and task."""

    route: str
    task: str
    since_ms: int | None
    """From when on sessions count; None: nobody was promoted, so there is nothing to compare."""
    routed: Spent = Spent()
    held: Spent = Spent()
    evidence_nanousd: int = 0
    """Shadows and judges, of all time."""
    unknown_costs: int = 0
    """Attempts whose cost is not known: their sessions are left out."""

    @property
    def saving(self) -> Saving | None:
        """None where too few sessions tell."""
        return saving(self.routed, self.held, self.evidence_nanousd)


Place = tuple[str, str]
"""Route and task."""


def route_money(
    rows: Iterable[AttemptRow], policies: Mapping[str, EvidencePolicy], since_ms: Mapping[Place, int]
) -> list[RouteMoney]:
    """One for each route and task with challengers that the rows know, in order. `since_ms`: first promotions."""
    sessions: dict[Place, dict[str, int | None]] = {}
    evidence: dict[Place, int] = {}
    unknown: dict[Place, int] = {}
    for row in rows:
        if row.route is None or row.route not in policies or row.kind != "settle":
            continue
        place = row.route, row.task or ANY_TASK
        sessions.setdefault(place, {})
        if EVIDENCE_TAG in row.tags:
            evidence[place] = evidence.get(place, 0) + row.charged_nanousd
        elif place in since_ms and row.ts_start_ms >= since_ms[place]:
            if row.cost_nanousd is None:
                unknown[place] = unknown.get(place, 0) + 1
            name = row.session_id or row.request_id
            before = sessions[place].get(name, 0)
            known = None if before is None or row.cost_nanousd is None else before + row.cost_nanousd
            sessions[place][name] = known
    return [
        _parted(
            RouteMoney(
                route=place[0],
                task=place[1],
                since_ms=since_ms.get(place),
                evidence_nanousd=evidence.get(place, 0),
                unknown_costs=unknown.get(place, 0),
            ),
            found,
            policies[place[0]],
        )
        for place, found in sorted(sessions.items())
    ]


def _parted(money: RouteMoney, sessions: Mapping[str, int | None], policy: EvidencePolicy) -> RouteMoney:
    routed, held = money.routed, money.held
    for name, cost_nanousd in sessions.items():
        if cost_nanousd is None:
            continue
        if is_held_out(name, policy.draw, policy.rules.holdout):
            held = held.plus(cost_nanousd)
        else:
            routed = routed.plus(cost_nanousd)
    return structs.replace(money, routed=routed, held=held)


def first_promotions(transitions: Iterable[Mapping[str, Any]]) -> dict[Place, int]:
    """From the audit trail's entries about trials, oldest first: when a challenger first served all but the holdout."""
    found: dict[Place, int] = {}
    for detail in transitions:
        if detail.get("after") == "promoted":
            key = detail["key"]
            found.setdefault((key["route"], key["task"]), detail["at_ms"])
    return found
