"""Strategies: how several models work on one request. What a route says of one, as decisions read it."""

from typing import Literal

from msgspec import Struct

from bascule.model.output_contract import OutputContract

VERIFIERS = "bascule.verifiers"
"""The group of entry points by which packages bring verifiers."""
COMMAND_PATH = "/usr/local/bin:/usr/bin:/bin"
"""Where programs are looked for that are named without their path."""
MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""Of an answer that is held back to be looked at, as its provider sent it; a larger one is not looked at."""

Measure = Literal["exact", "json", "numeric", "words"]


class Agreement(Struct, frozen=True, kw_only=True):
    """A second cheap model says the same."""

    model: str
    by: Measure = "exact"
    threshold: float = 0.8
    """Of `words`: the least share of words in common (F1)."""


class JudgePolicy(Struct, frozen=True, kw_only=True):
    """A model that says what an answer is worth."""

    model: str
    criteria: str | None = None
    max_output_tokens: int = 1_000
    threshold: float = 0.8
    """The least score, 0 to 1, with which an answer is good enough."""


class CommandPolicy(Struct, frozen=True, kw_only=True):
    """A program of the operator's own that looks at an answer; it runs in a process of its own, under limits."""

    run: tuple[str, ...]
    timeout_s: float = 10.0
    max_memory_bytes: int = 512 * 1024 * 1024
    max_at_once: int = 2


class VerifierPolicy(Struct, frozen=True, kw_only=True):
    """A trained verifier of an installed package."""

    name: str
    threshold: float = 0.8
    """The least score, 0 to 1, with which an answer is good enough."""
    timeout_s: float = 2.0


class Acceptance(Struct, frozen=True, kw_only=True):
    """What a cheap answer has to pass: all that is set, what costs nothing first."""

    schema: str | None = None
    """JSON text of a JSON Schema, or `request`: the one that the request asks for."""
    regex: str | None = None
    """Must be found in the answer (RE2)."""
    output_contract: OutputContract | None = None
    logprob: float | None = None
    """The least probability of a token, as the geometric mean over the answer."""
    verifier: VerifierPolicy | None = None
    command: CommandPolicy | None = None
    agreement: Agreement | None = None
    judge: JudgePolicy | None = None
    tool_calls: Literal["accept", "escalate"] = "escalate"
    """What is done about an answer that calls tools, of which no test can tell anything."""

    @property
    def tests(self) -> tuple[str, ...]:
        """The names of those that are set, in the order in which they are made."""
        named = ("schema", "regex", "output_contract", "logprob", "verifier", "command", "agreement", "judge")
        return tuple([name for name in named if getattr(self, name) is not None])


class Cascade(Struct, frozen=True, kw_only=True):
    """The cheapest first; an answer that is not accepted goes to the next one, and the last one's goes out as it is."""

    order: tuple[str, ...]
    accept: Acceptance
    max_answer_bytes: int = MAX_ANSWER_BYTES


class Verify(Struct, frozen=True, kw_only=True):
    """One model answers, another looks for errors, gaps and format, and where it finds some a third answers anew."""

    generate: str
    check: JudgePolicy
    regenerate: str
    max_answer_bytes: int = MAX_ANSWER_BYTES


class BestOf(Struct, frozen=True, kw_only=True):
    """Several answers, of which a judge picks one."""

    models: tuple[str, ...]
    n: int = 3
    temperature: float | None = None
    """Of each answer, instead of what the request says."""
    judge: JudgePolicy
    max_answer_bytes: int = MAX_ANSWER_BYTES


class RaceOf(Struct, frozen=True, kw_only=True):
    """All models at once; the first whole answer that is acceptable wins."""

    models: tuple[str, ...]
    accept: Acceptance = Acceptance()
    max_answer_bytes: int = MAX_ANSWER_BYTES


class Delegate(Struct, frozen=True, kw_only=True):
    """A strong model answers, and may hand self-contained parts of the work to a cheap one by calling a tool."""

    frontier: str
    worker: str
    tool: str = "delegate"
    max_calls: int = 4
    max_rounds: int = 2
    """Answers of the strong model in which it may delegate; then it has to answer itself."""
    max_task_bytes: int = 16 * 1024
    max_output_tokens: int = 2_000
    """Of a worker's answer."""
    max_result_bytes: int = 8 * 1024
    max_cost_nanousd: int | None = None
    """Of all workers for one request together."""
    max_answer_bytes: int = MAX_ANSWER_BYTES


Strategy = Cascade | Verify | BestOf | RaceOf | Delegate
