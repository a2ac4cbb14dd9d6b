"""A judge's look at two answers: held at the largest that it may become, asked in both orders, told no names."""

from msgspec import Struct

from bascule.decide.judge import Material, Preference, Unreadable, pairwise_requests, preference
from bascule.decide.promotion.policy import JudgedBy
from bascule.gateway.admission import Admitted
from bascule.gateway.derived import helping
from bascule.gateway.evidence.grading import AskJudge
from bascule.gateway.planning import Planning
from bascule.gateway.strategies.judging import said_to
from bascule.gateway.strategies.kit import Asked
from bascule.gateway.strategies.material import filler, judged_bytes, question_of, size_of
from bascule.gateway.subcalls import Prepared, Subcalls
from bascule.model.errors import Refusal
from bascule.model.policy import RoutePolicy


class PairJudge(Struct, frozen=True, kw_only=True):
    asked: Asked
    """One of its two calls, as it is planned."""
    parent: Admitted
    policy: JudgedBy
    material: Material
    limit_bytes: int
    """The largest answer that is shown to it, inside a JSON body."""

    @classmethod
    def planned(
        cls, planning: Planning, route: RoutePolicy, request: Admitted, policy: JudgedBy, most_tokens: int
    ) -> "PairJudge | Refusal":
        """`most_tokens`: the longest that either answer may be."""
        question = question_of(request)
        if isinstance(question, Refusal):
            return question
        criteria = {} if policy.criteria is None else {"criteria": policy.criteria}
        material = Material(question=question, **criteria)
        limit = judged_bytes(most_tokens)
        largest, _ = pairwise_requests(
            policy.model, material, filler(limit), filler(limit), max_tokens=policy.max_output_tokens
        )
        admitted = helping(request, largest)
        if isinstance(admitted, Refusal):
            return admitted
        who = planning.plan_among(admitted, route, (policy.model,))
        if isinstance(who, Refusal):
            return who
        return cls(
            asked=(admitted, who.candidates), parent=request, policy=policy, material=material, limit_bytes=limit
        )

    def comparing(self, calls: Subcalls, call: Prepared) -> AskJudge:
        """What compares two answers, at the money that was held for `call`."""
        told = call.because("compared: judge", role="judge")

        async def ask(challenger: str, incumbent: str) -> Preference | Unreadable:
            if max(size_of(challenger), size_of(incumbent)) > self.limit_bytes:
                return Unreadable("an answer is too long to be judged")
            both = pairwise_requests(
                self.policy.model,
                self.material,
                challenger,
                incumbent,
                max_tokens=self.policy.max_output_tokens,
            )
            said = []
            for request in both:
                found = await said_to(calls, told, self.parent, request)
                if isinstance(found, Refusal):
                    return Unreadable(found.message)
                said.append(found)
            return preference(said[0], said[1])

        return ask
