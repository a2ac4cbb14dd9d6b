"""Calls to a judge: planned at the largest that they may become, made with the answers that came."""

from bascule.decide.judge import Material, Unreadable, Verdict, read_rubric, rubric_request
from bascule.decide.strategies.acceptance import Checked
from bascule.gateway.admission import Admitted
from bascule.gateway.derived import helping
from bascule.gateway.strategies.kit import Asked, Kit
from bascule.gateway.strategies.material import filler, question_of, size_of
from bascule.gateway.subcalls import Prepared, Subcalls
from bascule.model.errors import Refusal
from bascule.model.request import Request
from bascule.model.strategy import JudgePolicy


class Rubric:
    """A judge's look at one answer."""

    def __init__(self, kit: Kit, policy: JudgePolicy, material: Material, limit_bytes: int) -> None:
        """`limit_bytes`: the largest answer that is shown to it, inside a JSON body."""
        self._parent = kit.request
        self._policy = policy
        self._material = material
        self._limit_bytes = limit_bytes

    def asked(self, kit: Kit) -> Asked | Refusal:
        """The call as it is planned."""
        return planned(kit, self._policy.model, self._about(filler(self._limit_bytes)))

    def _about(self, answer: str) -> Request:
        return rubric_request(self._policy.model, self._material, answer, max_tokens=self._policy.max_output_tokens)

    async def score(self, calls: Subcalls, call: Prepared, answer: str) -> Verdict | Unreadable:
        """What the judge says. Unreadable where it cannot be asked, fails, or says nothing."""
        if size_of(answer) > self._limit_bytes:
            return Unreadable("the answer is too long to be judged")
        said = await said_to(calls, call, self._parent, self._about(answer))
        return Unreadable(said.message) if isinstance(said, Refusal) else read_rubric(said)

    async def test(self, calls: Subcalls, call: Prepared, answer: str) -> Checked:
        found = await self.score(calls, call.because("cascade: judge", role="judge"), answer)
        if isinstance(found, Unreadable):
            return Checked("judge", None, found.why)
        return Checked("judge", found.score >= self._policy.threshold, f"{found.score:g}: {found.reason}")


def material_of(request: Admitted, policy: JudgePolicy) -> Material | Refusal:
    question = question_of(request)
    if isinstance(question, Refusal):
        return question
    return (
        Material(question=question)
        if policy.criteria is None
        else Material(question=question, criteria=policy.criteria)
    )


def planned(kit: Kit, model: str, request: Request) -> Asked | Refusal:
    """A call to a helper, as large as it may become."""
    admitted = helping(kit.request, request)
    if isinstance(admitted, Refusal):
        return admitted
    candidates = kit.helpers(admitted, model)
    return candidates if isinstance(candidates, Refusal) else (admitted, candidates)


async def said_to(calls: Subcalls, call: Prepared, parent: Admitted, request: Request) -> str | Refusal:
    """Make a planned call with what is really to be asked; the text of its answer."""
    admitted = helping(parent, request)
    if isinstance(admitted, Refusal):
        return admitted
    if admitted.facts.text_bytes > call.request.facts.text_bytes:
        return Refusal(kind="too_large", message="there is more to look at than money was held for")
    got = await calls.withheld(call.asked(admitted))
    return got if isinstance(got, Refusal) else got.text
