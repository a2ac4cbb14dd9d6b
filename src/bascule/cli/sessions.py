"""`bascule sessions`: what agent runs cost, per session and per agent."""

from typing import Any, Literal

import click

from bascule.cli.data import open_existing, read_document
from bascule.cli.output import config_option, json_option, print_json, print_table, usd_fit
from bascule.cli.period import Period, iso_second, now_ms, period_options
from bascule.cli.report_words import notes, percent
from bascule.cli.who import who
from bascule.model.errors import BasculeError
from bascule.model.row import RowFilter
from bascule.model.session import Session
from bascule.model.sums import Sums, duration_s
from bascule.offline.payload import request_payload, session_payload
from bascule.offline.percentile import share
from bascule.offline.sessions import RequestLine, by_use, request_lines

MAIN = "main"
OPTIONAL = ("attempts", "cached", "duration", "in", "out")
"""What a narrow terminal does without, the first of them first."""


class _Sessions(click.Group):
    """Says how one session is shown where its id stands in the place of a command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            ctx.fail(f"no such command {args[0]!r}; one session is shown by `bascule sessions show {args[0]}`")
        return super().resolve_command(ctx, args)


@click.group("sessions", cls=_Sessions, invoke_without_command=True)
@config_option
@period_options
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="The first of them.")
@click.option(
    "--sort",
    type=click.Choice(["start", "cost"]),
    default="start",
    show_default=True,
    help="The latest first, or the dearest.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    config_path: str | None,
    period: Period,
    limit: int,
    sort: Literal["start", "cost"],
    as_json: bool,
) -> None:
    """Sessions: cost, requests, tokens, models, and cost per agent."""
    if ctx.invoked_subcommand is not None:
        ctx.obj = config_path
        return
    store = open_existing(read_document(config_path))
    where = RowFilter(since_ms=period.since_ms, until_ms=period.until_ms)
    made = store.analytics.sessions(where, sort=sort, top=limit)
    shown = made.found
    if as_json:
        print_json([session_payload(session) for session in shown])
        return
    columns = ("session", "agent", "start", "duration", "requests", "attempts", "cost", "in", "cached", "out", "models")
    print_table(columns, [line for session in shown for line in _lines(session)], optional=OPTIONAL)
    if made.total > limit:
        click.echo(f"{made.total - limit:,} more; see --limit, --sort, --since and --until.")


@command.command("show")
@click.argument("session_id", metavar="ID")
@config_option
@json_option
@click.pass_context
def show(ctx: click.Context, session_id: str, config_path: str | None, as_json: bool) -> None:
    """One session, request by request."""
    store = open_existing(read_document(config_path or ctx.obj))
    where = RowFilter(session_id=session_id)
    made = store.analytics.sessions(where, top=1)
    if not made.found:
        raise BasculeError(f"the ledger has no session {session_id!r}; `bascule sessions` lists them")
    session = made.found[0]
    requests = request_lines(store.analytics.rows(where))
    if as_json:
        print_json({**session_payload(session), "request_list": [request_payload(line) for line in requests]})
        return
    print_table(("agent", "requests", "attempts", "cost", "in", "cached", "out", "models"), _agent_lines(session))
    click.echo()
    columns = ("start", "agent", "models", "cost", "in", "cached", "out", "seconds", "result", "request")
    print_table(columns, [_request_cells(line) for line in requests])
    for note in notes(session.sums):
        click.echo(note)


@command.command("resume")
@click.argument("session_id", metavar="ID")
@config_option
@click.pass_context
def resume_session(ctx: click.Context, session_id: str, config_path: str | None) -> None:
    """Let a session go on that was stopped for running away. Gateways hear of it within a second."""
    from bascule.gateway.resuming import resume

    store = open_existing(read_document(config_path or ctx.obj))
    resume(store.governance, session_id, by=who(), now_ms=now_ms())
    click.echo(f"{session_id} may go on")


def _lines(session: Session) -> list[list[Any]]:
    """A line for the session, and one for each of its agents where there are several."""
    head = [
        session.session_id,
        None if len(session.agents) == 1 else f"{len(session.agents)} agents",
        iso_second(session.sums.first_ms),
        _seconds(session.sums),
        *sums_cells(session.sums),
        ", ".join(by_use(session.models)),
    ]
    if len(session.agents) == 1:
        return [head]
    return [
        head,
        *[
            ["", agent.agent_id or MAIN, iso_second(agent.sums.first_ms), _seconds(agent.sums),
             *sums_cells(agent.sums), ", ".join(by_use(agent.models))]
            for agent in session.agents.values()
        ],
    ]  # fmt: skip


def _agent_lines(session: Session) -> list[list[Any]]:
    lines = [
        [agent.agent_id or MAIN, *sums_cells(agent.sums), ", ".join(by_use(agent.models))]
        for agent in session.agents.values()
    ]
    return [*lines, ["total", *sums_cells(session.sums), ", ".join(by_use(session.models))]]


def sums_cells(sums: Sums) -> list[Any]:
    """Requests, attempts, cost, input, share of it read from caches, output."""
    cost = usd_fit(sums.cost_nanousd)
    return [
        sums.requests,
        sums.attempts,
        f"{cost or '?'} + {sums.unpriced_attempts} unpriced" if sums.unpriced_attempts else cost,
        sums.billed_input,
        percent(share(sums.tokens_cache_read or 0, sums.billed_input)),
        (sums.tokens_out or 0) + (sums.tokens_reasoning or 0),
    ]


def _request_cells(line: RequestLine) -> list[Any]:
    sums, final = line.sums, line.final
    result = "open" if final.kind == "intent" else final.error_class or final.finish_reason or final.status
    return [
        iso_second(sums.first_ms),
        line.agent_id or MAIN,
        ", ".join(line.models),
        usd_fit(sums.cost_nanousd),
        sums.billed_input,
        percent(share(sums.tokens_cache_read or 0, sums.billed_input)),
        (sums.tokens_out or 0) + (sums.tokens_reasoning or 0),
        _seconds(sums),
        "cache" if final.role == "cache" else result,
        line.request_id,
    ]


def _seconds(sums: Sums) -> str | None:
    duration = duration_s(sums)
    return None if duration is None else f"{duration:.1f} s"
