"""Several workers step the same trials: each observation counts once, and each transition is made once."""

import random

from msgspec import structs

from bascule.decide.evidence.enrolment import Patience
from bascule.decide.evidence.judge_error import EXACT
from bascule.decide.promotion.policy import EvidencePolicy, JudgedBy
from bascule.decide.promotion.trial import Rules, Trial, TrialKey, trial_id
from bascule.gateway.evidence.stepping import first_judge, step, step_all
from bascule.ports import ComparedPair, KeptTrial
from bascule.storage.memory.evidence import MemoryEvidence
from bascule.storage.memory.governance import MemoryGovernance

RULES = Rules(margin=0.1, canary_sessions=20)
POLICY = EvidencePolicy(
    route="auto",
    incumbent="big",
    challengers=("small",),
    rules=RULES,
    patience=Patience(session_ms=0, outcome_ms=1_000),
)
KEY = TrialKey(route="auto", task="chat", incumbent="big", challenger="small")
NAME = trial_id(KEY)


def stores() -> tuple[MemoryEvidence, MemoryGovernance, KeptTrial]:
    governance = MemoryGovernance()
    store = MemoryEvidence(governance)
    return store, governance, store.open(Trial(key=KEY, since_ms=0))


def fill(store: MemoryEvidence, count: int, *, since_ms: int = 1, mean: float = 0.0, seed: int = 1) -> None:
    draw = random.Random(seed)
    for number in range(since_ms, since_ms + count):
        difference = draw.choice([1.0, -1.0, *[mean] * 8])
        pair = ComparedPair(
            pair_id=f"p{number}",
            trial_id=NAME,
            request_id=f"r{number}",
            session_id=f"s{number}",
            enrolled_ms=number,
        )
        store.enrol(pair)
        done = structs.replace(
            pair, graded_ms=number, difference=difference, grader="exact", shadow_nanousd=7, judge_nanousd=0
        )
        store.grade(done)


def test_everything_counts_once_whoever_looks() -> None:
    store, governance, kept = stores()
    fill(store, 400)
    step_all(store, {"auto": POLICY}, 500)
    again = step_all(store, {"auto": POLICY}, 500)[0].trial
    # A worker that has read the trial before saves nothing of what it makes of it.
    stale = step(store, kept, POLICY, 500)
    assert stale == kept
    assert again.costs.shadow_nanousd == 7 * 400
    assert again.pairs == 400
    assert [entry.action for entry in governance.audit()] == ["evidence.canary"]
    assert again.state == "canary"  # what began before it served a share does not count for that share


def test_a_canary_is_judged_by_what_began_after_it() -> None:
    store, governance, _ = stores()
    fill(store, 400)
    step_all(store, {"auto": POLICY}, 500)
    fill(store, 60, since_ms=500)
    step_all(store, {"auto": POLICY}, 600)
    assert [entry.action for entry in governance.audit()] == ["evidence.canary", "evidence.promoted"]


def test_a_worker_that_loses_leaves_it_to_the_next_look() -> None:
    store, governance, kept = stores()
    fill(store, 400)

    class Meanwhile(MemoryEvidence):
        """Another worker is quicker, once."""

    waiting = store.waiting

    def other_first(trial_id: str) -> list[ComparedPair]:
        found = waiting(trial_id)
        store.waiting = waiting  # type: ignore[method-assign]
        step_all(store, {"auto": POLICY}, 500)
        return found

    store.waiting = other_first  # type: ignore[method-assign]
    assert step(store, kept, POLICY, 500) == kept
    assert len(list(governance.audit())) == 1
    assert store.trials()[0].trial.pairs == 400


def test_what_no_route_has_any_more_stays_as_it_is() -> None:
    store, _, kept = stores()
    fill(store, 50)
    assert step_all(store, {}, 500) == []
    assert step_all(store, {"auto": structs.replace(POLICY, challengers=("other",))}, 500) == []
    assert store.trials() == [kept]


def test_how_a_trial_s_grades_begin() -> None:
    judged = structs.replace(POLICY, judge=JudgedBy(model="umpire"))
    assert first_judge(POLICY) == EXACT
    assert first_judge(judged) is None
    known = first_judge(structs.replace(judged, judge=JudgedBy(model="umpire", error=0.03)))
    assert known is not None
    assert (known.for_promotion, known.for_demotion, known.labels) == (0.03, -0.03, 0)
