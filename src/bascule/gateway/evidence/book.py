"""What is known of challengers just now: read from the store at intervals, asked at every request."""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from bascule.decide.evidence.finding import ANY_TASK
from bascule.decide.promotion.policy import EvidencePolicy
from bascule.decide.promotion.trial import Trial, TrialKey
from bascule.gateway.evidence.stepping import first_judge, step_all
from bascule.gateway.recurring import Recurring
from bascule.model.errors import StoreError
from bascule.ports import Beside, Clock, EvidenceStore, KeptTrial

log = logging.getLogger("bascule.evidence")

REFRESH_EVERY_S = 5.0
STORE_WITHIN_S = 30.0
MAX_OPENING = 1_000
KEEP_PAIRS_MS = 90 * 86_400_000
"""Compared requests are told of for so long; longer than any grade is waited for."""
FORGET_EVERY_MS = 3_600_000


class Case(Struct, frozen=True):
    """What is told apart at a request: everything of a trial's key but what providers report of their models."""

    route: str
    task: str
    fingerprint: str | None
    challenger: str
    models: tuple[str, str]
    """The upstream names of incumbent and challenger."""


def case_of(key: TrialKey) -> Case:
    return Case(
        key.route,
        key.task,
        key.fingerprint,
        key.challenger,
        (_configured(key.incumbent_snapshot), _configured(key.challenger_snapshot)),
    )


def snapshot_name(upstream_model: str, reported: str | None) -> str:
    """A model as it is configured, with what its provider says that it is."""
    return upstream_model if reported in (None, upstream_model) else f"{upstream_model} as {reported}"


def _configured(snapshot: str | None) -> str:
    return "" if snapshot is None else snapshot.partition(" as ")[0]


class Trials(Protocol):
    """Where the trial of a case is found."""

    def find(self, policy: EvidencePolicy, key: TrialKey) -> KeptTrial | None: ...


class Kept:
    """Implements `Trials` for those who only look: nothing is opened."""

    def __init__(self, kept: list[KeptTrial]) -> None:
        self._latest = _latest(kept, {})

    def find(self, policy: EvidencePolicy, key: TrialKey) -> KeptTrial | None:
        return self._latest.get(case_of(key))


class Book:
    """`start` and `stop` on the event loop. What the store cannot tell leaves the incumbent where it is."""

    def __init__(self, store: EvidenceStore, beside: Beside, clock: Clock) -> None:
        self._store = store
        self._beside = beside
        self._clock = clock
        self._current: dict[Case, KeptTrial] = {}
        self._opening: dict[TrialKey, EvidencePolicy] = {}
        self._chosen: dict[Case, TrialKey] = {}
        """What providers said last of their models, where that has changed while this process ran."""
        self._forgot_ms = 0
        self._recurring = Recurring(self.refresh, REFRESH_EVERY_S)
        self.policies: Mapping[str, EvidencePolicy] = {}
        """By route; those of the configuration that is served."""

    def start(self) -> None:
        self._recurring.start()

    async def stop(self) -> None:
        """Looks once more, for what has been compared since."""
        await self._recurring.stop()

    def find(self, policy: EvidencePolicy, key: TrialKey) -> KeptTrial | None:
        """The trial of this case; None where there is none yet, and then it is opened if there is room."""
        found = self._current.get(case_of(key))
        if found is None and len(self._current) < policy.max_trials and len(self._opening) < MAX_OPENING:
            self._opening.setdefault(key, policy)
        return found

    def turn_to(self, policy: EvidencePolicy, key: TrialKey) -> None:
        """A provider says that its model is another one than before: what was proved of the old one is over."""
        case = case_of(key)
        if self._current.pop(case, None) is not None:
            log.warning("models at %s are now %s and %s", key.route, key.incumbent_snapshot, key.challenger_snapshot)
        self._chosen[case] = key
        self._opening[key] = policy

    async def refresh(self) -> None:
        """Count what has been graded, take the steps that evidence calls for, and read what others have found out."""
        if not self.policies:
            return
        opening, self._opening = self._opening, {}
        try:
            kept = await self._beside.run(lambda: self._look(opening), STORE_WITHIN_S)
        except StoreError as error:
            log.error("evidence cannot be read: %s", error)
            self._opening = {**opening, **self._opening}
            return
        self._current = _latest(kept, self._chosen)

    def _look(self, opening: Mapping[TrialKey, EvidencePolicy]) -> list[KeptTrial]:
        """Blocking."""
        now_ms = self._clock.now_ms()
        for key, policy in opening.items():
            self._store.open(Trial(key=key, since_ms=now_ms, opened_ms=now_ms, judge=first_judge(policy)))
        if now_ms - self._forgot_ms >= FORGET_EVERY_MS:
            self._store.forget(now_ms - KEEP_PAIRS_MS)
            self._forgot_ms = now_ms
        return step_all(self._store, self.policies, now_ms)

    async def write(self, work: Callable[[], None]) -> None:
        """Run something on the store beside the event loop. Raises StoreError."""
        await self._beside.run(work, STORE_WITHIN_S)


def _latest(kept: list[KeptTrial], chosen: Mapping[Case, TrialKey]) -> dict[Case, KeptTrial]:
    """Of each case the trial that is about what its models are said to be now, else the one that began last: what a
    model was before it changed is history."""
    found: dict[Case, KeptTrial] = {}
    for one in sorted(kept, key=lambda each: each.trial.opened_ms):
        case = case_of(one.trial.key)
        if case not in found or found[case].trial.key != chosen.get(case):
            found[case] = one
    return found


def task_of_plan(task: str | None) -> str:
    return ANY_TASK if task is None else task
