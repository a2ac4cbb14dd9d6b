"""What budgets have spent, summed by SQLite."""

import sqlite3
from collections.abc import Sequence

import msgspec

from bascule.decide.budget import parse_scope
from bascule.decide.window import span
from bascule.model.policy import Budget
from bascule.ports import ALL_CHAINS, Chains, Spent
from bascule.storage.spent_margin import FOR_EVER_MS, WINDOW_MARGIN_MS
from bascule.storage.sqlite.statements import statements

_encode = msgspec.json.Encoder().encode

_COLUMN_OF = {
    "org": "org",
    "team": "team",
    "project": "project",
    "key": '"key"',
    "user": '"user"',
    "session": "session_id",
    "tag": "(SELECT value FROM json_each(attempts.tags) WHERE json_each.key = :tag)",
}


def spent(
    connection: sqlite3.Connection, budgets: Sequence[Budget], now_ms: int, chains: Chains = ALL_CHAINS
) -> dict[tuple[str, str], Spent]:
    """As `ports.LedgerSnapshot.spent`, inside a transaction of the caller's."""
    found: dict[tuple[str, str], Spent] = {}
    for scope, window in sorted({(budget.scope, budget.window) for budget in budgets}):
        found |= _spent(connection, Budget(scope=scope, window=window, limit_nanousd=0), now_ms, chains)
    return found


def _spent(connection: sqlite3.Connection, budget: Budget, now_ms: int, chains: Chains) -> dict[tuple[str, str], Spent]:
    kind, name = parse_scope(budget.scope)
    tag, _, value = name.partition("=")
    prefix, wanted = (f"tag:{tag}=", value) if kind == "tag" else (f"{kind}:", name)
    here = span(budget.window, now_ms)
    end_ms = FOR_EVER_MS if here.end_ms is None else here.end_ms
    column = _COLUMN_OF[kind]
    sql = statements("ledger.sql")["spent"].replace(":column", column)
    only = "" if wanted == "*" else f"AND {column} = :name"
    if chains != ALL_CHAINS:
        only += " " + statements("ledger.sql")["without_chains" if chains.only is None else "only_chain"]
    sql = sql.replace(":only_those", only)
    given = {
        "only": chains.only, "without": _encode(chains.without).decode(),
        "tag": tag, "name": wanted, "prefix": prefix, "window_id": here.id, "margin_ms": WINDOW_MARGIN_MS,
        "start_ms": here.start_ms, "end_ms": end_ms,
        "previous_id": here.id if here.end_ms is None else span(budget.window, here.start_ms - 1).id,
        "next_id": here.id if here.end_ms is None else span(budget.window, end_ms).id,
    }  # fmt: skip
    found = connection.execute(sql, given)
    return {(prefix + name, here.id): Spent(settled, held) for name, settled, held in found if settled or held}
