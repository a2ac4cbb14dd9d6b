"""The cheapest model first. What is not accepted goes to the next one; the last one's answer goes out as it comes.

FrugalGPT (Chen et al. 2023, arXiv 2305.05176), with tests that can be looked at instead of a score alone.
"""

import orjson
from msgspec import Struct, structs

from bascule.decide.strategies.acceptance import Accepted, Checked, Look, OwnTests, failure, verdict
from bascule.decide.strategies.agreement import agreement
from bascule.gateway.admission import Admitted
from bascule.gateway.derived import JUDGED_IN, asking, canonical
from bascule.gateway.strategies.judging import Rubric, material_of
from bascule.gateway.strategies.kit import Asked, Kit, Ready
from bascule.gateway.strategies.look import look_at
from bascule.gateway.strategies.material import conversation, judged_bytes
from bascule.gateway.subcalls import Captured, Prepared, Subcalls
from bascule.model.errors import Refusal
from bascule.model.request import Request
from bascule.model.strategy import Cascade, CommandPolicy, VerifierPolicy

FIRST = "cascade: cheapest first"


class Stage(Struct, frozen=True):
    model: str
    asked: Asked


class Helpers(Struct, kw_only=True):
    """Where the calls for tests stand among those that are planned."""

    rubric: Rubric | None = None
    judge_at: int | None = None
    second_at: int | None = None


class CascadeStrategist:
    """One route's cascade."""

    def __init__(self, policy: Cascade) -> None:
        self._policy = policy
        self._own = OwnTests(policy.accept)

    def ready(self, kit: Kit) -> Ready | Refusal | None:
        """None where fewer than two of its models may answer."""
        asked = canonical(kit.request)
        if isinstance(asked, Refusal):
            return asked
        stages = self._stages(kit, asked)
        if isinstance(stages, Refusal):
            return stages
        if len(stages) < 2:
            return None
        calls = [stage.asked for stage in stages]
        times = [1] * len(calls)
        helpers = Helpers()
        refused = self._help(kit, len(stages) - 1, calls, times, helpers)
        if refused is not None:
            return refused
        prepared = kit.prepare(calls, times)
        if isinstance(prepared, Refusal):
            return prepared
        models = [stage.model for stage in stages]
        course = _Course(self._policy, self._own, models, prepared, helpers, asked, kit)
        return Ready(
            name="cascade",
            calls=prepared,
            times=tuple(times),
            course=course.run,
            max_answer_bytes=self._policy.max_answer_bytes,
        )

    def _stages(self, kit: Kit, asked: Request) -> list[Stage] | Refusal:
        """Its models in order, without those that policy or health has left out."""
        names = [name for name in self._policy.order if kit.of_model(name)]
        stages: list[Stage] = []
        for name in names:
            request: Admitted | Refusal = kit.request
            if self._policy.accept.logprob is not None and name != names[-1]:
                told = structs.replace(asked, logprobs=True)
                request = asking(kit.request, told, surface=JUDGED_IN, stream=kit.request.facts.stream)
            if isinstance(request, Refusal):
                return request
            stages.append(Stage(name, (request, kit.of_model(name))))
        return stages

    def _help(self, kit: Kit, tested: int, calls: list[Asked], times: list[int], helpers: Helpers) -> Refusal | None:
        """Add the calls that tests make; `tested` answers may have to be looked at."""
        accept = self._policy.accept
        if accept.agreement is not None:
            second = kit.helpers(kit.request, accept.agreement.model)
            if isinstance(second, Refusal):
                return second
            helpers.second_at = len(calls)
            calls.append((kit.request, second))
            times.append(1)
        if accept.judge is not None:
            material = material_of(kit.request, accept.judge)
            if isinstance(material, Refusal):
                return material
            most = max([kit.most_output(one) for _, who in calls[:tested] for one in who])
            helpers.rubric = Rubric(kit, accept.judge, material, judged_bytes(most))
            judge = helpers.rubric.asked(kit)
            if isinstance(judge, Refusal):
                return judge
            helpers.judge_at = len(calls)
            calls.append(judge)
            times.append(tested * kit.request.facts.n)
        return None


class _Course:
    """One request on its way through the stages."""

    def __init__(
        self,
        policy: Cascade,
        own: OwnTests,
        models: list[str],
        calls: tuple[Prepared, ...],
        helpers: Helpers,
        asked: Request,
        kit: Kit,
    ) -> None:
        self._commands = kit.commands
        self._verifiers = kit.verifiers
        self._policy = policy
        self._own = own
        self._models = models
        self._calls = calls
        self._helpers = helpers
        self._asked = asked
        self._second: Captured | Refusal | None = None

    async def run(self, calls: Subcalls) -> Refusal | None:
        why = FIRST
        for at, model in enumerate(self._models):
            call = self._calls[at].because(why, role="escalation" if at else "primary")
            if at == len(self._models) - 1:
                return await calls.to_client(call)
            got = await calls.withheld(call)
            if isinstance(got, Refusal):
                why = f"escalation: {model} failed ({failure(got)})"
                continue
            found = await self._accepts(calls, got)
            if found.accepted:
                await calls.give(got, f"cascade: {model} accepted ({found.reason})")
                return None
            why = f"escalation: {model} not accepted ({found.reason})"
        raise AssertionError("the last stage returns")

    async def _accepts(self, calls: Subcalls, got: Captured) -> Accepted:
        """Whether all choices of an answer pass; the dearer tests are made only where the cheaper ones say yes."""
        tested: list[Checked] = []
        for choice in range(len(got.response.choices)):
            seen = look_at(got, choice, self._asked, self._policy.accept)
            tested += self._own.look(seen)
            if not verdict(tested).accepted:
                return verdict(tested)
            if not self._own.decides_alone(seen):
                tested += await self._ask_others(calls, got, seen)
        return verdict(tested)

    async def _ask_others(self, calls: Subcalls, got: Captured, seen: Look) -> list[Checked]:
        helpers, accept = self._helpers, self._policy.accept
        found: list[Checked] = []
        if accept.verifier is not None:
            found.append(await self._verified(accept.verifier, seen))
            if not found[-1].passed:
                return found
        if accept.command is not None:
            found.append(await self._commanded(accept.command, got, seen))
            if not found[-1].passed:
                return found
        if accept.agreement is not None and helpers.second_at is not None:
            if self._second is None:
                call = self._calls[helpers.second_at].because("cascade: second opinion", role="verify")
                self._second = await calls.withheld(call)
            if isinstance(self._second, Refusal):
                return [*found, Checked("agreement", None, self._second.message)]
            found.append(agreement(accept.agreement, seen.text, self._second.text))
            if not found[-1].passed:
                return found
        if helpers.rubric is not None and helpers.judge_at is not None:
            found.append(await helpers.rubric.test(calls, self._calls[helpers.judge_at], seen.text))
        return found

    async def _verified(self, policy: VerifierPolicy, seen: Look) -> Checked:
        if self._verifiers is None:
            return Checked("verifier", None, "there is nobody who could ask it")
        said = await self._verifiers.score(policy, conversation(self._asked), _whole(seen.text))
        if isinstance(said, str):
            return Checked("verifier", None, said)
        return Checked("verifier", said >= policy.threshold, f"{said:.3f}, at least {policy.threshold:g}")

    async def _commanded(self, policy: CommandPolicy, got: Captured, seen: Look) -> Checked:
        if self._commands is None:
            return Checked("command", None, "there is nobody who could run it")
        model = got.answered.candidate.model
        told = {"question": conversation(self._asked), "answer": _whole(seen.text), "model": model}
        said = await self._commands.ask(policy, orjson.dumps(told))
        return Checked("command", said.accepted, said.detail)


def _whole(text: str) -> str:
    """Without half characters, which no encoder writes."""
    return text.encode("utf-8", "replace").decode()
