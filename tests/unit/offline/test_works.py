"""Works and their cost per outcome."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bascule.model.session_outcome import SessionOutcome
from bascule.offline.outcomes import outcome_figures, state_of
from bascule.offline.parts import Part
from bascule.offline.works import works


def part(
    session: str | None, cost: int | None, *, pr: str | None = None, branch: str | None = None, **more: Any
) -> Part:
    more.setdefault("project", None)
    known = {"unknown": 1} if cost is None else {"cost_nanousd": cost, "known": 1}
    return Part(session_id=session, pr=pr, branch=branch, first_ms=0, last_ms=1, attempts=1, **known, **more)


def said(session: str, outcome: str | None = None, **more: Any) -> SessionOutcome:
    return SessionOutcome(session_id=session, outcome=outcome, **{"at_ms": 1, "source": "git", **more})


def costs(parts: list[Part], outcomes: list[SessionOutcome] | None = None) -> dict[str, int]:
    return {work.name: work.cost_nanousd for work in works(parts, outcomes or []).works}


def test_sessions_on_one_pull_request_are_one_work() -> None:
    found = [
        part("a", 5, pr="12", branch="fix"),
        part("b", 7, pr="acme/web#12"),
        part("c", 1, branch="fix"),  # the branch of a pull request that another session named
        part("d", 2, pr="acme/api#12"),
    ]
    assert costs(found[:3]) == {"acme/web#12": 13}
    assert costs(found) == {"acme/web#12": 7, "#12": 6, "acme/api#12": 2}  # which one is meant is no longer clear


def test_projects_keep_equal_names_apart() -> None:
    found = [
        part("a", 1, branch="fix", project="web"),
        part("b", 2, branch="fix", project="api"),
        part("c", 4, pr="3", project="web"),
        part("d", 8, pr="3", project="api"),
        part("e", 16, pr="acme/web#3"),
    ]
    assert costs(found) == {"web:fix": 1, "api:fix": 2, "acme/web#3": 20, "api#3": 8}


def test_what_works_share_is_split_evenly_and_sums() -> None:
    found = [
        part("s", 10, branch="main"),
        part("s", 1, branch="one"),
        part("s", 2, branch="two"),
        part("s", 3, branch="three"),
    ]
    assert costs(found) == {"one": 5, "two": 5, "three": 6}
    assert costs([part("s", 9, pr="1, 2")]) == {"#1": 5, "#2": 4}
    shared = {work.name: work.shared_nanousd for work in works(found, []).works}
    assert sum(shared.values()) == 10


def test_a_session_that_names_nothing_is_its_own_work() -> None:
    assert costs([part("s", 3, branch="main"), part("s", 4)]) == {"session s": 7}
    told = [said("s", "merged", part="main", work="ab12cd34ef56")]
    assert costs([part("s", 3, branch="main")], told) == {"ab12cd34ef56": 3}
    loose = works([part(None, 3), part(None, 4, branch="fix")], [])
    assert {work.name: work.cost_nanousd for work in loose.works} == {"fix": 4}
    assert loose.loose is not None
    assert loose.loose.cost_nanousd == 3


def test_git_s_word_names_the_work_of_a_branch() -> None:
    found = [part("a", 1, branch="fix"), part("b", 2, branch="fix")]
    told = [said("a", "merged", part="fix", work="#7"), said("b", "reverted", part="fix", work="#9")]
    made = works(found, told)
    assert {work.name: (work.cost_nanousd, state_of(work)) for work in made.works} == {
        "#7": (1, "merged"),
        "#9": (2, "reverted"),
    }


def test_fate_is_the_latest_and_use_is_what_people_say() -> None:
    def judged(*outcomes: SessionOutcome) -> tuple[str | None, bool | None]:
        (work,) = works([part("s", 1, branch="fix")], outcomes).works
        return work.delivery, work.useful

    assert judged() == (None, None)
    assert judged(said("s", "merged")) == ("merged", True)
    assert judged(said("s", "reverted", at_ms=5), said("s", "merged", at_ms=2, source="ann")) == ("reverted", False)
    assert judged(said("s", "merged", at_ms=9), said("s", "useless", source="ann")) == ("merged", False)
    assert judged(said("s", score=0.5, source="ci")) == (None, True)
    assert judged(said("s", score=0.4, source="ci")) == (None, False)
    assert judged(said("s", "merged", part="other")) == (None, None)
    requests = [said("s", request_id=f"r{n}", score=score) for n, score in enumerate((1.0, 0.0, 0.2))]
    assert judged(*requests) == (None, False)
    assert judged(*requests, said("s", "useful", source="ann")) == (None, True)


def test_the_range_of_cost_per_outcome() -> None:
    found = [part(name, 100, branch=name) for name in ("a", "b", "c", "d", "e")] + [part(None, 50), part("f", None)]
    told = [said("a", "merged"), said("b", "abandoned"), said("c", "reverted")]
    made = outcome_figures(works(found, told))
    assert made.cost_nanousd == 550
    assert (made.useful.outcomes, made.useful.unknown) == (1, 3)
    assert (made.useful.cost_nanousd, made.useful.low_nanousd, made.useful.high_nanousd) == (550, 138, 550)
    assert (made.unknown_attempts, made.unknown_works, made.loose_nanousd) == (1, 1, 50)
    nothing = outcome_figures(works([part("a", 5)], []))
    assert (nothing.useful.cost_nanousd, nothing.useful.low_nanousd, nothing.useful.high_nanousd) == (None, 5, None)
    empty = outcome_figures(works([], []))
    assert (empty.useful.cost_nanousd, empty.useful.low_nanousd) == (None, None)


_PARTS = st.builds(
    part,
    st.sampled_from(["s1", "s2", "s3", None]),
    st.none() | st.integers(0, 10**12),
    pr=st.sampled_from([None, "1", "2", "acme/web#1", "1,2,3", "nonsense"]),
    branch=st.sampled_from([None, "main", "fix", "login"]),
    project=st.sampled_from([None, "web"]),
)
_SAID = st.builds(
    said,
    st.sampled_from(["s1", "s2", "s3"]),
    st.sampled_from([None, "merged", "reverted", "abandoned", "useful", "useless"]),
    part=st.sampled_from([None, "fix", "main", "1"]),
    work=st.sampled_from([None, "#1", "acme/web#2", "ab12cd34"]),
    at_ms=st.integers(0, 9),
)


@given(st.lists(_PARTS, max_size=12), st.lists(_SAID, max_size=6))
def test_every_nano_dollar_is_in_one_state(found: list[Part], outcomes: list[SessionOutcome]) -> None:
    worked = works(found, outcomes)
    made = outcome_figures(worked)
    whole = sum(each.cost_nanousd for each in found)
    assert made.cost_nanousd == whole
    assert sum(state.cost_nanousd for state in made.states) == whole
    assert made.unknown_attempts == sum(each.unknown for each in found)
    for per in (made.useful, made.merged):
        if per.cost_nanousd is not None and per.low_nanousd is not None:
            assert per.low_nanousd <= per.cost_nanousd
