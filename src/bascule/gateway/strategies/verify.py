"""One model answers, a cheap one looks for mistakes, and where it finds some a dearer one answers anew with them.

Self-refinement with another eye (Madaan et al. 2023, arXiv 2303.17651): the critique is material, never an instruction.
"""

from bascule.decide.judge import Material, Unreadable
from bascule.decide.strategies.acceptance import ended, failure
from bascule.decide.strategies.critique import (
    MAX_REMARKS_BYTES,
    Critique,
    again_request,
    check_request,
    read_critique,
    remarks_of,
)
from bascule.gateway.admission import Admitted
from bascule.gateway.derived import asking, canonical
from bascule.gateway.strategies.judging import material_of, planned, said_to
from bascule.gateway.strategies.kit import Kit, Ready
from bascule.gateway.strategies.look import look_at, shown
from bascule.gateway.strategies.material import filler, judged_bytes, size_of
from bascule.gateway.subcalls import Captured, Prepared, Subcalls
from bascule.model.errors import Refusal
from bascule.model.request import Request
from bascule.model.strategy import Verify


class VerifyStrategist:
    """One route's verify."""

    def __init__(self, policy: Verify) -> None:
        self._policy = policy

    def ready(self, kit: Kit) -> Ready | Refusal | None:
        """None where one of its models may not answer, and where the client wants several choices."""
        policy = self._policy
        first, again = kit.of_model(policy.generate), kit.of_model(policy.regenerate)
        if not first or not again or kit.request.facts.n != 1:
            return None
        asked = canonical(kit.request)
        material = material_of(kit.request, policy.check)
        if isinstance(asked, Refusal):
            return asked
        if isinstance(material, Refusal):
            return material
        limit_bytes = judged_bytes(max([kit.most_output(one) for one in first]))
        draft = filler(limit_bytes)
        check = planned(kit, policy.check.model, self._check(material, draft))
        if isinstance(check, Refusal):
            return check
        anew = _anew(kit.request, asked, draft, filler(MAX_REMARKS_BYTES))
        if isinstance(anew, Refusal):
            return anew
        times = (1, 1, 1)
        calls = kit.prepare([(kit.request, first), check, (anew, again)], times)
        if isinstance(calls, Refusal):
            return calls
        course = _Course(self, kit.request, asked, material, limit_bytes, calls)
        return Ready(
            name="verify", calls=calls, times=times, course=course.run, max_answer_bytes=policy.max_answer_bytes
        )

    def _check(self, material: Material, draft: str) -> Request:
        policy = self._policy.check
        return check_request(policy.model, material, draft, max_tokens=policy.max_output_tokens)

    async def looked_at(
        self, calls: Subcalls, call: Prepared, parent: Admitted, material: Material, draft: str
    ) -> Critique | Unreadable:
        said = await said_to(calls, call, parent, self._check(material, draft))
        return Unreadable(said.message) if isinstance(said, Refusal) else read_critique(said)

    @property
    def policy(self) -> Verify:
        return self._policy


def _anew(parent: Admitted, asked: Request, draft: str, remarks: str) -> Admitted | Refusal:
    """The client's request with draft and remarks, in the client's own dialect."""
    return asking(parent, again_request(asked, draft, remarks), surface=parent.surface, stream=parent.facts.stream)


class _Course:
    def __init__(
        self,
        strategist: VerifyStrategist,
        parent: Admitted,
        asked: Request,
        material: Material,
        limit_bytes: int,
        calls: tuple[Prepared, ...],
    ) -> None:
        self._strategist = strategist
        self._parent = parent
        self._asked = asked
        self._material = material
        self._limit_bytes = limit_bytes
        self._generate, self._check, self._regenerate = calls

    async def run(self, calls: Subcalls) -> Refusal | None:
        policy = self._strategist.policy
        got = await calls.withheld(self._generate.because("verify: draft"))
        if isinstance(got, Refusal):
            return await self._plain(calls, f"{policy.generate} failed ({failure(got)})")
        whole = ended(look_at(got, 0, self._asked))
        draft = shown(got)
        if got.answered.finish_reason not in ("stop", "tool_use") or not draft:
            return await self._plain(calls, f"the draft is not whole: {whole.detail}")
        if size_of(draft) > self._limit_bytes:
            return await self._plain(calls, "the draft is too long to check")
        check = self._check.because("verify: check", role="verify")
        found = await self._strategist.looked_at(calls, check, self._parent, self._material, draft)
        if isinstance(found, Unreadable):
            return await self._plain(calls, "the check told nothing")
        if found.is_sound(policy.check.threshold):
            await calls.give(got, f"verify: {policy.generate} checked ({found.reason})")
            return None
        return await self._again(calls, got, draft, found)

    async def _again(self, calls: Subcalls, got: Captured, draft: str, found: Critique) -> Refusal | None:
        anew = _anew(self._parent, self._asked, draft, remarks_of(found))
        if isinstance(anew, Refusal):
            return anew
        call = self._regenerate.because(f"escalation: {found.reason}", role="escalation")
        return await calls.to_client(call.asked(anew))

    async def _plain(self, calls: Subcalls, why: str) -> Refusal | None:
        """In doubt the dearer model answers what was asked, without anybody's remarks."""
        call = self._regenerate.because(f"escalation: {why}", role="escalation")
        return await calls.to_client(call.asked(self._parent))
