"""`bascule contracts`: what contracts cost, what they saved, what is left of them, and plans against the meter."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import click

from bascule.cli.contract_words import contract_words, last_day, money, percent_of
from bascule.cli.data import open_existing, read_document
from bascule.cli.numbers import price_of_text
from bascule.cli.output import config_option, json_option, print_json, print_table
from bascule.cli.period import Period, iso_day, month_option, now_ms, period_options
from bascule.cli.seat_plans import compare_plans
from bascule.config.shape import Contract
from bascule.model.imported import AGENTS
from bascule.offline.contract_state import ContractState, Pot, contract_states
from bascule.offline.paid import needed, paid_report
from bascule.offline.paid_payload import paid_payload, state_payload
from bascule.ports import Analytics


@click.command("contracts")
@config_option
@period_options
@month_option
@click.option("--plan-or-metered", is_flag=True, help="For each developer and month: a seat plan, or by the meter?")
@click.option("--usd-per-seat-month", "fee", callback=price_of_text, metavar="USD",
              help="With --plan-or-metered: the fee of a seat; default: what the contracts say.")  # fmt: skip
@click.option("--client", "clients", multiple=True, metavar="NAME",
              help=f"With --plan-or-metered: of these clients; default: {', '.join(AGENTS)}.")  # fmt: skip
@json_option
def command(
    config_path: str | None,
    period: Period,
    plan_or_metered: bool,
    fee: Decimal | None,
    clients: tuple[str, ...],
    as_json: bool,
) -> None:
    """What each contract cost, what its use would have cost at list price, and how long it lasts.

    Contracts stand in the configuration: discounts, commitments, credits, seats, provisioned units. The ledger keeps
    list prices; contracts are applied when a report is made. Without a period everything recorded counts, fees from
    the first month with any use up to now. `report` shows effective and marginal cost by whatever it is asked for.
    """
    if (fee is not None or clients) and not plan_or_metered:
        raise click.UsageError("--usd-per-seat-month and --client belong to --plan-or-metered")
    document = read_document(config_path)
    contracts = document.config.contracts
    if not contracts and not plan_or_metered:
        raise click.ClickException(
            "the configuration has no contracts; write e.g. `contracts: [{provider: anthropic, seats: 5, "
            "usd_per_seat_month: 100, covers: [claude-code]}]`, see docs/contracts.md"
        )
    # Whether a month is recorded in full is known by what is older.
    since_ms = None if plan_or_metered else period.since_ms
    with open_existing(document).analytics.held(needed(contracts, since_ms, period.until_ms)) as analytics:
        if plan_or_metered:
            compare_plans(analytics, contracts, period, fee, clients, as_json)
        else:
            _states(analytics, contracts, period, as_json)


def _states(analytics: Analytics, contracts: tuple[Contract, ...], period: Period, as_json: bool) -> None:
    now = now_ms()
    costs = analytics.costs
    report = paid_report(costs, contracts, (), since_ms=period.since_ms, until_ms=period.until_ms, now_ms=now)
    states = contract_states(costs, contracts, report, now)
    if as_json:
        shown = {"contracts": [state_payload(one) for one in states], "paid": paid_payload(report, contracts)}
        print_json(shown)
        return
    click.echo(f"From {iso_day(report.since_ms)} to {last_day(report.until_ms)}.")
    print_table(
        ("contract", "cost", "at list", "saved", "used", "idle", "left", "at the present pace"),
        [_state_cells(one) for one in states],
        optional=("idle",),
    )
    total = report.total
    click.echo(
        f"Paid: {money(report.paid_nanousd)}, of it {money(report.fixed_nanousd)} for nothing that was used; "
        f"the same use at list price: {money(total.metered_list_nanousd) or 'unknown'}."
    )
    if total.unpriced_attempts:
        click.echo(f"Attempts without a known price, in no list price: {total.unpriced_attempts:,}.")
    if total.on_plan_nanousd:
        click.echo(f"Not in what is paid: {money(total.on_plan_nanousd)} at list on a plan that no contract names.")
    for warning in report.warnings:
        click.echo(warning)


def _state_cells(one: ContractState) -> list[Any]:
    label = contract_words(one.contract) + ("" if one.state == "runs" else f" ({one.state})")
    left = ", ".join([f"{money(pot.left_nanousd)}" for pot in one.pots]) or None
    pace = ", ".join([_pace_words(one, pot) for pot in one.pots]) or None
    saved = one.saved_nanousd if one.state != "begins later" else None
    return [
        label, money(one.cost_nanousd), money(one.list_nanousd), money(saved), _used_words(one),
        money(one.idle_nanousd) if one.idle_nanousd else None, left, pace,
    ]  # fmt: skip


def _used_words(one: ContractState) -> str | None:
    said = []
    if one.people_seats:
        said.append(f"{one.people_seats[-1][1]} of {one.contract.seats} seats ({percent_of(one.seat_use)} in all)")
    elif one.fee_use is not None:
        said.append(f"{percent_of(one.fee_use)} of its fee at list")
    said += [
        f"{percent_of(Fraction(pot.drawn_nanousd, pot.nanousd))} of the {pot.kind}" for pot in one.pots if pot.nanousd
    ]
    return ", ".join(said) or None


def _pace_words(one: ContractState, pot: Pot) -> str:
    if one.state != "runs":
        return one.state
    if pot.left_nanousd <= 0:
        return "used up"
    if pot.runs_out_ms is not None:
        return f"runs out {iso_day(pot.runs_out_ms)}"
    if pot.unused_at_end_nanousd is not None:
        return f"{money(pot.unused_at_end_nanousd)} unused on {last_day(pot.last_ms)}"
    return "not drawn at present" if not pot.pace_nanousd else "hardly drawn at present"
