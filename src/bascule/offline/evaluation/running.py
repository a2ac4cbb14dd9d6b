"""A run: every case asked of every model, graded, and written down, with bounded concurrency.

Money is the gateway's business: the run has a strict budget of its own there, and where that has nothing left for a
further call the run ends, to be resumed. A refusal while other calls are open may only mean that they hold what they
will not spend, so it is tried again once one of them has settled.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from bascule.offline.evaluation.answers import Answers
from bascule.offline.evaluation.calls import Answered, Ask, Caller
from bascule.offline.evaluation.grading import Grade, Grading
from bascule.offline.evaluation.run_file import Outcome, Result, RunWriter
from bascule.offline.evaluation.suite import Case, Suite

Progress = Callable[[int, int], None]


class Stopped(Exception):
    """There is no money left for a further call."""


class Ended(Struct, frozen=True, kw_only=True):
    """How a run ended."""

    stopped: str | None
    """Why it did not come to the last case; None where it did."""
    isolated: bool | None
    """Graders in processes had no network; None where there were none."""


class Runner:
    def __init__(
        self,
        caller: Caller,
        suite: Suite,
        writer: RunWriter,
        *,
        run: str,
        models: tuple[str, ...],
        judge: str | None,
        concurrency: int,
        known: Mapping[tuple[str, str], Result] | None = None,
        answers: Answers | None = None,
        progress: Progress = lambda done, total: None,
    ) -> None:
        """`known`: results of this run so far, by case and model."""
        self._caller = caller
        self._suite = suite
        self._writer = writer
        self._run = run
        self._models = models
        self._concurrency = concurrency
        self._known = dict(known or {})
        self._answers = answers
        self._progress = progress
        self._grading = Grading(self._ask, run=run, judge=judge)
        self._slots = asyncio.Semaphore(concurrency)
        self._settled = asyncio.Condition()
        self._open = 0
        self._settlements = 0
        self._stopped: str | None = None
        self._done = 0

    async def run(self) -> Ended:
        """Raises StoreError where a result cannot be written."""
        cases = iter(self._suite.cases)
        self._progress(0, self._total)
        workers = [asyncio.ensure_future(self._work(cases)) for _ in range(self._concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return Ended(stopped=self._stopped, isolated=self._grading.isolated)

    @property
    def _total(self) -> int:
        return len(self._suite.cases) * len(self._models)

    async def _work(self, cases: Iterator[Case]) -> None:
        for case in cases:
            if self._stopped is not None:
                return
            try:
                await self._case(case)
            except Stopped as stop:
                self._stopped = self._stopped or str(stop)
                return

    async def _case(self, case: Case) -> None:
        todo = [model for model in self._models if not self._is_done(case, model)]
        self._count(len(self._models) - len(todo))
        if not todo:
            return
        # A comparison needs the others' answers too; those that are known cost nothing.
        asked = await asyncio.gather(*[self._answer(case, model) for model in self._models if self._needs(case, model)])
        answers = {model: answered for model, answered, _ in asked}
        reused = {model for model, _, again in asked if again}
        results = await asyncio.gather(*[self._result(case, model, answers, model in reused) for model in todo])
        for result in results:
            self._writer.add(result)
        self._count(len(todo))

    def _needs(self, case: Case, model: str) -> bool:
        return not self._is_done(case, model) or getattr(case.grader, "against", None) == model

    def _is_done(self, case: Case, model: str) -> bool:
        found = self._known.get((case.id, model))
        return found is not None and found.done

    def _count(self, more: int) -> None:
        self._done += more
        self._progress(self._done, self._total)

    async def _answer(self, case: Case, model: str) -> tuple[str, Answered, bool]:
        """(model, what it says, whether it had said so before)."""
        ask = Ask(
            model=model,
            surface=case.surface,
            body=case.body,
            run=self._run,
            case=case.id,
            task=case.task,
            guard=case.guard,
        )
        snapshot = self._caller.snapshot_of(model) if self._answers is not None else None
        if self._answers is not None and snapshot is not None:
            before = self._answers.get(ask, snapshot)
            if before is not None:
                return model, before, True
        answered = await self._ask(ask)
        if self._answers is not None and snapshot is not None and answered.status == 200:
            self._answers.put(ask, snapshot, answered)
        return model, answered, False

    async def _ask(self, ask: Ask) -> Answered:
        """Raises Stopped where there is no money for it and none will come back."""
        while True:
            async with self._slots:
                if self._stopped is not None:
                    raise Stopped(self._stopped)
                before = self._settlements
                self._open += 1
                try:
                    answered = await self._caller.ask(ask)
                finally:
                    self._open -= 1
                self._settlements += not answered.no_money
            async with self._settled:
                self._settled.notify_all()
                if not answered.no_money:
                    return answered
                while self._settlements == before:
                    if self._open == 0:
                        raise Stopped(answered.error or "no money is left")
                    await self._settled.wait()

    async def _result(self, case: Case, model: str, answers: Mapping[str, Answered], reused: bool) -> Result:
        answered = answers[model]
        if answered.status != 200 or answered.text is None:
            if answered.can_never:
                grade = Grade(grader="none", score=0.0, passed=False, reason=f"refused: {answered.error}")
                return self._line(case, model, answered, grade, "broken", reused)
            grade = Grade(grader="none", score=None, reason=answered.error or "no answer")
            return self._line(case, model, answered, grade, "unanswered", reused)
        grade = await self._grading.grade(case, model, answered.text, answers)
        return self._line(case, model, answered, grade, "ungraded" if grade.score is None else "graded", reused)

    def _line(self, case: Case, model: str, answered: Answered, grade: Grade, outcome: Outcome, reused: bool) -> Result:
        keeps = self._suite.keeps_content
        return Result(
            case=case.id,
            model=model,
            outcome=outcome,
            score=grade.score,
            passed=grade.passed,
            reason=grade.reason if keeps or outcome in ("ungraded", "unanswered") else None,
            grader=grade.grader,
            digest=case.digest,
            task=case.task,
            tags=case.tags,
            answer=answered.text if keeps else None,
            status=answered.status,
            error=answered.error,
            finish_reason=answered.finish_reason,
            request_id=answered.request_id,
            provider=answered.provider,
            model_reported=answered.model_reported,
            cost_nanousd=answered.cost_nanousd,
            judge_nanousd=grade.judge_nanousd,
            latency_ms=answered.latency_ms,
            tokens_in=answered.tokens_in,
            tokens_cache_read=answered.tokens_cache_read,
            tokens_out=answered.tokens_out,
            reused=reused,
            consistent=grade.consistent,
        )
