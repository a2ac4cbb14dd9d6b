"""PostgreSQL as the store: its bounds, and what is meant by its address."""

import re
from urllib.parse import parse_qsl, urlsplit

from bascule.config.section import Count, Seconds, Section

_SCHEMES = ("postgresql://", "postgres://")
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")
_SECRET_PARAMETERS = frozenset({"password", "sslpassword", "oauth_client_secret"})


class Postgres(Section, frozen=True, kw_only=True):
    """Bounds of the connections to PostgreSQL; they mean nothing without `database`."""

    max_connections: Count = 8
    """Open at once in each worker. All replicas' together must fit into the server's own `max_connections`."""
    connect_timeout_s: Seconds = 5.0
    """For a new connection, in whole seconds and at least 2."""
    statement_timeout_s: Seconds = 15.0
    """For each statement that writes or looks something up."""
    reading_timeout_s: Seconds = 300.0
    """For each step of a report or an export."""
    keys_grace_s: Seconds = 3_600.0
    """How long keys made by command go on working while the database cannot be asked whether they were revoked; after
    that they get 503."""


def address_problem(text: str) -> tuple[str, str] | None:
    """What is wrong with a `database`, and how to mend it; None where nothing is. Never repeats the text."""
    if _REFERENCE.fullmatch(text):
        return None
    if not text.startswith(_SCHEMES):
        return "not a database that Bascule knows", "Write env:NAME, file:PATH or postgresql://user@host/name"
    try:
        parts = urlsplit(text)
        told = {name for name, value in parse_qsl(parts.query) if value}
        _ = parts.port
    except ValueError:
        return "not a URL", "Write it as postgresql://user@host:5432/name"
    if parts.password or told & _SECRET_PARAMETERS:
        mend = "Put the whole URL into a variable and write env:NAME, or leave the password to PGPASSWORD or PGPASSFILE"
        return "a URL with a password in it, and secrets do not belong into this file", mend
    return None
