"""What budgets have spent, summed by PostgreSQL."""

from collections.abc import Sequence

from bascule.decide.budget import parse_scope
from bascule.decide.window import span
from bascule.model.policy import Budget
from bascule.ports import ALL_CHAINS, Chains, Spent
from bascule.storage.postgres.bounded import BoundedConnection
from bascule.storage.postgres.statements import statements
from bascule.storage.spent_margin import FOR_EVER_MS, WINDOW_MARGIN_MS

_COLUMN_OF = {
    "org": "org",
    "team": "team",
    "project": "project",
    "key": '"key"',
    "user": '"user"',
    "session": "session_id",
    "tag": "tags ->> %(tag)s",
}


def spent(
    connection: BoundedConnection, budgets: Sequence[Budget], now_ms: int, chains: Chains = ALL_CHAINS
) -> dict[tuple[str, str], Spent]:
    """As `ports.LedgerSnapshot.spent`, inside a transaction of the caller's."""
    found: dict[tuple[str, str], Spent] = {}
    for scope, window in sorted({(budget.scope, budget.window) for budget in budgets}):
        found |= _spent(connection, Budget(scope=scope, window=window, limit_nanousd=0), now_ms, chains)
    return found


def _spent(connection: BoundedConnection, budget: Budget, now_ms: int, chains: Chains) -> dict[tuple[str, str], Spent]:
    kind, name = parse_scope(budget.scope)
    tag, _, value = name.partition("=")
    prefix, wanted = (f"tag:{tag}=", value) if kind == "tag" else (f"{kind}:", name)
    here = span(budget.window, now_ms)
    end_ms = FOR_EVER_MS if here.end_ms is None else here.end_ms
    column = _COLUMN_OF[kind]
    sql = statements("ledger.sql")["spent"].replace(":column", column)
    only = "" if wanted == "*" else f"AND {column} = %(name)s"
    if chains != ALL_CHAINS:
        only += " " + statements("ledger.sql")["without_chains" if chains.only is None else "only_chain"]
    sql = sql.replace(":only_those", only)
    given = {
        "only": chains.only, "without": list(chains.without),
        "tag": tag, "name": wanted, "prefix": prefix, "window_id": here.id, "margin_ms": WINDOW_MARGIN_MS,
        "start_ms": here.start_ms, "end_ms": end_ms,
        "previous_id": here.id if here.end_ms is None else span(budget.window, here.start_ms - 1).id,
        "next_id": here.id if here.end_ms is None else span(budget.window, end_ms).id,
    }  # fmt: skip
    found = connection.execute(sql, given)
    return {(prefix + name, here.id): Spent(settled, held) for name, settled, held in found if settled or held}
