import pytest

from bascule.decide.judge import Preference, Unreadable
from bascule.decide.promotion.policy import GradedBy
from bascule.gateway.evidence.grading import Grade, Graders, graded, scored

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


async def never(challenger: str, incumbent: str) -> Preference | Unreadable:
    raise AssertionError("nobody needs a judge here")


async def prefers_the_challenger(challenger: str, incumbent: str) -> Preference | Unreadable:
    return Preference(winner="a", consistent=True, reason="r")


async def says_nothing(challenger: str, incumbent: str) -> Preference | Unreadable:
    return Unreadable("no JSON")


def test_an_answer_is_worth_the_least_of_what_its_graders_say() -> None:
    graders = Graders(GradedBy(regex="^ok", absent="sorry", contains=("a", "b"))).for_request(None)
    assert scored(graders, "ok a b") == (1.0, "absent")
    assert scored(graders, "ok a") == (0.5, "contains")
    assert scored(graders, "ok a b, sorry") == (0.0, "absent")
    assert scored(graders, None) == (0.0, "answered")


def test_the_schema_of_the_request_is_what_counts() -> None:
    asked = Graders(GradedBy(schema=True))
    assert scored(asked.for_request(SCHEMA), '{"n": 1}')[0] == 1.0
    assert scored(asked.for_request(SCHEMA), '{"n": "1"}') == (0.0, "schema")
    assert asked.for_request(None) == []


async def test_programs_go_first() -> None:
    graders = Graders(GradedBy(contains=("right",))).for_request(None)
    assert await graded(graders, "right", "wrong", never) == Grade(difference=1.0, grader="contains")
    assert await graded(graders, None, "right", never) == Grade(difference=-1.0, grader="answered")
    assert await graded(graders, "right", "right", never) == Grade(difference=0.0, grader="same")
    assert await graded(graders, "right", "right too", None) == Grade(difference=0.0, grader="contains")


@pytest.mark.parametrize(("ask", "difference"), [(prefers_the_challenger, 1.0), (says_nothing, None)])
async def test_a_judge_is_asked_where_they_see_no_difference(ask, difference: float | None) -> None:
    found = await graded([], "one", "other", ask)
    assert found == Grade(difference=difference, grader="judge", judged=True)


async def test_that_nobody_has_looked_is_not_equality() -> None:
    assert (await graded([], "one", "other", None)).difference is None
    assert (await graded([], None, "other", None)).difference == -1.0
    assert not Graders(GradedBy(schema=True)).has_a_say(has_schema=False)
    assert Graders(GradedBy(schema=True)).has_a_say(has_schema=True)
    assert Graders(GradedBy(regex="x")).has_a_say(has_schema=False)
    assert not Graders(None).has_a_say(has_schema=True)


async def test_two_failures_are_no_difference() -> None:
    assert (await graded([], None, None, never)).difference == 0.0
