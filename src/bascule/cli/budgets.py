"""`bascule budgets`: caps on what may be spent, and what is left of them."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, get_args

import click
from msgspec import structs

from bascule.cli.data import has_ledger, open_store, read_document
from bascule.cli.output import config_option, json_option, print_json, print_table, usd_fit
from bascule.cli.period import now_ms
from bascule.cli.progress import track
from bascule.cli.who import who
from bascule.config.load import Document
from bascule.config.suggest import remedy
from bascule.decide.budget import in_force, parse_scope
from bascule.link.policy import budget_policy
from bascule.model.budget import BudgetState
from bascule.model.errors import BasculeError
from bascule.model.money import nanousd_from_usd
from bascule.model.policy import Budget, BudgetMode, BudgetWindow, OnExhausted
from bascule.model.row import GATEWAY, RowFilter
from bascule.offline.budgets import budget_states, rows_since_ms
from bascule.offline.payload import budget_payload, state_payload
from bascule.ports import Governance

if TYPE_CHECKING:
    from bascule.compose import Store

WINDOWS = get_args(BudgetWindow)


@click.group("budgets")
def command() -> None:
    """Caps on what may be spent, and what is left of them.

    Scopes: org:N team:N project:N key:N user:N user:* session:* tag:K=V.
    """


@command.command("list")
@config_option
@json_option
def list_budgets(config_path: str | None, as_json: bool) -> None:
    """Every budget, from the file and made by command."""
    budgets = all_budgets(read_document(config_path))
    if as_json:
        print_json([budget_payload(budget) for budget in budgets])
        return
    columns = ("scope", "window", "limit", "mode", "on exhausted", "alerts", "from")
    print_table(
        columns,
        [
            (b.scope, b.window, usd_fit(b.limit_nanousd), b.mode, b.on_exhausted,
             ", ".join([f"{alert:g}" for alert in b.alerts]) or None, "file" if b.source == "config" else "command")
            for b in budgets
        ],
    )  # fmt: skip


@command.command("show")
@click.argument("scope", required=False)
@config_option
@json_option
def show(scope: str | None, config_path: str | None, as_json: bool) -> None:
    """What is spent, held and left in the current window of every budget, a running gateway's open holds included."""
    document = read_document(config_path)
    states = current_states(document, now_ms())
    if scope is not None:
        states = [state for state in states if state.scope == scope]
        if not states:
            raise BasculeError(f"no budget counts {scope!r} now; `bascule budgets list` has all there are")
    if as_json:
        print_json([state_payload(state) for state in states])
        return
    columns = ("scope", "window", "limit", "settled", "held", "left", "of it idle", "used", "mode")
    print_table(columns, [_cells(state) for state in states])


@command.command("set")
@click.argument("scope")
@click.option("--limit-usd", required=True, metavar="USD", help="The cap, as a decimal.")
@click.option("--window", type=click.Choice(WINDOWS), required=True, help="UTC calendar window, or total.")
@click.option("--mode", type=click.Choice(get_args(BudgetMode)), default="strict", show_default=True)
@click.option("--on-exhausted", type=click.Choice(get_args(OnExhausted)), default="refuse", show_default=True)
@click.option("--alert", "alerts", multiple=True, type=click.FloatRange(0, 10, min_open=True), help="A share: 0.8")
@config_option
@json_option
def set_budget(
    scope: str,
    limit_usd: str,
    window: BudgetWindow,
    mode: BudgetMode,
    on_exhausted: OnExhausted,
    alerts: tuple[float, ...],
    config_path: str | None,
    as_json: bool,
) -> None:
    """Make or change the budget of SCOPE in this window. A running gateway takes it up within a second."""
    budget = Budget(
        scope=_scope(scope),
        limit_nanousd=_limit(limit_usd),
        window=window,
        mode=mode,
        alerts=alerts,
        on_exhausted=on_exhausted,
        source="store",
    )
    document = read_document(config_path)
    _refuse_file_s_own(document, scope, window)
    governance = open_store(document).governance
    _warn_of_no_key(scope, document, governance)
    governance.set_budget(budget, by=who(), now_ms=now_ms())
    if as_json:
        print_json(budget_payload(budget))
        return
    click.echo(f"{scope}: {usd_fit(budget.limit_nanousd)} a {window} ({mode})")


@command.command("remove")
@click.argument("scope")
@click.option("--window", type=click.Choice(WINDOWS), required=True)
@config_option
def remove(scope: str, window: BudgetWindow, config_path: str | None) -> None:
    """Remove a budget that a command made."""
    document = read_document(config_path)
    _refuse_file_s_own(document, scope, window)
    if not open_store(document).governance.remove_budget(scope, window, by=who(), now_ms=now_ms()):
        raise BasculeError(f"there is no budget of {scope} a {window}; `bascule budgets list` has all there are")
    click.echo(f"{scope} a {window}: removed")


def all_budgets(document: Document) -> tuple[Budget, ...]:
    """The file's, then those made by command for other scopes and windows, as the gateway counts them."""
    fixed = tuple([budget_policy(budget) for budget in document.config.budgets])
    if not has_ledger(document):
        return fixed
    return in_force(fixed, open_store(document).governance.budgets())


def current_states(document: Document, at_ms: int) -> list[BudgetState]:
    budgets = all_budgets(document)
    if not has_ledger(document):
        return budget_states(budgets, (), at_ms)
    where = RowFilter(since_ms=rows_since_ms(budgets, at_ms), origin=GATEWAY)
    store = open_store(document)
    rows = store.view.attempts(where)
    return with_idle(store, budget_states(budgets, track(rows, "reading the ledger"), at_ms), at_ms)


def with_idle(store: "Store", states: list[BudgetState], at_ms: int) -> list[BudgetState]:
    """With what lies ready with workers that share these budgets, where there are such."""
    from bascule.compose import borrowed_from

    leases = borrowed_from(store)
    if leases is None:
        return states
    try:
        found = leases.standings([(state.scope, state.window_id) for state in states], at_ms)
    finally:
        leases.shut()
    return [
        state if standing is None else structs.replace(state, idle_nanousd=standing.idle_elsewhere_nanousd)
        for state, standing in zip(states, found, strict=True)
    ]


def _cells(state: BudgetState) -> tuple[Any, ...]:
    used = state.settled_nanousd + state.held_nanousd
    return (
        state.scope,
        state.window_id,
        usd_fit(state.limit_nanousd),
        usd_fit(state.settled_nanousd),
        usd_fit(state.held_nanousd),
        usd_fit(state.left_nanousd),
        usd_fit(state.idle_nanousd) if state.idle_nanousd else None,
        f"{100 * used / state.limit_nanousd:.1f} %" if state.limit_nanousd else None,
        state.mode,
    )


def _scope(scope: str) -> str:
    try:
        parse_scope(scope)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="SCOPE") from None
    return scope


def _limit(text: str) -> int:
    try:
        limit = nanousd_from_usd(Decimal(text))
    except (ValueError, InvalidOperation):
        raise click.BadParameter(f"{text!r} is not an amount of dollars", param_hint="--limit-usd") from None
    if limit < 0:
        raise click.BadParameter("a limit is not negative", param_hint="--limit-usd")
    return limit


def _warn_of_no_key(scope: str, document: Document, governance: Governance) -> None:
    """A budget may come before its key, but a name that is misspelt caps nothing."""
    kind, _, name = scope.partition(":")
    stored = governance.keys()
    known = {*document.config.keys, *[key.policy.name for key in stored]}
    if kind == "key" and name not in known:
        mend = remedy(name, known, "key")
        click.echo(f"warning: there is no key {name!r}, so this caps nothing until there is one. {mend}", err=True)


def _refuse_file_s_own(document: Document, scope: str, window: str) -> None:
    if any((budget.scope, budget.window) == (scope, window) for budget in document.config.budgets):
        raise BasculeError(f"the budget of {scope} a {window} is defined in {document.file}; change it there")
