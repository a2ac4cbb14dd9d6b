"""How far each replica's journals are in PostgreSQL."""

from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.statements import statements


class PostgresWatermarks:
    """Implements `ports.Watermarks`, for any thread."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._sql = statements("watermarks.sql")

    def now_ms(self) -> int:
        with self._database.reading() as connection:
            found = connection.execute(self._sql["now"]).fetchone()
        assert found is not None
        return int(found[0])

    def complete(self, chain_id: str, at_ms: int) -> None:
        with self._database.transaction() as connection:
            connection.execute(self._sql["complete"], (chain_id, at_ms))

    def ended(self, chain_id: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(self._sql["ended"], (chain_id,))

    def behind(self, at_ms: int) -> list[str]:
        with self._database.reading() as connection:
            return [chain_id for (chain_id,) in connection.execute(self._sql["behind"], (at_ms,))]
