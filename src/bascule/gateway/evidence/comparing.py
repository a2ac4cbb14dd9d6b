"""Requests that are answered by both: the second answer is asked for once the client has its own, and delays nobody.

Everything that a request's own policies say holds for its shadow: data, providers, budgets, and what may be recorded.
It has a hold of its own, with those of the judge, in every budget of the request and in that of evidence. What there is
no room or money for is not compared, and counted; it was settled before anything was known of the answers.
"""

import asyncio
import logging
from collections.abc import Coroutine

from msgspec import Struct, structs

from bascule.decide.budget import hold_mode
from bascule.decide.promotion.policy import EVIDENCE_TAG
from bascule.decide.promotion.serving import is_compared
from bascule.gateway.admission import Admitted
from bascule.gateway.derived import canonical
from bascule.gateway.effects import Answered, Effects
from bascule.gateway.evidence.book import Book, snapshot_name
from bascule.gateway.evidence.earning import Earning, Standing
from bascule.gateway.evidence.grading import Graders, graded
from bascule.gateway.evidence.judging import PairJudge
from bascule.gateway.heard import whole_response
from bascule.gateway.metrics import Metrics
from bascule.gateway.planning import Planning
from bascule.gateway.serving import Serving
from bascule.gateway.strategies.kit import Asked
from bascule.gateway.strategies.material import shown_answer
from bascule.gateway.subcalls import MAX_ANSWER_BYTES, Prepared, Subcalls, prepared
from bascule.gateway.tally import Tally
from bascule.link import Snapshot
from bascule.model.errors import Refusal, StoreError
from bascule.model.plan import Plan
from bascule.model.response import Response
from bascule.ports import ComparedPair, EvidenceStore, KeptTrial

log = logging.getLogger("bascule.evidence")


class Comparison(Struct, frozen=True):
    """A request that was chosen to be answered by both, before anything was known of its answers."""

    request: Admitted
    plan: Plan
    standing: Standing
    kept: KeptTrial

    @property
    def challenger(self) -> str:
        return self.kept.trial.key.challenger

    @property
    def other(self) -> str:
        """Who does not answer the client."""
        incumbent = self.standing.policy.incumbent
        return incumbent if self.plan.candidates[0].model == self.challenger else self.challenger


class Ended(Struct, frozen=True):
    """What became of the client's own answer."""

    answered: Answered | None
    """Whole; None where it failed, or the client has left."""
    gone: bool
    """The client has left before it was whole, or it was too large to be kept: nobody can tell what it was worth."""
    attempts: int


class Comparing:
    """Of one configuration."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        earning: Earning,
        book: Book,
        store: EvidenceStore,
        effects: Effects,
        planning: Planning,
        tasks: "Tasks",
        metrics: Metrics,
    ) -> None:
        self._snapshot = snapshot
        self._earning = earning
        self._book = book
        self._store = store
        self._fx = effects
        self._planning = planning
        self._tasks = tasks
        self._metrics = metrics
        self._graders = {name: Graders(policy.graders) for name, policy in book.policies.items()}

    def chosen(self, request: Admitted, plan: Plan) -> Comparison | None:
        """Whether this request is to be answered by both. Decided by its id, and by whether there is room."""
        standing = self._earning.standing(request, plan.route, plan.task)
        if standing is None:
            return None
        policy = standing.policy
        for kept in standing.trials:
            if not is_compared(kept.trial, request.request_id, policy.draw, policy.rules):
                continue
            first = plan.candidates[0].model
            if first not in (policy.incumbent, kept.trial.key.challenger):
                return None
            if policy.judge is None and request.facts.tools:
                self._metrics.comparison(policy.route, "tools")
                return None
            if policy.judge is None and not self._graders[policy.route].has_a_say(
                has_schema=request.facts.has_json_schema
            ):
                self._metrics.comparison(policy.route, "no grader")
                return None
            if self._tasks.count >= policy.max_in_flight:
                self._metrics.comparison(policy.route, "busy")
                return None
            return Comparison(request, plan, standing, kept)
        return None

    def watch(self, serving: Serving, request: Admitted, plan: Plan) -> None:
        """A request is about to be served: should it be answered by both, its answer is kept, and the other one asked
        once it has ended."""
        comparison = self.chosen(request, plan)
        if comparison is None:
            return
        serving.answering.keep_bytes = max(serving.answering.keep_bytes, MAX_ANSWER_BYTES)

        def end(serving: Serving, cancelled: bool) -> None:
            whole = serving.answering.answered if serving.complete else None
            unknown = cancelled or serving.client_is_gone or serving.complete or not serving.tally.sent
            ended = Ended(whole, gone=whole is None and unknown, attempts=serving.attempts)
            self._tasks.begin(self._compare(comparison, ended))

        serving.on_end = end

    async def _compare(self, comparison: Comparison, ended: Ended) -> None:
        policy = comparison.standing.policy
        serves = comparison.plan.candidates[0].model == comparison.challenger
        if ended.answered is None and not serves:
            # The incumbent's clients that leave, and its failures, say nothing of the challenger.
            self._metrics.comparison(policy.route, "left" if ended.gone else "failed")
            return
        try:
            done = await self._shadowed(comparison, ended)
        except StoreError as error:
            log.error("a comparison was lost: %s", error)
            done = "store"
        self._metrics.comparison(policy.route, done)

    async def _shadowed(self, comparison: Comparison, ended: Ended) -> str:
        """Hold, enrol, ask, grade. Says what became of it."""
        request = _for_evidence(comparison, self._fx)
        asked = self._asked(comparison, request)
        if isinstance(asked, Refusal):
            return asked.kind
        who, judge = asked
        fx = self._fx
        if fx.holding.lending is not None:
            await fx.holding.lending.ready(request.attribution)
        calls: list[Asked] = [(request, who.candidates)]
        if judge is not None:
            calls.append(judge.asked)
        times = [1, 2][: len(calls)]
        ready = prepared(fx.holding, request, calls, who, times)
        if isinstance(ready, Refusal):
            return ready.kind
        tally = Tally(None, attempts=ended.attempts)
        strict = hold_mode(fx.holding.budgets(request)) == "strict"
        subcalls = Subcalls(fx, None, request, tally=tally, strict=strict, name="evidence")
        refused = await subcalls.hold(ready, times)
        if refused is not None:
            return refused.kind
        try:
            return await self._held(comparison, ended, request, subcalls, ready, judge, tally)
        finally:
            subcalls.close()

    def _asked(self, comparison: Comparison, request: Admitted) -> "tuple[Plan, PairJudge | None] | Refusal":
        """Who may be asked, by the policies of the request, and the judge's calls at their largest."""
        policy = comparison.standing.policy
        route = self._snapshot.route(policy.route)
        assert route is not None  # the plan came from it
        who = self._planning.plan_among(request, route, (comparison.other,))
        if isinstance(who, Refusal) or policy.judge is None:
            return who if isinstance(who, Refusal) else (who, None)
        holding = self._fx.holding
        most = max(
            [
                holding.longest(request, one.endpoint, route_cap=comparison.plan.max_output_tokens)
                for one in (*who.candidates, comparison.plan.candidates[0])
            ]
        )
        judge = PairJudge.planned(self._planning, route, request, policy.judge, most)
        return judge if isinstance(judge, Refusal) else (who, judge)

    async def _held(
        self,
        comparison: Comparison,
        ended: Ended,
        request: Admitted,
        subcalls: Subcalls,
        ready: tuple[Prepared, ...],
        judge: PairJudge | None,
        tally: Tally,
    ) -> str:
        store, kept = self._store, comparison.kept
        pair = ComparedPair(
            pair_id=f"{request.request_id}:{comparison.challenger}",
            trial_id=kept.trial_id,
            request_id=request.request_id,
            session_id=comparison.standing.session_id,
            enrolled_ms=comparison.request.started_ms,
        )
        await self._book.write(lambda: store.enrol(pair))
        own = _own_answer(comparison, ended)
        if own is None:
            return "left"  # it stays without a grade, which counts against the challenger that served
        try:
            told = await self._graded(comparison, pair, own, request, subcalls, ready, judge, tally)
        except asyncio.CancelledError:
            await self._book.write(lambda: store.withdraw(pair.pair_id))  # the gateway stops, whatever was answered
            raise
        if isinstance(told, str):
            await self._book.write(lambda: store.withdraw(pair.pair_id))
            return told
        await self._book.write(lambda: store.grade(told))
        return "compared" if told.difference is not None else "unknown"

    async def _graded(
        self,
        comparison: Comparison,
        pair: ComparedPair,
        own: Response | Refusal,
        request: Admitted,
        subcalls: Subcalls,
        ready: tuple[Prepared, ...],
        judge: PairJudge | None,
        tally: Tally,
    ) -> ComparedPair | str:
        """The pair with its grade; or why it is none of this trial, which nothing in the answers has decided."""
        call = ready[0].because(f"compared: {comparison.challenger}", role="shadow")
        got = await subcalls.withheld(call)
        shadow_nanousd = tally.cost_nanousd
        if isinstance(got, Refusal) and got.kind in _NOT_SENT:
            return got.kind
        shadow = got if isinstance(got, Refusal) else got.response
        challenger, incumbent = (shadow, own) if comparison.other == comparison.challenger else (own, shadow)
        if self._has_changed(comparison, challenger, incumbent):
            return "changed"
        grade = await graded(
            self._graders[comparison.standing.policy.route].for_request(_schema(request)),
            None if isinstance(challenger, Refusal) else shown_answer(challenger),
            None if isinstance(incumbent, Refusal) else shown_answer(incumbent),
            None if judge is None else judge.comparing(subcalls, ready[1]),
        )
        both = None if shadow_nanousd is None or tally.cost_nanousd is None else tally.cost_nanousd - shadow_nanousd
        return structs.replace(
            pair,
            difference=grade.difference,
            grader=grade.grader,
            graded_ms=None if grade.difference is None else self._fx.clock.now_ms(),
            shadow_nanousd=shadow_nanousd,
            judge_nanousd=both,
        )

    def _has_changed(
        self, comparison: Comparison, challenger: Response | Refusal, incumbent: Response | Refusal
    ) -> bool:
        """Whether a provider names another model than this trial is about: then nothing is counted, and one begins
        that is about the new one."""
        key = comparison.kept.trial.key
        reported = {"challenger_snapshot": challenger, "incumbent_snapshot": incumbent}
        found = {}
        for field, answer in reported.items():
            known = getattr(key, field)
            name = None if isinstance(answer, Refusal) else answer.model
            if name is not None and known is not None:
                found[field] = snapshot_name(known.partition(" as ")[0], name)
        now = structs.replace(key, **found)
        if now == key:
            return False
        self._book.turn_to(comparison.standing.policy, now)
        return True


class Tasks:
    """Comparisons under way in this process."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        return len(self._running)

    def begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a comparison failed", exc_info=task.exception())

    async def over(self) -> None:
        """Returns when all that is under way has ended."""
        while self._running:
            await asyncio.wait(tuple(self._running))

    async def stop(self) -> None:
        """Cancel what is under way; attempts settle as those of a client that leaves."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def _for_evidence(comparison: Comparison, effects: Effects) -> Admitted:
    """The client's request as a shadow sends it: at its own time, and charged to evidence besides."""
    request = comparison.request
    tags = {**request.attribution.tags, EVIDENCE_TAG: comparison.standing.policy.route}
    return structs.replace(
        request,
        attribution=structs.replace(request.attribution, tags=tags),
        identity=structs.replace(request.identity, idempotency_key=None),
        ask=structs.replace(request.ask, deadline_ms=None),
        started_ms=effects.clock.now_ms(),
        started_s=effects.clock.monotonic_s(),
    )


def _own_answer(comparison: Comparison, ended: Ended) -> Response | Refusal | None:
    """The client's answer; a Refusal where the model that was to give it failed; None where nobody can tell."""
    if ended.answered is None:
        return None if ended.gone else Refusal(kind="upstream_failed", message="the client got no answer")
    if ended.answered.candidate.model != comparison.plan.candidates[0].model:
        return Refusal(kind="upstream_failed", message="another model had to stand in")
    found = whole_response(comparison.request, ended.answered)
    return None if isinstance(found, Refusal) else found


_NOT_SENT = frozenset({"budget_exhausted", "unpriceable", "unavailable"})
"""Ends of a shadow before anybody was asked."""


def _schema(request: Admitted) -> dict[str, object] | None:
    if not request.facts.has_json_schema:
        return None
    asked = canonical(request)
    wanted = None if isinstance(asked, Refusal) else asked.response_format
    return None if wanted is None else wanted.schema
