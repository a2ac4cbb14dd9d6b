"""`bascule sessions`: what agent runs cost, per session and per agent."""

from typing import Any

import click

from bascule.cli.data import open_existing, read_document
from bascule.cli.output import config_option, json_option, print_json, print_table, usd_fit
from bascule.cli.period import Period, iso, period_options
from bascule.cli.progress import track
from bascule.cli.report import notes, percent
from bascule.model.errors import BasculeError
from bascule.model.row import RowFilter
from bascule.offline.payload import sums_payload
from bascule.offline.percentile import share
from bascule.offline.sessions import Agent, RequestLine, Session, request_lines, sessions
from bascule.offline.sums import Sums

MAIN = "main"


@click.group("sessions", invoke_without_command=True)
@config_option
@period_options
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="The latest of them.")
@json_option
@click.pass_context
def command(ctx: click.Context, config_path: str | None, period: Period, limit: int, as_json: bool) -> None:
    """Sessions, the latest first: cost, requests, tokens, models, and cost per agent."""
    if ctx.invoked_subcommand is not None:
        ctx.obj = config_path
        return
    store = open_existing(read_document(config_path))
    where = RowFilter(since_ms=period.since_ms, until_ms=period.until_ms)
    found = sessions(track(store.view.attempts(where, by_request=True), "reading the ledger"))
    shown = found[:limit]
    if as_json:
        print_json([session_payload(session) for session in shown])
        return
    columns = ("session", "agent", "start", "duration", "requests", "attempts", "cost", "in", "cached", "out", "models")
    print_table(columns, [line for session in shown for line in _lines(session)])
    if len(found) > limit:
        click.echo(f"{len(found) - limit} more; see --limit, --since and --until.")


@command.command("show")
@click.argument("session_id", metavar="ID")
@config_option
@json_option
@click.pass_context
def show(ctx: click.Context, session_id: str, config_path: str | None, as_json: bool) -> None:
    """One session, request by request."""
    store = open_existing(read_document(config_path or ctx.obj))
    rows = list(store.view.attempts(RowFilter(session_id=session_id), by_request=True))
    if not rows:
        raise BasculeError(f"the ledger has no session {session_id!r}; `bascule sessions` lists them")
    (session,) = sessions(rows)
    requests = request_lines(rows)
    if as_json:
        print_json({**session_payload(session), "request_list": [_request_payload(line) for line in requests]})
        return
    print_table(("agent", "requests", "attempts", "cost", "in", "cached", "out", "models"), _agent_lines(session))
    click.echo()
    columns = ("start", "agent", "models", "cost", "in", "out", "seconds", "result", "request")
    print_table(columns, [_request_cells(line) for line in requests])
    for note in notes(session.sums):
        click.echo(note)


def session_payload(session: Session) -> dict[str, Any]:
    """Stable keys: identity, sums as in reports, and `agents` with the same sums each."""
    return {
        "session_id": session.session_id,
        **{name: session.who.get(name) for name in ("key", "user", "org", "team", "project", "pr", "branch")},
        "task": session.who.get("task"),
        "client": session.who.get("client"),
        "tags": session.tags,
        "ts_start": iso(session.sums.first_ms),
        "ts_end": iso(session.sums.last_ms),
        "duration_s": duration_s(session.sums),
        "models": list(_by_use(session.models)),
        **sums_payload(session.sums),
        "agents": [_agent_payload(agent, session.sums) for agent in session.agents.values()],
    }


def _agent_payload(agent: Agent, whole: Sums) -> dict[str, Any]:
    cost = agent.sums.cost_nanousd
    return {
        "agent_id": agent.agent_id,
        "parent_id": agent.parent_id,
        "main": agent.agent_id is None,
        "ts_start": iso(agent.sums.first_ms),
        "ts_end": iso(agent.sums.last_ms),
        "duration_s": duration_s(agent.sums),
        "models": list(_by_use(agent.models)),
        "cost_share": None if cost is None else share(cost, whole.cost_nanousd or 0),
        **sums_payload(agent.sums),
    }


def _request_payload(line: RequestLine) -> dict[str, Any]:
    final = line.final
    return {
        "request_id": line.request_id,
        "agent_id": line.agent_id,
        "ts_start": iso(line.sums.first_ms),
        "ts_end": iso(line.sums.last_ms),
        "duration_s": duration_s(line.sums),
        "models": list(line.models),
        "provider": final.provider,
        "status": final.status,
        "error_class": final.error_class,
        "finish_reason": final.finish_reason,
        "cache": final.cache,
        "reason": final.reason,
        **sums_payload(line.sums),
    }


def duration_s(sums: Sums) -> float | None:
    """From the first attempt's start to the last one's end."""
    if sums.first_ms is None or sums.last_ms is None:
        return None
    return round((sums.last_ms - sums.first_ms) / 1000, 3)


def _by_use(models: dict[str, int]) -> list[str]:
    return sorted(models, key=lambda name: (-models[name], name))


def _lines(session: Session) -> list[list[Any]]:
    """A line for the session, and one for each of its agents where there are several."""
    head = [
        session.session_id,
        None if len(session.agents) == 1 else f"{len(session.agents)} agents",
        iso(session.sums.first_ms),
        _seconds(session.sums),
        *_sums_cells(session.sums),
        ", ".join(_by_use(session.models)),
    ]
    if len(session.agents) == 1:
        return [head]
    return [
        head,
        *[
            ["", agent.agent_id or MAIN, iso(agent.sums.first_ms), _seconds(agent.sums), *_sums_cells(agent.sums),
             ", ".join(_by_use(agent.models))]
            for agent in session.agents.values()
        ],
    ]  # fmt: skip


def _agent_lines(session: Session) -> list[list[Any]]:
    lines = [
        [agent.agent_id or MAIN, *_sums_cells(agent.sums), ", ".join(_by_use(agent.models))]
        for agent in session.agents.values()
    ]
    return [*lines, ["total", *_sums_cells(session.sums), ", ".join(_by_use(session.models))]]


def _sums_cells(sums: Sums) -> list[Any]:
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
        iso(sums.first_ms),
        line.agent_id or MAIN,
        ", ".join(line.models),
        usd_fit(sums.cost_nanousd),
        sums.billed_input,
        (sums.tokens_out or 0) + (sums.tokens_reasoning or 0),
        _seconds(sums),
        "cache" if final.role == "cache" else result,
        line.request_id,
    ]


def _seconds(sums: Sums) -> str | None:
    duration = duration_s(sums)
    return None if duration is None else f"{duration:.1f} s"
