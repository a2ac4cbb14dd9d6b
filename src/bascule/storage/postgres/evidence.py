"""Trials and compared pairs in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from bascule.decide.promotion.step import Transition
from bascule.decide.promotion.trial import Trial, trial_id
from bascule.model.errors import StoreError
from bascule.ports import ComparedPair, KeptTrial
from bascule.storage.evidence_rows import PAIR_FIELDS, Stale, decode_trial, encode_trial, entry_of
from bascule.storage.postgres.bounded import BoundedConnection, text_of
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.governance import PostgresGovernance
from bascule.storage.postgres.statements import statements


class PostgresEvidence:
    """Implements `ports.EvidenceStore`, for any thread."""

    def __init__(self, database: PostgresDatabase, governance: PostgresGovernance) -> None:
        self._database = database
        self._governance = governance
        self._sql = statements("evidence.sql")

    def open(self, trial: Trial) -> KeptTrial:
        key, name = trial.key, trial_id(trial.key)
        with self._database.transaction() as connection:
            values = (name, text_of(key.route), text_of(key.task), text_of(key.challenger), encode_trial(trial))
            connection.execute(self._sql["open"], values)
            found = connection.execute(self._sql["trial"], (name,)).fetchone()
        if found is None:
            raise StoreError(f"trial {name} is gone; try again")
        return _kept(found)

    def trials(self) -> list[KeptTrial]:
        with self._database.reading() as connection:
            return [_kept(row) for row in connection.execute(self._sql["trials"])]

    def enrol(self, pair: ComparedPair) -> None:
        values = [text_of(getattr(pair, name)) for name in PAIR_FIELDS]
        with self._database.transaction() as connection:
            if connection.execute(self._sql["trial"], (pair.trial_id,)).fetchone() is None:
                raise StoreError(f"there is no trial {pair.trial_id}")
            connection.execute(self._sql["enrol"], values)

    def grade(self, pair: ComparedPair) -> None:
        given = {name: text_of(value) for name, value in structs.asdict(pair).items()}
        with self._database.transaction() as connection:
            if not connection.execute(self._sql["grade"], given).rowcount:
                raise StoreError(f"pair {pair.pair_id} was not enrolled")

    def withdraw(self, pair_id: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(self._sql["withdraw"], (text_of(pair_id),))

    def label(self, pair_id: str, difference: float) -> bool:
        with self._database.transaction() as connection:
            return connection.execute(self._sql["label"], (difference, text_of(pair_id))).rowcount == 1

    def waiting(self, trial_id: str) -> list[ComparedPair]:
        return self._pairs("waiting", {"trial_id": trial_id})

    def labelled(self, trial_id: str) -> list[ComparedPair]:
        return self._pairs("labelled", {"trial_id": trial_id})

    def forget(self, before_ms: int) -> int:
        with self._database.transaction() as connection:
            gone = connection.execute(self._sql["forget_pairs"], (before_ms,)).rowcount
            connection.execute(self._sql["forget_sessions"])
        return gone

    def pairs_of(self, request_id: str) -> list[ComparedPair]:
        return self._pairs("pairs_of", {"request_id": text_of(request_id)})

    def save(
        self, kept: KeptTrial, trial: Trial, *, counted: Sequence[str] = (), transition: Transition | None = None
    ) -> bool:
        try:
            if transition is None:
                with self._database.transaction() as connection:
                    self._replace(connection, kept, trial, counted)
            else:
                with self._governance.changing(**entry_of(kept.trial_id, transition)) as connection:
                    self._replace(connection, kept, trial, counted)
        except Stale:
            return False
        return True

    def _replace(self, connection: BoundedConnection, kept: KeptTrial, trial: Trial, counted: Sequence[str]) -> None:
        given = {"body": encode_trial(trial), "trial_id": kept.trial_id, "version": kept.version}
        if not connection.execute(self._sql["save"], given).rowcount:
            raise Stale
        done = [(kept.trial_id, text_of(session_id)) for session_id in counted]
        with connection.cursor() as cursor:
            cursor.executemany(self._sql["count_session"], done)

    def _pairs(self, name: str, given: dict[str, str]) -> list[ComparedPair]:
        with self._database.reading() as connection:
            found = connection.execute(self._sql[name], given).fetchall()
        return [ComparedPair(**dict(zip(PAIR_FIELDS, row, strict=True))) for row in found]


def _kept(row: tuple[Any, ...]) -> KeptTrial:
    name, body, version = row
    return KeptTrial(name, decode_trial(bytes(body)), version)
