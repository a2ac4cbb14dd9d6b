from msgspec import structs

from bascule.decide.promotion.earned import HELD_OUT, NOT_EARNED, earned
from bascule.decide.promotion.policy import EvidencePolicy
from bascule.decide.promotion.serving import Served
from bascule.decide.promotion.trial import Trial, TrialKey
from bascule.model.catalog import Endpoint
from bascule.model.plan import Candidate, Plan

POLICY = EvidencePolicy(route="auto", incumbent="big", challengers=("small", "tiny"))


def candidate(model: str, number: int = 1) -> Candidate:
    endpoint = Endpoint(id=f"p{number}/{model}", provider=f"p{number}", dialect="openai_chat", upstream_model=model)
    return Candidate(model=model, endpoint=endpoint, reason="cheapest")


PLAN = Plan(candidates=tuple([candidate(name) for name in ("small", "tiny", "other", "big")]), reason="cheapest")


def trial(challenger: str, state: str = "promoted") -> Trial:
    key = TrialKey(route="auto", task="chat", incumbent="big", challenger=challenger)
    return Trial(key=key, state=state, since_ms=0)


def order(plan: Plan) -> list[tuple[str, str]]:
    return [(one.model, one.reason) for one in plan.candidates]


def test_the_incumbent_serves_and_challengers_do_not_even_stand_in() -> None:
    found = earned(PLAN, POLICY, Served(None))
    assert order(found) == [("big", "incumbent"), ("other", "fallback")]
    assert [(one.endpoint_id, one.reason) for one in found.rejected] == [
        ("p1/small", NOT_EARNED),
        ("p1/tiny", NOT_EARNED),
    ]
    assert found.reason == "incumbent"


def test_who_has_earned_it_goes_first_and_the_incumbent_stands_in() -> None:
    found = earned(PLAN, POLICY, Served(trial("tiny")))
    assert order(found) == [("tiny", "promoted"), ("other", "fallback"), ("big", "fallback")]


def test_a_held_out_session_says_so() -> None:
    assert earned(PLAN, POLICY, Served(None, held_out=True)).reason == HELD_OUT


def test_a_challenger_that_may_not_serve_this_request_leaves_it_to_the_incumbent() -> None:
    without = structs.replace(PLAN, candidates=PLAN.candidates[1:])
    assert order(earned(without, POLICY, Served(trial("small"))))[0] == ("big", "incumbent")


def test_without_the_incumbent_or_an_adequate_candidate_the_plan_stays() -> None:
    without = structs.replace(PLAN, candidates=PLAN.candidates[:3])
    assert earned(without, POLICY, Served(trial("small"))) is without
    below = [structs.replace(one, adequate=False) for one in PLAN.candidates]
    unmet = structs.replace(PLAN, candidates=tuple(below))
    assert earned(unmet, POLICY, Served(None)) is unmet


def test_all_endpoints_of_a_model_stay_together_in_their_order() -> None:
    plan = structs.replace(PLAN, candidates=(candidate("big", 1), candidate("small"), candidate("big", 2)))
    assert [one.endpoint.id for one in earned(plan, POLICY, Served(None)).candidates] == ["p1/big", "p2/big"]
