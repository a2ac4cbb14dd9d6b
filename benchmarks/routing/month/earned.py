"""The month under earned routing: who serves is decided by the gateway's own tests, on what was compared so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bascule.decide.evidence.enrolment import Pair, counted
from bascule.decide.promotion.earned import earned
from bascule.decide.promotion.policy import EvidencePolicy
from bascule.decide.promotion.serving import is_compared, served_by
from bascule.decide.promotion.step import Transition, stepped
from bascule.decide.promotion.trial import Trial, TrialKey, with_session
from benchmarks.routing.month.agents import Caches, turn_nanousd
from benchmarks.routing.month.cast import Cast, Played
from benchmarks.routing.month.company import DAY_MS, Month, Request, Session
from benchmarks.routing.month.purse import Purse
from benchmarks.routing.month.setting import Setting

_LOOK_MS = 3_600_000
EXPECTED_IN = 250
PRODUCT_CAP, AGENT_CAP = 2_000, 32_000
"""Output caps, which a hold covers."""
AGENT_TASK = "agent"


@dataclass(frozen=True)
class Answer:
    """Of one simulated session or request."""

    row: int
    model: str
    nanousd: int


@dataclass
class Outcome:
    """What a month came to. Evidence is what shadows cost, each once and not times the weight."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    evidence_nanousd: int = 0
    transitions: list[Transition] = field(default_factory=list)
    compared: int = 0


class Trials:
    """One route's trials: what waits, what is counted, and what has come of it."""

    def __init__(self, policy: EvidencePolicy) -> None:
        self.policy = policy
        self.outcome = Outcome()
        self._trials: dict[tuple[str, str], Trial] = {}
        self._waiting: dict[tuple[str, str], list[Pair]] = {}
        self._looked_ms = 0
        self._spent: dict[int, int] = {}

    def of(self, task: str, now_ms: int) -> list[Trial]:
        """In the challengers' order, after what may count by now."""
        if now_ms - self._looked_ms >= _LOOK_MS:
            self._looked_ms = now_ms
            for key in list(self._waiting):
                self._step(key, now_ms)
        return [self._trial(task, challenger, now_ms) for challenger in self.policy.challengers]

    def may_spend(self, now_ms: int) -> bool:
        return self._spent.get(now_ms // DAY_MS, 0) < self.policy.max_nanousd_per_day

    def compared(self, trial: Trial, session_id: str, at_ms: int, difference: float, nanousd: int) -> None:
        key = trial.key.task, trial.key.challenger
        pair = Pair(session_id=session_id, enrolled_ms=at_ms, difference=difference, graded_ms=at_ms)
        self._waiting.setdefault(key, []).append(pair)
        self._spent[at_ms // DAY_MS] = self._spent.get(at_ms // DAY_MS, 0) + nanousd
        self.outcome.evidence_nanousd += nanousd
        self.outcome.compared += 1

    def _trial(self, task: str, challenger: str, now_ms: int) -> Trial:
        key = task, challenger
        if key not in self._trials:
            named = TrialKey(route=self.policy.route, task=task, incumbent=self.policy.incumbent, challenger=challenger)
            self._trials[key] = Trial(key=named, since_ms=now_ms, opened_ms=now_ms)
        return self._trials[key]

    def _step(self, key: tuple[str, str], now_ms: int) -> None:
        waiting, trial = self._waiting[key], self._trials[key]
        done = set()
        for session in counted(waiting, now_ms, self.policy.patience):
            trial = with_session(trial, session, self.policy.rules)
            done.add(session.session_id)
            trial, transition = stepped(trial, self.policy.rules, now_ms)
            if transition is not None:
                self.outcome.transitions.append(transition)
        self._trials[key] = trial
        self._waiting[key] = [pair for pair in waiting if pair.session_id not in done]


class Earned:
    """The months of one company, one after the other: what was earned in one is there in the next."""

    def __init__(self, cast: Cast, setting: Setting) -> None:
        self._cast = cast
        self._setting = setting
        self._trials = {name: Trials(policy) for name, policy in setting.policies.items()}

    def month(self, month: Month, purse: Purse) -> Outcome:
        """Who answered what. Requests that the purse refuses have no answer."""
        outcome = Outcome(answers={name: [] for name in self._trials})
        for trials in self._trials.values():
            trials.outcome = outcome
        for at_ms, name, one in _in_time(month):
            trials, weight = self._trials[name], month.volume.weight(name)
            if isinstance(one, Session):
                answer = _session(one, trials, self._cast, self._setting, purse, weight)
            else:
                answer = _request(one, trials, self._cast.products[name], self._setting, purse, weight, at_ms)
            if answer is not None:
                outcome.answers[name].append(answer)
        return outcome


def _in_time(month: Month) -> Iterator[tuple[int, str, Session | Request]]:
    everything: list[tuple[int, str, Session | Request]] = [
        (session.turns[0].at_ms, "agents", session) for session in month.sessions
    ]
    for name, requests in month.requests.items():
        everything += [(request.at_ms, name, request) for request in requests]
    return iter(sorted(everything, key=lambda event: event[0]))


def _first(trials: Trials, setting: Setting, session_id: str, task: str, at_ms: int, tokens_in: int) -> str:
    policy = trials.policy
    plan = setting.plan(policy.route, session_id, at_ms, tokens_in, task)
    served = served_by(trials.of(task, at_ms), session_id, policy.draw, policy.rules)
    return earned(plan, policy, served).candidates[0].model


def _request(
    request: Request, trials: Trials, played: Played, setting: Setting, purse: Purse, weight: int, at_ms: int
) -> Answer | None:
    task, row = played.labels[request.row], request.row
    model = _first(trials, setting, request.request_id, task, at_ms, EXPECTED_IN)
    cost = int(played.nanousd[row, played.column(model)])
    if not purse.pay(setting.held_nanousd(model, EXPECTED_IN, PRODUCT_CAP) * weight, cost * weight):
        return None
    incumbent = trials.policy.incumbent
    for trial in _compared(trials, request.request_id, task, model, at_ms):
        challenger = trial.key.challenger
        other = incumbent if model == challenger else challenger
        difference = played.quality[row, played.column(challenger)] - played.quality[row, played.column(incumbent)]
        spent = int(played.nanousd[row, played.column(other)])
        trials.compared(trial, request.request_id, at_ms, float(difference), spent)
    return Answer(row, model, cost)


def _session(
    session: Session, trials: Trials, cast: Cast, setting: Setting, purse: Purse, weight: int
) -> Answer | None:
    """A session's model is its own from the first turn to the last. What is compared is a turn; that the other model
    reads the whole prompt cold for it is paid."""
    first, played, row = session.turns[0], cast.agents, session.row
    model = _first(trials, setting, session.session_id, AGENT_TASK, first.at_ms, first.tokens_in)
    caches, total, incumbent = Caches(), 0, trials.policy.incumbent
    for number, turn in enumerate(session.turns):
        cost = turn_nanousd(model, turn, caches.warm(model, turn), cast.rates)
        if not purse.pay(setting.held_nanousd(model, turn.tokens_in, AGENT_CAP) * weight, cost * weight):
            return None if number == 0 else Answer(row, model, total)
        total += cost
        caches.note(model, turn)
        for trial in _compared(trials, f"{session.session_id}/{number}", AGENT_TASK, model, turn.at_ms):
            challenger = trial.key.challenger
            other = incumbent if model == challenger else challenger
            difference = played.quality[row, played.column(challenger)] - played.quality[row, played.column(incumbent)]
            spent = turn_nanousd(other, turn, 0, cast.rates)
            trials.compared(trial, session.session_id, turn.at_ms, float(difference), spent)
    setting.ended(len(session.turns))
    return Answer(row, model, total)


def _compared(trials: Trials, request_id: str, task: str, model: str, at_ms: int) -> Iterator[Trial]:
    """The trials for which this request, which `model` answers, is answered by the other model too."""
    policy = trials.policy
    for trial in trials.of(task, at_ms):
        able = model in (policy.incumbent, trial.key.challenger) and trials.may_spend(at_ms)
        if able and is_compared(trial, request_id, policy.draw, policy.rules):
            yield trial
