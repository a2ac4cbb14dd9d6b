"""The story on a terminal."""

from typing import Any

import click

from bascule.cli.demonstration.story import Story, kinds_of_failure
from bascule.cli.output import print_table, usd
from bascule.cli.report_words import notes, percent
from bascule.cli.sessions import MAIN
from bascule.model.report import Figures, Report
from bascule.model.row import AttemptRow
from bascule.offline.payload import sums_payload
from bascule.offline.percentile import share
from bascule.offline.sessions import RequestLine

WIDTH = 98
UNKNOWN_BILL = "unknown_bill"
"""The flag of usage that nobody reported, see `decide.meter`."""
REMARK = (
    "Answers, qualities, faults and traffic are scripted; only the prices are real. So this saving says nothing "
    "about your traffic, and should be quoted nowhere."
)


def tell(story: Story) -> None:
    """All parts, in order."""
    _tell_budget(story)
    _tell_failovers(story)
    _tell_session(story)
    _tell_bill(story)
    _tell_proof(story)


def headline(text: str) -> None:
    click.echo()
    click.secho(text, bold=True)


def said(text: str, *, indent: str = "") -> None:
    """A paragraph."""
    click.echo(click.wrap_text(text, WIDTH, indent, indent))


def _tell_budget(story: Story) -> None:
    budget = story.budget
    headline(f"A budget that holds: {budget.scope} may spend {usd(budget.limit_nanousd)} a day ({budget.mode})")
    said(
        f"{story.answered} of its requests were served, {len(story.refusals)} were refused with status 402. "
        f"Settled {usd(budget.settled_nanousd, 6)}, held {usd(budget.held_nanousd, 6)}, "
        f"left {usd(budget.left_nanousd, 6)}."
    )
    if story.refusals:
        said(f"The first refusal, as recorded: {story.refusals[0].refusal}", indent="  ")


def _tell_failovers(story: Story) -> None:
    failovers = story.failovers
    provider = failovers[0][0].provider if failovers else "nobody"
    headline(f"A provider that fails: {provider} had a bad minute")
    said(
        f"{len(failovers)} requests met a failure and were answered by another provider; "
        f"{story.unanswered} got no answer. One of each kind:"
    )
    lines = [_attempt_cells(row, count) for attempts, count in kinds_of_failure(failovers) for row in attempts]
    print_table(("no", "provider", "model", "result", "took", "cost", "charged", "seen"), lines)
    if any(UNKNOWN_BILL in row.usage_flags for attempts in failovers for row in attempts):
        said(
            "Where an attempt was sent and nobody can tell what it cost, its hold is charged: "
            "too much rather than too little."
        )


def _attempt_cells(row: AttemptRow, count: int) -> list[Any]:
    took = None if row.ts_end_ms is None else f"{(row.ts_end_ms - row.ts_start_ms) / 1000:.2f} s"
    result = row.error_class or row.finish_reason or "ok"
    status = "" if row.status is None else f"{row.status} "
    charged = "its hold" if UNKNOWN_BILL in row.usage_flags else "nothing" if row.cost_nanousd == 0 else "its usage"
    seen = f"{count}x" if row.attempt_no == 1 else ""
    return [row.attempt_no, row.provider, row.model, status + result, took, usd(row.cost_nanousd, 6), charged, seen]


def _tell_session(story: Story) -> None:
    session, sums = story.session, story.session.sums
    headline(f"What one agent run cost: session {session.session_id}, {usd(sums.cost_nanousd)}")
    agents = [
        f"{agent.agent_id or MAIN} {usd(agent.sums.cost_nanousd)} "
        f"({percent(share(agent.sums.cost_nanousd or 0, sums.cost_nanousd or 0))})"
        for agent in session.agents.values()
    ]
    cached = percent(share(sums.tokens_cache_read or 0, sums.billed_input))
    said(f"{sums.requests} requests by {', '.join(agents)}; {cached} of the input came from the prompt cache.")
    print_table(
        ("step", "agent", "model", "in", "cached", "out", "ended with", "cost"),
        [_step_cells(number, step) for number, step in enumerate(story.steps, start=1)],
    )


def _step_cells(number: int, step: RequestLine) -> list[Any]:
    sums, final = step.sums, step.final
    return [
        number,
        step.agent_id or MAIN,
        ", ".join(step.models),
        sums.billed_input,
        sums.tokens_cache_read or 0,
        (sums.tokens_out or 0) + (sums.tokens_reasoning or 0),
        final.error_class or final.finish_reason,
        usd(sums.cost_nanousd, 6),
    ]


def _tell_bill(story: Story) -> None:
    total = story.by_model.total.sums
    headline(f"The bill, and the same tokens at the price of {story.baseline_model}")
    _print_bill("model", story.by_model)
    click.echo()
    _print_bill("task", story.by_task)
    for note in notes(total):
        said(note)
    if total.saved_nanousd is not None:
        baseline = total.saved_cost_nanousd + total.saved_nanousd
        saved = percent(share(total.saved_nanousd, baseline))
        click.secho(
            f"{usd(total.saved_cost_nanousd)} instead of {usd(baseline)} on {story.baseline_model} alone: "
            f"{saved} less, failed attempts included.",
            bold=True,
        )
    click.secho(click.wrap_text(REMARK, WIDTH), fg="yellow")


def _print_bill(name: str, made: Report) -> None:
    columns = (name, "requests", "failed", "in", "cached", "out", "cost", "at baseline", "saved", "")
    lines = [[group.values[0] or "not known", *_bill_cells(group.figures)] for group in made.groups]
    print_table(columns, [*lines, ["total", *_bill_cells(made.total)]])


def _bill_cells(figures: Figures) -> list[Any]:
    sums = figures.sums
    shown = sums_payload(sums)
    baseline = None if sums.saved_nanousd is None else sums.saved_cost_nanousd + sums.saved_nanousd
    return [
        sums.requests,
        sums.failed_attempts,
        sums.billed_input,
        sums.tokens_cache_read or 0,
        (sums.tokens_out or 0) + (sums.tokens_reasoning or 0),
        usd(sums.cost_nanousd),
        usd(baseline),
        usd(sums.saved_nanousd),
        percent(shown["saved_share"]),
    ]


def _tell_proof(story: Story) -> None:
    verdict, counted = story.verdict, story.counted
    headline("The books")
    holds = "all of it holds" if verdict.holds else f"{len(verdict.findings)} findings"
    said(f"Verified {verdict.attempts} attempts in {verdict.lines} chained lines, each re-priced: {holds}.")
    said(
        f"The simulated providers counted {counted.exchanges} exchanges, the ledger has {counted.attempts}. "
        f"Of {counted.compared} with reported usage {counted.compared - len(counted.differing)} agree to the token."
    )
