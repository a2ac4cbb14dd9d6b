"""One run from the command line: begun or resumed, asked through a gateway, written down."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from bascule.cli.data import data_dir_of, open_store
from bascule.cli.evaluating.opening import opened
from bascule.cli.period import now_ms
from bascule.cli.progress import counting
from bascule.config.load import Document
from bascule.model.errors import BasculeError
from bascule.model.output_contract import OutputContract
from bascule.offline.evaluation.answers import Answers
from bascule.offline.evaluation.graders import AnyGrader, Judged, Pairwise
from bascule.offline.evaluation.run_file import Header, Run, RunWriter, free_id, path_of, read_run, unfinished
from bascule.offline.evaluation.running import Ended, Runner
from bascule.offline.evaluation.suite import Suite

MAX_CONCURRENCY = 64


class Wanted(Struct, frozen=True, kw_only=True):
    """What a command asks for."""

    models: tuple[str, ...]
    judge: str | None = None
    max_nanousd: int | None = None
    concurrency: int = 4
    key: str | None = None
    resume: bool = False
    fresh: bool = False
    """Answers of earlier runs are not taken again."""


class Made(Struct, frozen=True, kw_only=True):
    run: Run
    ended: Ended
    resumed: int
    """Results that were there before."""


def evaluate(document: Document, suite: Suite, wanted: Wanted) -> Made:
    """Raises BasculeError where a model, a key or the cap stands in the way, StoreError where nothing can be
    written."""
    _check(suite, wanted)
    data_dir = data_dir_of(document)
    before = None
    if wanted.resume:
        before = unfinished(data_dir, digest=suite.digest, models=wanted.models, judge=wanted.judge)
        if before is None:
            raise BasculeError(
                "there is no run of these cases, models and judge to resume; leave --resume out to begin one"
            )
    at_ms = now_ms()
    store = open_store(document)
    header = _header(document, suite, wanted, at_ms) if before is None else before.header
    run = header.run
    known = {} if before is None else {(one.case, one.model): one for one in before.results}
    answers = Answers(data_dir, reads=not wanted.fresh) if suite.keeps_content else None
    with opened(
        document,
        dict(os.environ),
        store,
        run=run,
        names=(*wanted.models, *_judges(suite, wanted.judge)),
        max_nanousd=wanted.max_nanousd,
        key=wanted.key,
        now_ms=at_ms,
    ) as caller:
        writer = RunWriter(path_of(data_dir, run), header if before is None else None)
        try:
            with counting(suite.name) as progress:
                runner = Runner(
                    caller,
                    suite,
                    writer,
                    run=run,
                    models=wanted.models,
                    judge=wanted.judge,
                    concurrency=wanted.concurrency,
                    known=known,
                    answers=answers,
                    progress=progress,
                )
                ended = asyncio.run(caller.closing(runner.run()))
        finally:
            writer.close()
    return Made(run=read_run(writer.path), ended=ended, resumed=sum([one.done for one in known.values()]))


def _header(document: Document, suite: Suite, wanted: Wanted, at_ms: int) -> Header:
    stamp = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S")
    return Header(
        run=free_id(data_dir_of(document), stamp),
        suite=suite.name,
        source=suite.source,
        digest=suite.digest,
        models=wanted.models,
        judge=wanted.judge,
        at_ms=at_ms,
        cases=len(suite.cases),
        keeps_content=suite.keeps_content,
        max_nanousd=wanted.max_nanousd,
    )


def _judges(suite: Suite, judge: str | None) -> Sequence[str]:
    named = [case.grader.model for case in suite.cases if isinstance(case.grader, Judged | Pairwise)]
    return [name for name in dict.fromkeys([judge, *named]) if name is not None]


def _needs_judge(grader: AnyGrader | None) -> bool:
    if isinstance(grader, OutputContract):
        return grader.judge
    return isinstance(grader, Judged | Pairwise) and grader.model is None


def _check(suite: Suite, wanted: Wanted) -> None:
    """Raises BasculeError before anything is asked or paid."""
    for case in suite.cases:
        grader = case.grader
        if wanted.judge is None and _needs_judge(grader):
            raise BasculeError(f"case {case.id!r} is graded by a judge, and none is named; give --judge MODEL")
        if isinstance(grader, Pairwise) and grader.against not in ("reference", *wanted.models):
            raise BasculeError(
                f"case {case.id!r} is compared with {grader.against!r}, which is not among --models "
                f"{','.join(wanted.models)}"
            )
