"""All graders that a suite may name: those of `decide.grade`, and those that take a process or a model."""

from msgspec import Struct

from bascule.decide.grade import Contains, Exact, Numeric, Regex, Schema
from bascule.model.output_contract import OutputContract

DEFAULT_CRITERIA = "Is the answer correct, complete, and what was asked for?"


class Python(Struct, frozen=True, kw_only=True, tag="python"):
    """A function of the user's own: `def grade(case, answer)` gives a number from 0 to 1, a bool, or (number, reason).

    It runs in a process of its own, with limits, without this process's environment, and without a network where the
    system can take it away. See `hook`.
    """

    file: str
    """Relative to the suite's folder."""
    function: str = "grade"
    timeout_s: float = 10.0
    memory_mb: int = 512


class Judged(Struct, frozen=True, kw_only=True, tag="judge"):
    """A model gives a score by criteria."""

    model: str | None = None
    """None: that of `--judge`."""
    criteria: str = DEFAULT_CRITERIA
    pass_at: float = 0.7
    """From this score on the answer counts as good."""


class Pairwise(Struct, frozen=True, kw_only=True, tag="pairwise"):
    """A model says which of two answers is better, in both orders: the model's own, and that of `against`.

    Better is 1, no better and no worse a half, worse 0.
    """

    against: str = "reference"
    """One of the models of the run, or `reference`: the case's own."""
    model: str | None = None
    criteria: str = DEFAULT_CRITERIA


AnyGrader = Exact | Contains | Numeric | Regex | Schema | OutputContract | Python | Judged | Pairwise


def name_of(grader: AnyGrader) -> str:
    """As it is called in a suite."""
    tag = type(grader).__struct_config__.tag
    return str(tag)
