"""Rows of a long answer, a page at a time: nothing holds all of them, here or on their way."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from bascule.storage.postgres.bounded import BoundedConnection

PAGE_ROWS = 2_000

_number = count(1).__next__


def streamed(connection: BoundedConnection, sql: str, given: dict[str, Any] | None = None) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, inside a transaction of the caller's, which ends the cursor too.

    A cursor of psycopg's own would close itself when it is collected, which may be while somebody else has the
    connection.
    """
    name = f"page_{_number()}"
    connection.execute(f"DECLARE {name} NO SCROLL CURSOR FOR {sql}".encode(), given or {})
    fetch = f"FETCH FORWARD {PAGE_ROWS} FROM {name}".encode()
    while page := connection.execute(fetch, binary=True).fetchall():
        yield from page
        if len(page) < PAGE_ROWS:
            break
    connection.execute(f"CLOSE {name}".encode())
