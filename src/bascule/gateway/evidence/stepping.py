"""From graded pairs to steps: the pure tests over what the store has. Blocking; any worker may do it, and one wins."""

import logging
from collections.abc import Mapping, Sequence

from msgspec import structs

from bascule.decide.evidence.enrolment import Counted, Pair, counted
from bascule.decide.evidence.judge_error import EXACT, JudgeError, Labelled, judge_error
from bascule.decide.promotion.policy import EvidencePolicy
from bascule.decide.promotion.step import Transition, stepped
from bascule.decide.promotion.trial import Costs, Trial, calibration_alpha, with_session
from bascule.ports import ComparedPair, EvidenceStore, KeptTrial

log = logging.getLogger("bascule.evidence")


def first_judge(policy: EvidencePolicy) -> JudgeError | None:
    """What is known of the grades of a new trial: None where a judge's error has to be found out first."""
    if policy.judge is None:
        return EXACT
    if policy.judge.error is not None:
        return JudgeError(labels=0, low=-policy.judge.error, high=policy.judge.error, alpha=0.0)
    return None


def step_all(store: EvidenceStore, policies: Mapping[str, EvidencePolicy], now_ms: int) -> list[KeptTrial]:
    """All trials, after what their pairs call for. Those that no route has any more stay as they are.

    Raises StoreError.
    """
    found = []
    for kept in store.trials():
        policy = policies.get(kept.trial.key.route)
        if policy is not None and kept.trial.key.challenger in policy.challengers:
            found.append(step(store, kept, policy, now_ms))
    return found


def step(store: EvidenceStore, kept: KeptTrial, policy: EvidencePolicy, now_ms: int) -> KeptTrial:
    """Count the sessions that may count, one after the other; each transition is saved for itself.

    Where another process has saved the trial meanwhile, what it says is left for the next look.
    """
    kept = _calibrated(store, kept, policy)
    if kept.trial.judge is None:
        return kept
    waiting = store.waiting(kept.trial_id)
    sessions = counted([_pair(one) for one in waiting], now_ms, policy.patience)
    costs = _costs(waiting)
    trial, done = kept.trial, list[str]()
    for session in sessions:
        trial = _with(trial, session, policy, costs[session.session_id])
        done.append(session.session_id)
        trial, transition = stepped(trial, policy.rules, now_ms)
        if transition is not None:
            saved = _saved(store, kept, trial, done, transition)
            if saved is None:
                return kept
            kept, done = saved, []
    if not done:
        return kept
    return _saved(store, kept, trial, done, None) or kept


def _with(trial: Trial, session: Counted, policy: EvidencePolicy, cost: Costs) -> Trial:
    after = with_session(trial, session, policy.rules)
    costs = Costs(
        shadow_nanousd=trial.costs.shadow_nanousd + cost.shadow_nanousd,
        judge_nanousd=trial.costs.judge_nanousd + cost.judge_nanousd,
        saved_nanousd=trial.costs.saved_nanousd,
    )
    return structs.replace(after, costs=costs)


def _saved(
    store: EvidenceStore, kept: KeptTrial, trial: Trial, done: Sequence[str], transition: Transition | None
) -> KeptTrial | None:
    if not store.save(kept, trial, counted=done, transition=transition):
        return None
    if transition is not None:
        key = transition.key
        log.warning(
            "%s: %s is %s for %s (%s)", key.route, key.challenger, transition.after, key.task, transition.reason
        )
    return KeptTrial(kept.trial_id, trial, kept.version + 1)


def _calibrated(store: EvidenceStore, kept: KeptTrial, policy: EvidencePolicy) -> KeptTrial:
    """The trial with its judge's error, once enough pairs are labelled; it is bounded once, from the first of them."""
    if kept.trial.judge is not None or policy.judge is None:
        return kept
    labelled = [pair for pair in store.labelled(kept.trial_id) if pair.difference is not None]
    if len(labelled) < policy.judge.labels:
        return kept
    sample = [
        Labelled(judged=pair.difference, true=pair.label)
        for pair in labelled[: policy.judge.labels]
        if pair.difference is not None and pair.label is not None
    ]
    error = judge_error(sample, calibration_alpha(policy.rules))
    return _saved(store, kept, structs.replace(kept.trial, judge=error), (), None) or kept


def _pair(pair: ComparedPair) -> Pair:
    return Pair(
        session_id=pair.session_id,
        enrolled_ms=pair.enrolled_ms,
        difference=pair.difference,
        graded_ms=pair.graded_ms,
    )


def _costs(pairs: Sequence[ComparedPair]) -> dict[str, Costs]:
    """By session. A cost that is not known is not added up: the ledger has it, as unknown."""
    found: dict[str, Costs] = {}
    for pair in pairs:
        before = found.get(pair.session_id, Costs())
        found[pair.session_id] = Costs(
            shadow_nanousd=before.shadow_nanousd + (pair.shadow_nanousd or 0),
            judge_nanousd=before.judge_nanousd + (pair.judge_nanousd or 0),
        )
    return found
