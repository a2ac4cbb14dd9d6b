"""What a route says of its challengers, as decisions read it."""

from msgspec import Struct

from bascule.decide.evidence.enrolment import Patience
from bascule.decide.promotion.trial import Rules

EVIDENCE_TAG = "bascule-evidence"
"""On shadows and judges, with the name of their route: their budget is on it. No client can set it."""


class GradedBy(Struct, frozen=True, kw_only=True):
    """What an answer has to pass. Its score is the least of all that is set."""

    schema: bool = False
    """JSON of the schema that the request asks for."""
    regex: str | None = None
    absent: str | None = None
    contains: tuple[str, ...] = ()


class JudgedBy(Struct, frozen=True, kw_only=True):
    model: str
    criteria: str | None = None
    labels: int = 500
    """Labelled pairs before its word counts."""
    error: float | None = None
    """The most by which its mean verdict is wrong, where that is known from elsewhere."""
    max_output_tokens: int = 1_000


class EvidencePolicy(Struct, frozen=True, kw_only=True):
    """One route's. Models by the names that candidates of a plan have."""

    route: str
    incumbent: str
    challengers: tuple[str, ...]
    """The most wanted first."""
    tasks: tuple[str, ...] = ()
    """Empty: all."""
    by_prompt: bool = True
    graders: GradedBy | None = None
    judge: JudgedBy | None = None
    rules: Rules = Rules()
    """For each challenger; alpha is shared among them already."""
    patience: Patience = Patience()
    salt: str = ""
    max_nanousd_per_day: int = 5_000_000_000
    max_in_flight: int = 8
    max_trials: int = 200

    def is_about(self, task: str) -> bool:
        return not self.tasks or task in self.tasks

    @property
    def draw(self) -> str:
        """What sessions are drawn with: routes draw independently of each other."""
        return f"{self.route}\0{self.salt}"
