"""Who answers a session, and whether a request is answered by both: decided by hashes, so that it can be repeated."""

from collections.abc import Sequence

from msgspec import Struct

from bascule.decide.evidence.holdout import share_of
from bascule.decide.promotion.trial import Rules, State, Trial


class Served(Struct, frozen=True):
    """`trial` None: the incumbent serves."""

    trial: Trial | None
    held_out: bool = False
    begun: bool = False
    """The incumbent has served the session before, and keeps it."""


def served_by(trials: Sequence[Trial], session_id: str, salt: str, rules: Rules) -> Served:
    """Whose model answers this session. `trials`: the challengers of one incumbent, the most wanted first.

    A session keeps its place for as long as the salt stays, and so its model while states do.
    """
    place = share_of(session_id, salt)
    if place < rules.holdout:
        return Served(None, held_out=True)
    able = [trial for trial in trials if trial.pinned_by is None]
    end = rules.holdout
    for trial in able:
        if trial.state == "canary":
            end += rules.canary_share * (1.0 - rules.holdout)
            if place < end:
                return Served(trial)
    for trial in able:
        if trial.state in ("promoted", "watched"):
            return Served(trial)
    return Served(None)


def compared_share(state: State, rules: Rules) -> float:
    """Of requests, how many are answered by both."""
    if state == "demoted":
        return 0.0
    return rules.watch_share if state == "promoted" else rules.shadow_share


def is_compared(trial: Trial, request_id: str, salt: str, rules: Rules) -> bool:
    """Settled by the request's id alone, before anything is known of its answer."""
    who = f"{salt}\0{trial.key.challenger}\0compare"
    return share_of(request_id, who) < compared_share(trial.state, rules)
