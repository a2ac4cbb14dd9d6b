"""The shape of what a route says about its strategy: how several models work on one request. docs/strategies.md."""

from typing import Annotated, Literal

from msgspec import Meta, field

from bascule.config.scalars import Name, NanoUsd
from bascule.config.section import Seconds, Section, Share
from bascule.model.strategy import MAX_ANSWER_BYTES

AnswerBytes = Annotated[int, Meta(ge=1_024, le=64 * 1024 * 1024)]
OutputTokens = Annotated[int, Meta(ge=16, le=128_000)]


class Judging(Section, frozen=True, kw_only=True):
    """A model that says what an answer is worth. It sees marked material, has no tools, and answers in a schema."""

    model: Name
    """Who judges; better not one of those that are judged."""
    threshold: Share = 0.8
    """The least score with which one answer is good enough."""
    criteria: str | None = None
    """What is a good answer, for the judge to read. Left out: correct, complete, and what was asked for."""
    max_output_tokens: OutputTokens = 1_000
    """Of what it says, its thinking included."""


class Agreeing(Section, frozen=True, kw_only=True):
    """A second cheap model is asked the same and has to say the same."""

    model: Name
    """Who is asked too."""
    by: Literal["exact", "json", "numeric", "words"] = "exact"
    """What has to be the same: the text but for case and punctuation at its ends, the JSON value, the last number, or
    most of the words."""
    threshold: Share = 0.8
    """With `words`: the least share of them in common (F1)."""


class Command(Section, frozen=True, kw_only=True):
    """A program that looks at an answer: a unit test, a compiler. It gets `{"question", "answer", "model"}` as JSON on
    its standard input, and accepts by ending with 0."""

    run: Annotated[tuple[str, ...], Meta(min_length=1)]
    """The program and its arguments; no shell is involved."""
    timeout_s: Seconds = 10.0
    """One that takes longer is killed, and has not accepted."""
    max_memory_bytes: Annotated[int, Meta(ge=16 * 1024 * 1024)] = 512 * 1024 * 1024
    """Of its address space."""
    max_at_once: Annotated[int, Meta(ge=1, le=64)] = 2
    """In each worker; the others wait."""


class Keeping(Section, frozen=True, kw_only=True):
    """Rules of an output contract that need no model. See docs/evaluation.md."""

    min_words: Annotated[int, Meta(ge=1)] | None = None
    """It has so many words at least."""
    max_words: Annotated[int, Meta(ge=1)] | None = None
    """It has no more."""
    sections: tuple[str, ...] = ()
    """Headings that it has, each on a line of its own, in this order."""
    required: tuple[str, ...] = ()
    """Words that it has."""
    forbidden: tuple[str, ...] = ()
    """Words that it has not."""
    sources: tuple[str, ...] = ()
    """Texts: each figure, day and quotation of it stands in one of them."""
    from_request: bool = False
    """What was asked is a source too."""
    allowed: tuple[str, ...] = ()
    """What may be claimed without a source."""


class Verifying(Section, frozen=True, kw_only=True):
    """A trained verifier says how good it is."""

    name: Name
    """Of an installed package's entry point in the group `bascule.verifiers`."""
    threshold: Share = 0.8
    """The least score with which an answer is good enough."""
    timeout_s: Seconds = 2.0
    """One that takes longer has said nothing."""


class Accepting(Section, frozen=True, kw_only=True):
    """What an answer has to pass. All that is written here must hold."""

    schema: str | None = None
    """It is JSON of this JSON Schema, written as JSON text in quotes; or `request`: of the schema that the request asks
    for."""
    regex: str | None = None
    """This is found in it (RE2)."""
    output_contract: Keeping | None = None
    """It keeps all these rules."""
    logprob: Annotated[float, Meta(gt=0, le=1)] | None = None
    """The least probability of its tokens, as their geometric mean."""
    verifier: Verifying | None = None
    command: Command | None = None
    agreement: Agreeing | None = None
    judge: Judging | None = None
    tool_calls: Literal["accept", "escalate"] = "escalate"
    """An answer that calls tools passes no test: take it if its calls are well formed, or ask the next model."""


class CascadeConfig(Section, frozen=True, kw_only=True):
    """The cheapest model first; what is not accepted goes to the next, and the last one's answer goes out as it is."""

    accept: Accepting
    order: tuple[Name, ...] = ()
    """Among the candidates, cheapest first. Left out: in the order of the candidates."""
    max_answer_bytes: AnswerBytes = MAX_ANSWER_BYTES
    """Of an answer that is held back; a larger one counts as not accepted."""


class VerifyConfig(Section, frozen=True, kw_only=True):
    """One model answers, a cheap one looks for mistakes, and where it finds some another answers anew with its
    critique."""

    check: Judging
    generate: Name | None = None
    """Who answers. Left out: the first candidate."""
    regenerate: Name | None = None
    """Who answers anew. Left out: the last candidate."""
    max_answer_bytes: AnswerBytes = MAX_ANSWER_BYTES
    """Of an answer that is held back; a larger one is answered anew."""


class BestOfConfig(Section, frozen=True, kw_only=True):
    """Several answers, of which a judge picks the best, two at a time and each pair in both orders."""

    judge: Judging
    n: Annotated[int, Meta(ge=2, le=8)] = 3
    """How many answers."""
    models: tuple[Name, ...] = ()
    """Among the candidates; asked in turn until there are `n` answers. Left out: the first candidate alone."""
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    """Of the answers, instead of what the request says."""
    max_answer_bytes: AnswerBytes = MAX_ANSWER_BYTES
    """Of each answer; a larger one is not picked."""


class RaceConfig(Section, frozen=True, kw_only=True):
    """All at once; the first whole answer that is acceptable goes out, the others are cancelled, all are paid for."""

    models: tuple[Name, ...] = ()
    """Among the candidates. Left out: all of them."""
    accept: Accepting = Accepting()
    """Tests that ask no further model."""
    max_answer_bytes: AnswerBytes = MAX_ANSWER_BYTES
    """Of each answer; a larger one has not won."""


class DelegateConfig(Section, frozen=True, kw_only=True):
    """A strong model answers and may hand self-contained parts of the work to a cheap one, by a tool of the
    gateway's."""

    frontier: Name
    """Who answers; one of the candidates."""
    worker: Name
    """Who does what is handed on."""
    tool: Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")] = "delegate"
    """The name of the tool. A request that has a tool of this name is served without it."""
    max_calls: Annotated[int, Meta(ge=1, le=32)] = 4
    """Of workers, for one request."""
    max_rounds: Annotated[int, Meta(ge=1, le=8)] = 2
    """Answers in which it may delegate; after these it has to answer itself."""
    max_task_bytes: Annotated[int, Meta(ge=1_024, le=1024 * 1024)] = 16 * 1024
    """Of what is handed on."""
    max_output_tokens: OutputTokens = 2_000
    """Of a worker's answer."""
    max_result_bytes: Annotated[int, Meta(ge=1_024, le=1024 * 1024)] = 8 * 1024
    """Of what the strong model is told of it; the rest is cut, and it is told so."""
    max_cost_nanousd: NanoUsd | None = field(name="max_cost_usd", default=None)
    """Of all workers for one request together."""
    max_answer_bytes: AnswerBytes = MAX_ANSWER_BYTES
    """Of each answer of the strong model."""


class Strategies(Section, frozen=True, kw_only=True):
    """Exactly one of these."""

    cascade: CascadeConfig | None = None
    verify: VerifyConfig | None = None
    best_of: BestOfConfig | None = None
    race: RaceConfig | None = None
    delegate: DelegateConfig | None = None


Word = Literal["single", "race", "cascade", "verify", "best_of", "delegate"]


def named(written: Word | Strategies) -> list[str]:
    """The names of the strategies that are written down; a mistake unless it is one."""
    if isinstance(written, str):
        return [written]
    return [name for name in Strategies.__struct_fields__ if getattr(written, name) is not None]
