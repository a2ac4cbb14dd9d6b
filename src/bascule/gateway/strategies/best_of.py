"""Several answers at once, of which a judge picks one: two at a time, each pair in both orders."""

from collections.abc import Sequence

from msgspec import structs

from bascule.decide.judge import Material, Preference, Unreadable, pairwise_requests, preference
from bascule.decide.strategies.tournament import comparisons, pairs, survivors
from bascule.gateway.admission import Admitted
from bascule.gateway.derived import asking, canonical
from bascule.gateway.strategies.judging import material_of, planned, said_to
from bascule.gateway.strategies.kit import Kit, Ready
from bascule.gateway.strategies.look import shown
from bascule.gateway.strategies.material import filler, first_bytes, judged_bytes
from bascule.gateway.subcalls import Captured, Prepared, Subcalls, all_of
from bascule.model.errors import Refusal
from bascule.model.strategy import BestOf, JudgePolicy


class BestOfStrategist:
    """One route's best of n."""

    def __init__(self, policy: BestOf) -> None:
        self._policy = policy

    def ready(self, kit: Kit) -> Ready | Refusal | None:
        """None where none of its models may answer, and where the client wants several choices itself."""
        policy = self._policy
        names = [name for name in policy.models if kit.of_model(name)]
        if not names or kit.request.facts.n != 1:
            return None
        asked = self._asked(kit)
        material = material_of(kit.request, policy.judge)
        if isinstance(asked, Refusal):
            return asked
        if isinstance(material, Refusal):
            return material
        chosen = [names[at % len(names)] for at in range(policy.n)]
        most = max([kit.most_output(one) for name in names for one in kit.of_model(name)])
        limit_bytes = judged_bytes(most)
        largest = filler(limit_bytes)
        order, _ = pairwise_requests(
            policy.judge.model, material, largest, largest, max_tokens=policy.judge.max_output_tokens
        )
        judge = planned(kit, policy.judge.model, order)
        if isinstance(judge, Refusal):
            return judge
        times = (*(1 for _ in chosen), 2 * comparisons(policy.n))
        calls = kit.prepare([*[(asked, kit.of_model(name)) for name in chosen], judge], times)
        if isinstance(calls, Refusal):
            return calls
        course = _Course(policy.judge, kit.request, material, limit_bytes, calls)
        return Ready(
            name="best_of", calls=calls, times=times, course=course.run, max_answer_bytes=policy.max_answer_bytes
        )

    def _asked(self, kit: Kit) -> Admitted | Refusal:
        if self._policy.temperature is None:
            return kit.request
        asked = canonical(kit.request)
        if isinstance(asked, Refusal):
            return asked
        warm = structs.replace(asked, temperature=self._policy.temperature)
        return asking(kit.request, warm, surface=kit.request.surface, stream=kit.request.facts.stream)


class _Course:
    def __init__(
        self,
        policy: JudgePolicy,
        parent: Admitted,
        material: Material,
        limit_bytes: int,
        calls: tuple[Prepared, ...],
    ) -> None:
        self._policy = policy
        self._parent = parent
        self._material = material
        self._limit_bytes = limit_bytes
        self._answers = calls[:-1]
        self._judge = calls[-1].because("best_of: judge", role="judge")

    async def run(self, calls: Subcalls) -> Refusal | None:
        count = len(self._answers)
        found = await all_of(
            [
                calls.withheld(call.because(f"best_of: answer {at + 1} of {count}", role="primary"))
                for at, call in enumerate(self._answers)
            ]
        )
        answers = [one for one in found if not isinstance(one, Refusal)]
        if not answers:
            return next(one for one in found if isinstance(one, Refusal))
        best, how = await self._pick(calls, answers)
        await calls.give(answers[best], f"best_of: {how}")
        return None

    async def _pick(self, calls: Subcalls, answers: Sequence[Captured]) -> tuple[int, str]:
        """Which answer is the best, and what that rests on."""
        left = list(range(len(answers)))
        judged = told = 0
        while len(left) > 1:
            found = await all_of([self._compare(calls, answers[a], answers[b]) for a, b in pairs(left)])
            judged += len(found)
            told += len([one for one in found if not isinstance(one, Unreadable)])
            left = survivors(left, found)
        if not judged:
            return left[0], "the only answer"
        return left[0], f"picked from {len(answers)}; judge told in {told} of {judged} comparisons"

    async def _compare(self, calls: Subcalls, a: Captured, b: Captured) -> Preference | Unreadable:
        one, other = first_bytes(shown(a), self._limit_bytes), first_bytes(shown(b), self._limit_bytes)
        if one == other:
            return Preference(winner="tie", consistent=True, reason="they are the same")
        orders = pairwise_requests(
            self._policy.model, self._material, one, other, max_tokens=self._policy.max_output_tokens
        )
        said = await all_of([said_to(calls, self._judge, self._parent, order) for order in orders])
        for answer in said:
            if isinstance(answer, Refusal):
                return Unreadable(answer.message)
        return preference(*[answer for answer in said if isinstance(answer, str)])
