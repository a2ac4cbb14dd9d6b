"""What an answer is worth, by whichever grader its case has: at once, in a process, or by asking a judge."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from msgspec import Struct, structs

from bascule.decide.grade import Graded, Score, prepare
from bascule.decide.json_schema import GraderError
from bascule.decide.judge import Material, Unreadable, pairwise_requests, preference, read_rubric, rubric_request
from bascule.decide.output_contract import criteria, prepare_output_contract
from bascule.dialects.base import Target
from bascule.dialects.registry import provider_side
from bascule.model.errors import Refusal
from bascule.model.output_contract import OutputContract
from bascule.model.request import Request
from bascule.offline.evaluation.calls import Answered, Ask
from bascule.offline.evaluation.graders import AnyGrader, Judged, Pairwise, Python, name_of
from bascule.offline.evaluation.hook import graded_by
from bascule.offline.evaluation.suite import Case

HOOKS_AT_ONCE = 2
NOT_WORSE = 0.5
Asking = Callable[[Ask], Awaitable[Answered]]


class Grade(Struct, frozen=True, kw_only=True):
    """What an answer is worth. `score` None: nothing can tell."""

    grader: str
    score: float | None
    reason: str
    passed: bool | None = None
    judge_nanousd: int = 0
    consistent: bool | None = None


class Grading:
    def __init__(self, asking: Asking, *, run: str, judge: str | None) -> None:
        self._asking = asking
        self._run = run
        self._judge = judge
        self._prepared: dict[str, Graded] = {}
        self._hooks = asyncio.Semaphore(HOOKS_AT_ONCE)
        self.isolated: bool | None = None
        """All graders in processes had no network; None where there were none."""

    async def grade(self, case: Case, model: str, answer: str, others: Mapping[str, Answered]) -> Grade:
        """`others`: what all models of the run answered."""
        grader = case.grader or self._by_judge(case)
        if grader is None:
            return Grade(grader="none", score=None, reason="the case has no grader, and the run no --judge")
        try:
            match grader:
                case Judged():
                    return await self._judged(grader, case, answer)
                case Pairwise():
                    return await self._compared(grader, case, model, answer, others)
                case OutputContract():
                    return await self._kept(grader, case, answer)
                case Python():
                    score = await self._hooked(grader, case, answer)
                case _:
                    score = self._graded(case, grader)(answer)
        except GraderError as error:
            return Grade(grader=name_of(grader), score=None, reason=str(error))
        return Grade(grader=name_of(grader), score=score.value, passed=score.passed, reason=score.reason)

    def _by_judge(self, case: Case) -> AnyGrader | None:
        if self._judge is None:
            return None
        return Judged() if case.incumbent is None else Pairwise(against="reference")

    def _graded(self, case: Case, grader: Any) -> Graded:
        found = self._prepared.get(case.id)
        if found is None:
            found = self._prepared[case.id] = prepare(grader)
        return found

    async def _kept(self, contract: OutputContract, case: Case, answer: str) -> Grade:
        """By its rules; a judge is asked only about an answer that keeps them all."""
        sources = (*contract.sources, case.question) if contract.from_request else contract.sources
        score = prepare_output_contract(structs.replace(contract, sources=sources))(answer)
        if not contract.judge or not score.passed:
            return Grade(grader="output_contract", score=score.value, passed=score.passed, reason=score.reason)
        judged = structs.replace(case, reference="\n\n".join(sources) or case.reference)
        found = await self._judged(Judged(criteria=criteria(contract)), judged, answer)
        return structs.replace(found, grader="output_contract")

    async def _hooked(self, grader: Python, case: Case, answer: str) -> Score:
        told = {"id": case.id, "task": case.task, "tags": case.tags, "reference": case.reference, "request": case.body}
        async with self._hooks:
            found = await graded_by(grader, told, answer)
        self.isolated = found.isolated and self.isolated is not False
        return found.score

    async def _judged(self, grader: Judged, case: Case, answer: str) -> Grade:
        material = Material(question=case.question, criteria=grader.criteria, reference=case.reference)
        said = await self._ask(case, grader, rubric_request(self._model(grader), material, answer))
        spent = said.cost_nanousd or 0
        verdict = read_rubric(said.text) if said.text is not None else Unreadable(f"the judge: {said.error}")
        if isinstance(verdict, Unreadable):
            return Grade(grader="judge", score=None, reason=verdict.why, judge_nanousd=spent)
        passed = verdict.score >= grader.pass_at
        return Grade(grader="judge", score=verdict.score, passed=passed, reason=verdict.reason, judge_nanousd=spent)

    async def _compared(
        self, grader: Pairwise, case: Case, model: str, answer: str, others: Mapping[str, Answered]
    ) -> Grade:
        if model == grader.against:
            return Grade(grader="pairwise", score=NOT_WORSE, passed=True, reason="is what others are compared with")
        opponent = self._opponent(grader, case, others)
        if opponent is None:
            return Grade(
                grader="pairwise", score=None, reason=f"there is no answer of {grader.against!r} to compare with"
            )
        material = Material(question=case.question, criteria=grader.criteria)
        requests = pairwise_requests(self._model(grader), material, answer, opponent)
        said = await asyncio.gather(*[self._ask(case, grader, request) for request in requests])
        spent = sum([one.cost_nanousd or 0 for one in said])
        texts = [one.text for one in said if one.text is not None]
        found = preference(*texts) if len(texts) == len(said) else Unreadable(f"the judge: {_error(said)}")
        if isinstance(found, Unreadable):
            return Grade(grader="pairwise", score=None, reason=found.why, judge_nanousd=spent)
        return Grade(
            grader="pairwise",
            score=found.score_a,
            passed=found.score_a >= NOT_WORSE,
            reason=found.reason,
            judge_nanousd=spent,
            consistent=found.consistent,
        )

    def _opponent(self, grader: Pairwise, case: Case, others: Mapping[str, Answered]) -> str | None:
        if grader.against == "reference":
            return case.reference if case.incumbent is None else case.incumbent
        found = others.get(grader.against)
        return None if found is None else found.text

    def _model(self, grader: Judged | Pairwise) -> str:
        model = grader.model or self._judge
        if model is None:
            raise GraderError("no judge is named; add `model` to the grader, or --judge MODEL")
        return model

    async def _ask(self, case: Case, grader: Judged | Pairwise, request: Request) -> Answered:
        return await self._asking(
            Ask(
                model=self._model(grader),
                surface="openai_chat",
                body=chat_body(request),
                run=self._run,
                case=case.id,
                task=case.task,
                judges=True,
                guard=case.guard,
            )
        )


def chat_body(request: Request) -> dict[str, Any]:
    """A canonical request as a Chat Completions body, without its model. Raises GraderError where it has no words for
    it."""
    raw = provider_side("openai_chat").render_request(request, Target(upstream_model=request.model))
    if isinstance(raw, Refusal):
        raise GraderError(raw.message)
    body: dict[str, Any] = orjson.loads(raw)
    del body["model"]
    return body


def _error(said: list[Answered]) -> str:
    return next((one.error for one in said if one.error is not None), None) or "no answer"
