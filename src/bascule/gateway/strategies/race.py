"""All models at once; the first whole answer that is acceptable goes out, the others are cancelled and paid for."""

from bascule.decide.strategies.acceptance import Checked, OwnTests, verdict
from bascule.gateway.derived import canonical
from bascule.gateway.race import Lane, Race
from bascule.gateway.strategies.kit import Kit, Ready
from bascule.gateway.strategies.look import look_at
from bascule.gateway.subcalls import Captured, Prepared, Subcalls
from bascule.model.errors import Refusal
from bascule.model.request import Request
from bascule.model.strategy import Acceptance, RaceOf

NOBODY = Refusal(kind="upstream_failed", message="no model of the race gave an answer", code="race_lost")


class RaceStrategist:
    """One route's race."""

    def __init__(self, policy: RaceOf) -> None:
        self._policy = policy
        self._own = OwnTests(policy.accept)

    def ready(self, kit: Kit) -> Ready | Refusal | None:
        """None where fewer than two of its models may answer."""
        asked = canonical(kit.request)
        if isinstance(asked, Refusal):
            return asked
        names = [name for name in self._policy.models if kit.of_model(name)]
        if len(names) < 2:
            return None
        times = (1,) * len(names)
        calls = kit.prepare([(kit.request, kit.of_model(name)) for name in names], times)
        if isinstance(calls, Refusal):
            return calls
        course = _Course(self._own, self._policy.accept, names, calls, asked)
        return Ready(
            name="race", calls=calls, times=times, course=course.run, max_answer_bytes=self._policy.max_answer_bytes
        )


class _Course:
    def __init__(
        self, own: OwnTests, accept: Acceptance, names: list[str], calls: tuple[Prepared, ...], asked: Request
    ) -> None:
        self._own = own
        self._accept = accept
        self._names = names
        self._calls = calls
        self._asked = asked
        self._winner: Captured | None = None
        self._told = ""
        self._spare: Captured | None = None
        """The first whole answer that no test accepted."""
        self._refusals: list[Refusal] = []

    async def run(self, calls: Subcalls) -> Refusal | None:
        race = Race(calls.client)
        try:
            for at in range(len(self._calls)):
                self._start(race, calls, at)
            while race.running and self._winner is None:
                await race.wait(float("inf"))
        finally:
            await race.over()  # only then is known what the others have cost
        if self._winner is not None:
            await calls.give(self._winner, self._told)
            return None
        if self._spare is not None:
            model = self._spare.answered.candidate.model
            await calls.give(self._spare, f"race: {model} first; none accepted")
            return None
        return self._refusals[0] if self._refusals else NOBODY

    def _start(self, race: Race, calls: Subcalls, at: int) -> None:
        async def attempt(lane: Lane) -> None:
            await self._enter(calls, at)

        race.start(attempt, claimed=_nothing, overtaken=_nothing)

    async def _enter(self, calls: Subcalls, at: int) -> None:
        name = self._names[at]
        call = self._calls[at].because(f"race: {name}", role="hedge" if at else "primary")
        got = await calls.withheld(call)
        if isinstance(got, Refusal):
            self._refusals.append(got)
            return
        tested = [one for choice in range(len(got.response.choices)) for one in self._look(got, choice)]
        found = verdict(tested)
        if found.accepted and self._winner is None:
            self._winner, self._told = got, f"race: {name} first ({found.reason})"
        elif self._spare is None:
            self._spare = got

    def _look(self, got: Captured, choice: int) -> list[Checked]:
        return self._own.look(look_at(got, choice, self._asked, self._accept))


def _nothing() -> None:
    """Nobody claims the client before the race is over."""
