"""What two answers to one request are worth to each other: by programs first, and by a judge where those see no
difference."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from bascule.decide.grade import Contains, Graded, Regex, prepare
from bascule.decide.json_schema import GraderError
from bascule.decide.judge import Preference, Unreadable
from bascule.decide.promotion.policy import GradedBy
from bascule.decide.schema_work import of_a_client

AskJudge = Callable[[str, str], Awaitable[Preference | Unreadable]]
"""Compares the challenger's answer, first, with the incumbent's."""


class Grade(Struct, frozen=True, kw_only=True):
    """Challenger less incumbent."""

    difference: float | None
    """None: it cannot be told."""
    grader: str
    judged: bool = False


class Graders:
    """One route's programs, prepared once."""

    def __init__(self, asked: GradedBy | None) -> None:
        """The patterns have been checked with the configuration."""
        self._schema = asked is not None and asked.schema
        self._named: list[tuple[str, Graded]] = []
        if asked is not None:
            if asked.regex is not None:
                self._named.append(("regex", prepare(Regex(pattern=asked.regex))))
            if asked.absent is not None:
                self._named.append(("absent", prepare(Regex(pattern=asked.absent, absent=True))))
            if asked.contains:
                self._named.append(("contains", prepare(Contains(expected=asked.contains))))

    def has_a_say(self, *, has_schema: bool) -> bool:
        """Whether any of them tells answers to a request apart. That none does is no sign that they are equal."""
        return bool(self._named) or (self._schema and has_schema)

    def for_request(self, schema: dict[str, Any] | None) -> list[tuple[str, Graded]]:
        """Those that have something to say of a request. A schema that cannot be checked says nothing."""
        found = list(self._named)
        if self._schema and schema is not None:
            try:
                found.append(("schema", of_a_client(schema)))
            except GraderError:
                return found
        return found


def scored(graders: list[tuple[str, Graded]], answer: str | None) -> tuple[float, str]:
    """The least score, and whose it is. An answer that failed is worth nothing."""
    if answer is None:
        return 0.0, "answered"
    return min([(graded(answer).value, name) for name, graded in graders], default=(1.0, "answered"))


async def graded(
    graders: list[tuple[str, Graded]], challenger: str | None, incumbent: str | None, ask_judge: AskJudge | None
) -> Grade:
    """`None` for an answer that failed for a reason that is its model's own."""
    try:
        one, by_one = scored(graders, challenger)
        other, by_other = scored(graders, incumbent)
    except GraderError:
        return Grade(difference=None, grader="schema")  # too much work to check both, so neither counts
    if one != other:
        return Grade(difference=one - other, grader=by_one if one < other else by_other)
    if not graders and ask_judge is None and challenger is not None:
        return Grade(difference=None, grader="none")  # nobody has looked: that is not equality
    if ask_judge is None or challenger is None or incumbent is None:
        return Grade(difference=0.0, grader=by_one)
    if challenger == incumbent:
        return Grade(difference=0.0, grader="same")
    found = await ask_judge(challenger, incumbent)
    if isinstance(found, Unreadable):
        return Grade(difference=None, grader="judge", judged=True)
    return Grade(difference=2 * found.score_a - 1, grader="judge", judged=True)
