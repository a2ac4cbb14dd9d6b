"""`bascule contracts --plan-or-metered`: for each developer and month, a seat plan against the meter."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import click

from bascule.cli.amounts import count
from bascule.cli.contract_words import counted, last_day, money, named, percent_of
from bascule.cli.output import print_json, print_table
from bascule.cli.period import Period, iso_day, now_ms
from bascule.config.shape import Contract
from bascule.decide.window import span, span_of
from bascule.model.imported import AGENTS
from bascule.model.money import nanousd_from_usd
from bascule.model.row import RowFilter
from bascule.offline.paid import paid_report
from bascule.offline.paid_payload import client_payload
from bascule.offline.plan_or_metered import Client, Compared, Month, compare, discounts_only
from bascule.ports import Analytics


def compare_plans(
    analytics: Analytics,
    contracts: tuple[Contract, ...],
    period: Period,
    fee: Decimal | None,
    clients: tuple[str, ...],
    as_json: bool,
) -> None:
    names = clients or AGENTS
    fees = _fees(contracts, names, fee)
    if not fees:
        raise click.UsageError(
            f"no contract tells what a seat of {named(names)} costs: give --usd-per-seat-month, or add "
            "`{provider: anthropic, seats: 5, usd_per_seat_month: 100, covers: [claude-code]}` under `contracts`"
        )
    months, since_ms, until_ms = _months(analytics, contracts, period)
    found = compare(months, fees, since_ms, until_ms)
    if as_json:
        print_json(
            {"since": iso_day(since_ms), "until": iso_day(until_ms), "clients": [client_payload(c) for c in found]}
        )
        return
    if not found:
        click.echo(f"No use of {named(tuple(fees))} is recorded in this period; `bascule import` reads its logs.")
    for place, client in enumerate(found):
        if place:
            click.echo("")
        _print_client(client, since_ms, until_ms)


def _fees(contracts: Sequence[Contract], names: Sequence[str], fee: Decimal | None) -> dict[str, int]:
    """What a seat costs, by client."""
    if fee is not None:
        try:
            return dict.fromkeys(names, nanousd_from_usd(fee))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--usd-per-seat-month") from None
    found: dict[str, int] = {}
    for contract in contracts:
        for name in names:
            if contract.seat_month_nanousd is not None and name in contract.covers:
                found.setdefault(name, contract.seat_month_nanousd)
    return found


def _months(analytics: Analytics, contracts: Sequence[Contract], period: Period) -> tuple[list[Month], int, int]:
    """Everyone's use of each client by month, and the period that fees count for, which begins with the first use."""
    now = now_ms()
    since_ms, until_ms = period.since_ms, period.until_ms
    by = ("user", "client", "month")
    paid = paid_report(
        analytics.costs, discounts_only(contracts), by,
        since_ms=since_ms, until_ms=until_ms, now_ms=now, as_metered=True,
    )  # fmt: skip
    where = RowFilter(since_ms=since_ms, until_ms=until_ms)
    months = []
    for cell in analytics.cells(by, where):
        user, client, month = cell.values
        cost = paid.groups.get(cell.values)
        if month is not None and cost is not None and cell.sessions is not None:
            months.append(
                Month(
                    user=user,
                    client=client,
                    month=month,
                    metered_nanousd=cost.effective_nanousd or 0,
                    list_nanousd=cost.list_nanousd or 0,
                    sessions=cell.sessions,
                    tokens=cell.sums.tokens,
                    unpriced_attempts=cost.unpriced_attempts,
                )
            )
    return (
        months,
        _recorded_since(analytics, until_ms, paid.since_ms),
        min(paid.until_ms, span("day", now).end_ms or now),
    )


def _recorded_since(analytics: Analytics, until_ms: int | None, since_ms: int) -> int:
    """The period's beginning, or the first day of any agent's use: what a log no longer has is no month of little
    use."""
    where = RowFilter(until_ms=until_ms)
    days = [cell.values[1] for cell in analytics.costs(("origin", "day"), where) if cell.values[0] in AGENTS]
    known = [day for day in days if day is not None]
    return max(since_ms, span_of(min(known)).start_ms) if known else since_ms


def _print_client(client: Client, since_ms: int, until_ms: int) -> None:
    click.echo(
        f"{client.client}: a seat costs {money(client.fee_nanousd)} a month; use from {iso_day(since_ms)} to "
        f"{last_day(until_ms)}."
    )
    print_table(
        ("developer", "month", "metered", "plan", "cheaper", "fee pays for", "sessions", "tokens"),
        [
            (
                line.user or "(not recorded)", line.month + ("" if line.part == 1 else f" ({percent_of(line.part)})"),
                *_compared_cells(line.compared),
            )
            for line in client.lines
        ],
        optional=("tokens", "sessions"),
    )  # fmt: skip
    ways = {
        "metered": f"All metered {money(client.all_metered_nanousd)}",
        "plan": f"all on the plan {money(client.all_plan_nanousd)}",
        "both": f"each on what is cheaper {money(client.best_nanousd)}",
    }
    cheapest = {"metered": "the meter for all", "plan": "the plan for all"}.get(client.cheapest)
    click.echo(f"{', '.join(ways.values())}. Cheapest: {cheapest or _who_on_plan(client)}.")
    click.echo("`fee pays for` is the use at which both cost the same, in sessions and tokens of that person's mix.")
    if any(line.part != 1 for line in client.lines):
        click.echo("Of a month that is not over, or of which not all was recorded, the fee counts for that part.")
    unknown = sum([one.unpriced_attempts for one in client.people.values()])
    if unknown:
        click.echo(f"Attempts without a known price: {unknown}; what is metered is at least this much.")
    if None in client.people:
        click.echo("Calls without a user count as one person's: import each one's logs with --user.")


def _who_on_plan(client: Client) -> str:
    names = sorted([user or "(not recorded)" for user, one in client.people.items() if one.cheaper == "plan"])
    shown = named(names[:5]) if len(names) <= 5 else f"{', '.join(names[:5])} and {len(names) - 5} more"
    return f"the plan for {shown}, the meter for {counted(len(client.people) - len(names), 'other')}"


def _compared_cells(one: Compared) -> list[Any]:
    metered = money(one.metered_nanousd)
    sessions = (
        None if one.break_even_sessions is None else f"{count(Fraction(round(one.break_even_sessions)))} sessions"
    )
    tokens = None if one.break_even_tokens is None else f"{_short(one.break_even_tokens)} tokens"
    return [
        f"{metered} + {one.unpriced_attempts} unpriced" if one.unpriced_attempts else metered,
        money(one.plan_nanousd),
        one.cheaper,
        " or ".join([part for part in (sessions, tokens) if part]) or None,
        f"{one.sessions:,}",
        f"{one.tokens:,}",
    ]


def _short(tokens: int) -> str:
    """`41.2 million`."""
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if tokens >= size:
            return f"{tokens / size:,.1f} {word}"
    return f"{tokens:,}"
