"""Trials and compared pairs in dictionaries. Says the same as SQLite's, which one contract suite proves."""

from collections.abc import Sequence

from msgspec import structs

from bascule.decide.promotion.step import Transition
from bascule.decide.promotion.trial import Trial, trial_id
from bascule.model.errors import StoreError
from bascule.ports import ComparedPair, Governance, KeptTrial
from bascule.storage.evidence_rows import entry_of


class MemoryEvidence:
    """Implements `ports.EvidenceStore`."""

    def __init__(self, governance: Governance) -> None:
        self._governance = governance
        self._trials: dict[str, KeptTrial] = {}
        self._pairs: dict[str, ComparedPair] = {}
        self._counted: set[tuple[str, str]] = set()

    def open(self, trial: Trial) -> KeptTrial:
        name = trial_id(trial.key)
        return self._trials.setdefault(name, KeptTrial(name, trial, 1))

    def trials(self) -> list[KeptTrial]:
        def place(kept: KeptTrial) -> tuple[str, str, str, str]:
            key = kept.trial.key
            return key.route, key.task, key.challenger, kept.trial_id

        return sorted(self._trials.values(), key=place)

    def enrol(self, pair: ComparedPair) -> None:
        if pair.trial_id not in self._trials:
            raise StoreError(f"there is no trial {pair.trial_id}")
        if pair.pair_id in self._pairs:
            raise StoreError(f"pair {pair.pair_id} is enrolled already")
        self._pairs[pair.pair_id] = pair

    def grade(self, pair: ComparedPair) -> None:
        known = self._pairs.get(pair.pair_id)
        if known is None:
            raise StoreError(f"pair {pair.pair_id} was not enrolled")
        self._pairs[pair.pair_id] = structs.replace(
            known,
            graded_ms=pair.graded_ms,
            difference=pair.difference,
            grader=pair.grader,
            shadow_nanousd=pair.shadow_nanousd,
            judge_nanousd=pair.judge_nanousd,
        )

    def withdraw(self, pair_id: str) -> None:
        self._pairs.pop(pair_id, None)

    def label(self, pair_id: str, difference: float) -> bool:
        known = self._pairs.get(pair_id)
        if known is None:
            return False
        self._pairs[pair_id] = structs.replace(known, label=difference)
        return True

    def waiting(self, trial_id: str) -> list[ComparedPair]:
        return [
            pair
            for pair in self._of(trial_id)
            if pair.label is None and (trial_id, pair.session_id) not in self._counted
        ]

    def labelled(self, trial_id: str) -> list[ComparedPair]:
        return [pair for pair in self._of(trial_id) if pair.label is not None]

    def forget(self, before_ms: int) -> int:
        old = [pair.pair_id for pair in self._pairs.values() if pair.enrolled_ms < before_ms]
        for pair_id in old:
            del self._pairs[pair_id]
        self._counted &= {(pair.trial_id, pair.session_id) for pair in self._pairs.values()}
        return len(old)

    def pairs_of(self, request_id: str) -> list[ComparedPair]:
        return [pair for pair in self._pairs.values() if pair.request_id == request_id]

    def save(
        self, kept: KeptTrial, trial: Trial, *, counted: Sequence[str] = (), transition: Transition | None = None
    ) -> bool:
        if self._trials[kept.trial_id].version != kept.version:
            return False
        if transition is not None:
            self._governance.record(**entry_of(kept.trial_id, transition))
        self._trials[kept.trial_id] = KeptTrial(kept.trial_id, trial, kept.version + 1)
        self._counted.update([(kept.trial_id, session_id) for session_id in counted])
        return True

    def _of(self, trial_id: str) -> list[ComparedPair]:
        found = [pair for pair in self._pairs.values() if pair.trial_id == trial_id]
        return sorted(found, key=lambda pair: (pair.enrolled_ms, pair.pair_id))
