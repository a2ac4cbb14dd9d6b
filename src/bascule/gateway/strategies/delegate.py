"""A strong model answers, and the gateway runs what it delegates on a cheap one, inside the same request.

Rounds: the strong model is asked with a tool of ours; where it calls it, workers do the work at once, their results go
back to it, and it is asked again. An answer without such calls is the client's, whatever tools of its own it calls. In
the last round the tool is not there any more.
"""

from collections.abc import Sequence

from bascule.decide.strategies.acceptance import failure
from bascule.decide.strategies.delegation import (
    Result,
    Task,
    calls_of,
    largest_turns,
    may_delegate,
    next_turn,
    task_of,
    tool_of,
    with_tool,
    worker_request,
)
from bascule.gateway.admission import Admitted
from bascule.gateway.derived import asking, canonical, helping
from bascule.gateway.strategies.judging import planned
from bascule.gateway.strategies.kit import Asked, Kit, Ready
from bascule.gateway.strategies.material import filler, first_bytes, judged_bytes
from bascule.gateway.subcalls import Captured, Prepared, Subcalls, all_of
from bascule.gateway.surfaces import SURFACES, Surface, provider_dialect
from bascule.model.catalog import Endpoint
from bascule.model.errors import Refusal
from bascule.model.request import Request, Tool, ToolUse
from bascule.model.strategy import Delegate

CALL_BYTES = 256
"""What a call and its result take beside their texts: identifiers and names."""


class DelegateStrategist:
    """One route's delegate."""

    def __init__(self, policy: Delegate) -> None:
        self._policy = policy

    def ready(self, kit: Kit) -> Ready | Refusal | None:
        """None where the strong model may not answer, or the client's use of tools leaves no room for one of ours."""
        policy = self._policy
        asked = canonical(kit.request)
        if isinstance(asked, Refusal):
            return asked
        frontier = kit.of_model(policy.frontier)
        if not frontier or not may_delegate(asked, policy.tool):
            return None
        surface = surface_for(kit.request, frontier[0].endpoint)
        calls: list[Asked] = []
        turn = filler(judged_bytes(max([kit.most_output(one) for one in frontier])))
        for at in range(policy.max_rounds + 1):
            one = self._largest(kit.request, asked, surface, at, turn)
            if isinstance(one, Refusal):
                return one
            calls.append((one, frontier))
        worker = self._largest_task(kit)
        if isinstance(worker, Refusal):
            return worker
        times = (*(1 for _ in calls), policy.max_calls)
        prepared = kit.prepare([*calls, worker], times)
        if isinstance(prepared, Refusal):
            return prepared
        course = _Course(policy, kit.request, asked, surface, prepared)
        return Ready(
            name="delegate", calls=prepared, times=times, course=course.run, max_answer_bytes=policy.max_answer_bytes
        )

    def _largest(
        self, parent: Admitted, asked: Request, surface: Surface, rounds: int, turn: str
    ) -> Admitted | Refusal:
        """The strong model's request after so many rounds, as large as it may have become."""
        policy = self._policy
        results = [filler(policy.max_result_bytes + CALL_BYTES)] * policy.max_calls
        grown = largest_turns(asked, policy.tool, rounds, turn, results) if rounds else asked
        return asking(parent, with_tool(grown, tool_of(policy.tool)), surface=surface, stream=parent.facts.stream)

    def _largest_task(self, kit: Kit) -> Asked | Refusal:
        """A worker's request, likewise: arguments are JSON, so that their texts are no longer in another body."""
        largest = Task(task="x", context=filler(self._policy.max_task_bytes), output_format="x")
        request = worker_request(self._policy.worker, largest, max_tokens=self._policy.max_output_tokens)
        return planned(kit, self._policy.worker, request)


def surface_for(parent: Admitted, endpoint: Endpoint) -> Surface:
    """The dialect in which rounds are asked: the one that the strong model speaks, so that nothing of its own turns is
    lost on the way back to it; the client's where clients do not speak that one."""
    spoken = provider_dialect(parent.surface, endpoint)
    for name, facts in SURFACES.items():
        if facts.work == "chat" and facts.dialect == spoken:
            return name
    return parent.surface


class _Course:
    def __init__(
        self, policy: Delegate, parent: Admitted, asked: Request, surface: Surface, calls: tuple[Prepared, ...]
    ) -> None:
        self._policy = policy
        self._parent = parent
        self._asked = asked
        self._surface = surface
        self._frontier = calls[:-1]
        self._worker = calls[-1].because("delegate: worker", role="worker")
        self._made = 0
        self._spent_nanousd = 0
        """Of workers; those that are under way, or whose cost is unknown, at their hold."""

    async def run(self, calls: Subcalls) -> Refusal | None:
        talk = self._asked
        for at, call in enumerate(self._frontier):
            last = at == len(self._frontier) - 1
            tool = None if last or self._made >= self._policy.max_calls else tool_of(self._policy.tool)
            request = self._request(talk, tool)
            if isinstance(request, Refusal):
                return request
            if request.facts.text_bytes > call.request.facts.text_bytes:
                return await self._anew(calls, call)
            asked = call.asked(request).because(f"delegate: round {at + 1}")
            if tool is None and self._surface == self._parent.surface:
                return await calls.to_client(asked)
            got = await calls.withheld(asked)
            if isinstance(got, Refusal):
                return got
            handed, _ = calls_of(got.response, self._policy.tool)
            if not handed or tool is None:
                await self._give(calls, got)
                return None
            results = await self._work(calls, handed)
            talk = next_turn(talk, got.response, self._policy.tool, results)
        raise AssertionError("the last round has no tool of ours")

    def _request(self, talk: Request, tool: Tool | None) -> Admitted | Refusal:
        return asking(self._parent, with_tool(talk, tool), surface=self._surface, stream=self._parent.facts.stream)

    async def _give(self, calls: Subcalls, got: Captured) -> None:
        work = "no work handed on" if not self._made else f"{self._made} calls of {self._policy.worker}"
        await calls.give(got, f"delegate: {self._policy.frontier} answered; {work}")

    async def _anew(self, calls: Subcalls, call: Prepared) -> Refusal | None:
        """The conversation has grown beyond what is held: the strong model answers alone what was asked at first."""
        alone = call.asked(self._parent).because("delegate: grown too long; answered alone")
        return await calls.to_client(alone)

    async def _work(self, calls: Subcalls, handed: Sequence[ToolUse]) -> dict[str, Result]:
        """All that one answer hands on, at once, as far as the limits go."""
        found: dict[str, Result] = {}
        tasks: list[tuple[str, Task]] = []
        for use in handed:
            task = task_of(use.arguments, self._policy.max_task_bytes)
            if isinstance(task, str):
                found[use.id] = Result(task, is_error=True)
            elif not self._may_hand_on():
                found[use.id] = Result("Not done: no more work can be handed on. Do it yourself.", is_error=True)
            else:
                tasks.append((use.id, task))
        done = await all_of([self._done(calls, task) for _, task in tasks])
        found.update(zip([identifier for identifier, _ in tasks], done, strict=True))
        return found

    def _may_hand_on(self) -> bool:
        """Takes one of the calls, and its hold of the money, where there are both."""
        most = self._policy.max_cost_nanousd
        hold = self._worker.fitted.amount_nanousd
        if self._made >= self._policy.max_calls:
            return False
        if most is not None and (hold is None or self._spent_nanousd + hold > most):
            return False
        self._made += 1
        self._spent_nanousd += hold or 0
        return True

    async def _done(self, calls: Subcalls, task: Task) -> Result:
        request = worker_request(self._policy.worker, task, max_tokens=self._policy.max_output_tokens)
        admitted = helping(self._parent, request)
        if isinstance(admitted, Refusal):
            return Result(f"Not done: {admitted.message}", is_error=True)
        if admitted.facts.text_bytes > self._worker.request.facts.text_bytes:
            return Result("Not done: too much was handed on at once. Pass less.", is_error=True)
        got = await calls.withheld(self._worker.asked(admitted))
        if isinstance(got, Refusal):
            return Result(f"Not done: the assistant failed ({failure(got)}). Do it yourself.", is_error=True)
        cost, hold = got.answered.cost.cost_nanousd, self._worker.fitted.amount_nanousd
        if cost is not None and hold is not None:
            self._spent_nanousd += cost - hold
        text = first_bytes(got.text, self._policy.max_result_bytes)
        return Result(text if got.is_whole else f"{text}\n[… its answer was cut off at its limit]")
