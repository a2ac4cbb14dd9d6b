"""A connection that never waits for ever, and what PostgreSQL says in our own words."""

import re
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

from bascule.model.errors import StoreError, StoreUnreachable

_T = TypeVar("_T")

POLL_S = 0.1
"""How often a wait looks at the clock."""
GRACE_S = 1.0
"""What the server gets beyond its own `statement_timeout` to say that it was reached."""


_ESCAPED_ZERO = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")


class NoAnswer(psycopg.OperationalError):
    """The server did not answer in time; the connection is closed, as nobody knows what it is in the middle of."""


class BoundedConnection(psycopg.Connection[TupleRow]):
    """A server that is frozen, or gone without a word, never breaks a connection. So every wait here has an end.

    `answer_s` bounds each wait for the server from now on; it is the caller's to set.
    """

    answer_s = 30.0

    def wait(self, gen: PQGen[_T], interval: float = POLL_S, timeout: float | None = None) -> _T:
        within_s = self.answer_s if timeout is None else timeout
        try:
            return super().wait(gen, interval, within_s)
        except psycopg.errors._WaitTimeout as error:
            self.close()
            raise NoAnswer(f"no answer within {within_s:g} s") from error


_REMEDIES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("28",), "Check user and password of `database`"),
    (("3D",), "Create that database, or mend the name in `database`"),
    (("42501",), "Give that user the right to create and write tables in its database"),
    (("25006",), "It is a standby; name the primary, e.g. with ?target_session_attrs=read-write"),
    (("53300",), "Raise the server's max_connections, or lower `postgres.max_connections` of the replicas"),
    (("53100", "58"), "Free space on the server's disk or mend it"),
    (("57P",), "It is starting or stopping; this is tried again"),
    (("57014",), "It took longer than `postgres.statement_timeout_s` or `reading_timeout_s` allows"),
    (("55P03", "40"), "Others were writing the same at that moment; try again"),
)
_WORDS: tuple[tuple[str, str], ...] = (
    ("authentication failed", "28"), ("no password supplied", "28"), ("pg_hba.conf", "28"), ("role ", "28"),
    ("database ", "3D"), ("too many clients", "53300"), ("connection slots", "53300"), ("the database system", "57P"),
)  # fmt: skip
"""While a connection is being made there is no code yet, only what the server wrote after FATAL."""
_PASSING = ("57P", "53300")
"""What ends without anybody's changing the configuration."""
_UNREACHABLE = (
    "See whether it runs and can be reached from here; what it cannot take yet waits in the journal, and is tried again"
)


def store_error(place: str, error: psycopg.Error, *, committing: bool = False) -> StoreError:
    """What PostgreSQL says, with what to do about it. `committing`: nobody knows whether it was done."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    state = error.sqlstate or ""
    known = state or _code_of(said)
    remedy = next((mend for states, mend in _REMEDIES if known.startswith(states)), "")
    lost = isinstance(error, psycopg.OperationalError) and not known
    if not remedy:
        remedy = _UNREACHABLE if lost else "See the message; `bascule doctor` checks the database"
    if committing:
        remedy += ". Whether the change was made is not known: look before you repeat it"
    kind = StoreUnreachable if lost or known.startswith(_PASSING) else StoreError
    return kind(f"PostgreSQL at {place}: {said}{f' ({state})' if state else ''}. {remedy}")


def _code_of(said: str) -> str:
    _, refused, why = said.rpartition("FATAL:")
    return next((code for words, code in reversed(_WORDS) if words in why), "") if refused else ""


def text_of(value: Any) -> Any:
    """A value as PostgreSQL can keep it: neither its text nor its JSON has a character zero.

    Nothing that identifies a request has one; should it come in another way, it must not stop the drainer. The line's
    own body keeps it as it came.
    """
    if not isinstance(value, str):
        return value
    return (
        _ESCAPED_ZERO.sub(r"\1\\ufffd", value.replace("\0", "\ufffd")) if "\0" in value or "\\u0000" in value else value
    )
