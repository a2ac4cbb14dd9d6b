"""Trials of challengers, and the requests that were answered by both models."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from bascule.decide.promotion.step import Transition
from bascule.decide.promotion.trial import Trial


class ComparedPair(Struct, frozen=True, kw_only=True):
    """One request that was answered by incumbent and challenger. Holds grades and costs, never content."""

    pair_id: str
    trial_id: str
    request_id: str
    session_id: str
    """The request's own id where it belongs to no session."""
    enrolled_ms: int
    graded_ms: int | None = None
    difference: float | None = None
    """Challenger's grade less incumbent's, -1 to 1; None while it has not come."""
    grader: str | None = None
    """`exact`, `json_schema`, `judge`, …; None while it has not come."""
    label: float | None = None
    """The difference as people, or a program that checks, say it: calibrates a judge, and is not counted besides."""
    shadow_nanousd: int | None = None
    """What the second answer cost; None: not known yet."""
    judge_nanousd: int | None = None


class KeptTrial(Struct, frozen=True):
    """A trial as it was read. Its version makes sure that nobody writes over what another process has found out."""

    trial_id: str
    trial: Trial
    version: int


class EvidenceStore(Protocol):
    """Blocking, for any thread. All raise StoreError."""

    def open(self, trial: Trial) -> KeptTrial:
        """The trial with this key: the one that is there, else this one, from now on."""
        ...

    def trials(self) -> list[KeptTrial]:
        """All, by route, task and challenger."""
        ...

    def enrol(self, pair: ComparedPair) -> None:
        """A request is going to be answered by both. Once for each `pair_id`."""
        ...

    def grade(self, pair: ComparedPair) -> None:
        """What became of an enrolled pair: everything but who it is and when it was enrolled."""
        ...

    def withdraw(self, pair_id: str) -> None:
        """It was about other models than its trial is; for whatever else a pair came to nothing, it counts."""
        ...

    def label(self, pair_id: str, difference: float) -> bool:
        """False where there is no such pair."""
        ...

    def waiting(self, trial_id: str) -> list[ComparedPair]:
        """Pairs of sessions that have not been counted, in the order in which they were enrolled."""
        ...

    def labelled(self, trial_id: str) -> list[ComparedPair]:
        """Pairs with a label, in the order in which they were enrolled."""
        ...

    def forget(self, before_ms: int) -> int:
        """Delete pairs that were enrolled before, and which sessions were counted where no pair of theirs is left; how
        many pairs those were. What they came to stands in their trials."""
        ...

    def pairs_of(self, request_id: str) -> list[ComparedPair]: ...

    def save(
        self, kept: KeptTrial, trial: Trial, *, counted: Sequence[str] = (), transition: Transition | None = None
    ) -> bool:
        """Replace the trial, count these sessions' pairs as done, and enter the transition in the audit trail: all or
        nothing. False where somebody else has saved it since `kept` was read; then nothing is done.
        """
        ...
