"""Trials and compared pairs in SQLite."""

import sqlite3
from collections.abc import Sequence

from msgspec import structs

from bascule.decide.promotion.step import Transition
from bascule.decide.promotion.trial import Trial, trial_id
from bascule.model.errors import StoreError
from bascule.ports import ComparedPair, KeptTrial
from bascule.storage.evidence_rows import PAIR_FIELDS, Stale, decode_trial, encode_trial, entry_of
from bascule.storage.sqlite.connect import Database
from bascule.storage.sqlite.governance import SqliteGovernance
from bascule.storage.sqlite.statements import statements


class SqliteEvidence:
    """Implements `ports.EvidenceStore`. Every call has a connection of its own, so any thread may make it."""

    def __init__(self, database: Database, governance: SqliteGovernance) -> None:
        self._database = database
        self._governance = governance
        self._sql = statements("evidence.sql")

    def open(self, trial: Trial) -> KeptTrial:
        key, name = trial.key, trial_id(trial.key)
        with self._database.separately() as connection:
            connection.execute(self._sql["open"], (name, key.route, key.task, key.challenger, encode_trial(trial)))
            found = connection.execute(self._sql["trial"], (name,)).fetchone()
        return _kept(found)

    def trials(self) -> list[KeptTrial]:
        with self._database.reading() as connection:
            return [_kept(row) for row in connection.execute(self._sql["trials"])]

    def enrol(self, pair: ComparedPair) -> None:
        with self._database.separately() as connection:
            if connection.execute(self._sql["trial"], (pair.trial_id,)).fetchone() is None:
                raise StoreError(f"there is no trial {pair.trial_id}")
            connection.execute(self._sql["enrol"], [getattr(pair, name) for name in PAIR_FIELDS])

    def grade(self, pair: ComparedPair) -> None:
        with self._database.separately() as connection:
            if not connection.execute(self._sql["grade"], structs.asdict(pair)).rowcount:
                raise StoreError(f"pair {pair.pair_id} was not enrolled")

    def withdraw(self, pair_id: str) -> None:
        with self._database.separately() as connection:
            connection.execute(self._sql["withdraw"], (pair_id,))

    def label(self, pair_id: str, difference: float) -> bool:
        with self._database.separately() as connection:
            return connection.execute(self._sql["label"], (difference, pair_id)).rowcount == 1

    def waiting(self, trial_id: str) -> list[ComparedPair]:
        return self._pairs("waiting", {"trial_id": trial_id})

    def labelled(self, trial_id: str) -> list[ComparedPair]:
        return self._pairs("labelled", {"trial_id": trial_id})

    def forget(self, before_ms: int) -> int:
        with self._database.separately() as connection:
            gone = connection.execute(self._sql["forget_pairs"], (before_ms,)).rowcount
            connection.execute(self._sql["forget_sessions"])
        return gone

    def pairs_of(self, request_id: str) -> list[ComparedPair]:
        return self._pairs("pairs_of", {"request_id": request_id})

    def save(
        self, kept: KeptTrial, trial: Trial, *, counted: Sequence[str] = (), transition: Transition | None = None
    ) -> bool:
        try:
            if transition is None:
                with self._database.separately() as connection:
                    self._replace(connection, kept, trial, counted)
            else:
                with self._governance.changing(**entry_of(kept.trial_id, transition)) as connection:
                    self._replace(connection, kept, trial, counted)
        except Stale:
            return False
        return True

    def _replace(self, connection: sqlite3.Connection, kept: KeptTrial, trial: Trial, counted: Sequence[str]) -> None:
        given = {"body": encode_trial(trial), "trial_id": kept.trial_id, "version": kept.version}
        if not connection.execute(self._sql["save"], given).rowcount:
            raise Stale
        connection.executemany(self._sql["count_session"], [(kept.trial_id, session_id) for session_id in counted])

    def _pairs(self, name: str, given: dict[str, str]) -> list[ComparedPair]:
        with self._database.reading() as connection:
            found = connection.execute(self._sql[name], given).fetchall()
        return [ComparedPair(**dict(zip(PAIR_FIELDS, row, strict=True))) for row in found]


def _kept(row: tuple[str, bytes, int]) -> KeptTrial:
    name, body, version = row
    return KeptTrial(name, decode_trial(body), version)
