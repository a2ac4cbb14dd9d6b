"""Who has earned a request's session: asked for every plan of a route that has challengers."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, structs

from bascule.decide.circumstances import QualityOf
from bascule.decide.evidence.finding import ANY_TASK
from bascule.decide.promotion.earned import earned
from bascule.decide.promotion.policy import EvidencePolicy
from bascule.decide.promotion.prompt import prompt_fingerprint
from bascule.decide.promotion.serving import Served, served_by
from bascule.decide.promotion.trial import TrialKey
from bascule.decide.resolve import resolve
from bascule.gateway.admission import Admitted
from bascule.gateway.evidence.book import Trials, task_of_plan
from bascule.gateway.evidence.sessions import IncumbentSessions
from bascule.link import Snapshot
from bascule.model.errors import Refusal
from bascule.model.plan import Plan
from bascule.model.quality import Quality
from bascule.ports import KeptTrial

BEGUN = Served(None, begun=True)


class Standing(Struct, frozen=True):
    """Where a request stands among the trials of its route."""

    policy: EvidencePolicy
    trials: tuple[KeptTrial, ...]
    """The most wanted first; challengers without a trial yet are not among them."""
    keys: tuple[TrialKey, ...]
    session_id: str

    def version_of(self, served: Served) -> str | None:
        """The trial that decides who serves the session, or else the most wanted one; None where there is none yet."""
        decided = [kept for kept in self.trials if served.trial is not None and kept.trial is served.trial]
        return next((f"{kept.trial_id}@{kept.version}" for kept in (*decided, *self.trials)), None)

    def served(self) -> Served:
        return served_by([kept.trial for kept in self.trials], self.session_id, self.policy.draw, self.policy.rules)


class Earning:
    """Of one configuration."""

    def __init__(
        self,
        snapshot: Snapshot,
        policies: Mapping[str, EvidencePolicy],
        book: Trials,
        sessions: IncumbentSessions | None = None,
    ) -> None:
        """`sessions` None: nothing is known of any, and nothing remembered."""
        self._snapshot = snapshot
        self._policies = policies
        self._book = book
        self._sessions = sessions
        self._upstream = {
            name: _upstream_model(name, snapshot)
            for policy in policies.values()
            for name in (policy.incumbent, *policy.challengers)
        }
        self._incumbent_quality = {
            policy.incumbent: _declared(policy.incumbent, snapshot) for policy in policies.values()
        }

    def standing(self, request: Admitted, route: str | None, task: str | None) -> Standing | None:
        """None where nobody can earn anything: no such route, another task, other work than chat."""
        policy = None if route is None else self._policies.get(route)
        if policy is None or request.work != "chat" or not policy.is_about(task_of_plan(task)):
            return None
        keys = tuple([self._key(policy, request, challenger, task_of_plan(task)) for challenger in policy.challengers])
        found = [self._book.find(policy, key) for key in keys]
        return Standing(
            policy=policy,
            trials=tuple([kept for kept in found if kept is not None]),
            keys=keys,
            session_id=request.identity.session_id or request.request_id,
        )

    def applied(self, request: Admitted, plan: Plan) -> Plan:
        """The plan, with who has earned this session in front."""
        standing = self.standing(request, plan.route, plan.task)
        if standing is None:
            return plan
        served = self._served(request, standing)
        plan = structs.replace(earned(plan, standing.policy, served), evidence=standing.version_of(served))
        session_id, sessions = request.identity.session_id, self._sessions
        if sessions is not None and session_id is not None and plan.candidates[0].model == standing.policy.incumbent:
            sessions.note(standing.policy.route, session_id, request.started_s)
        return plan

    def _served(self, request: Admitted, standing: Standing) -> Served:
        """Who serves the session; one that the incumbent has begun stays with it, and with its prompt cache."""
        served = standing.served()
        if served.trial is None or self._sessions is None or request.identity.session_id is None:
            return served
        begun = self._sessions.has(standing.policy.route, request.identity.session_id, request.started_s)
        return BEGUN if begun else served

    def circumstances(self, request: Admitted) -> dict[str, Any]:
        """What a plan for a route with challengers is to know. A challenger that serves the session in the incumbent's
        place has its quality, since that is what was proved, up to the margin."""
        found = resolve(request.ask.model, self._snapshot)
        policy = None if isinstance(found, Refusal) else self._policies.get(found.name)
        return {} if policy is None else {"want_task": True, "quality_of": self._quality_of(request, policy)}

    def _quality_of(self, request: Admitted, policy: EvidencePolicy) -> QualityOf:

        def quality(model: str, task: str | None) -> Quality | None:
            if model not in policy.challengers:
                return None
            standing = self.standing(request, policy.route, task)
            trial = None if standing is None else self._served(request, standing).trial
            if trial is None or trial.key.challenger != model:
                return None
            declared = self._incumbent_quality.get(policy.incumbent, {})
            low = declared.get(task or ANY_TASK, declared.get(ANY_TASK))
            return None if low is None else Quality(low=low, source="live")

        return quality

    def _key(self, policy: EvidencePolicy, request: Admitted, challenger: str, task: str) -> TrialKey:
        return TrialKey(
            route=policy.route,
            task=task,
            incumbent=policy.incumbent,
            challenger=challenger,
            incumbent_snapshot=self._upstream[policy.incumbent],
            challenger_snapshot=self._upstream[challenger],
            fingerprint=_fingerprint(request) if policy.by_prompt else None,
        )


def _fingerprint(request: Admitted) -> str:
    return prompt_fingerprint(request.facts.system_text, _tool_names(request.body.get("tools")))


def _tool_names(tools: Any) -> Iterator[str]:
    """The names of a body's tools, in whichever dialect it is."""
    for tool in tools if isinstance(tools, list) else ():
        if not isinstance(tool, dict):
            continue
        for declared in (tool, tool.get("function"), *_declarations(tool)):
            name = declared.get("name") if isinstance(declared, dict) else None
            if isinstance(name, str):
                yield name


def _declarations(tool: dict[str, Any]) -> list[Any]:
    found = tool.get("functionDeclarations") or tool.get("function_declarations")
    return found if isinstance(found, list) else []


def _declared(name: str, snapshot: Snapshot) -> Mapping[str, float]:
    found = resolve(name, snapshot)
    return {} if isinstance(found, Refusal) or found.model is None else found.model.quality


def _upstream_model(name: str, snapshot: Snapshot) -> str:
    found = resolve(name, snapshot)
    if isinstance(found, Refusal) or found.model is None or not found.model.endpoints:
        return name
    return found.model.endpoints[0].upstream_model
