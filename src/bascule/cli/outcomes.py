"""`bascule outcomes`: what a useful result costs, with everything that came to nothing counted in."""

import click

from bascule.cli.data import open_existing, read_document
from bascule.cli.output import config_option, json_option, print_json, print_table, usd_fit
from bascule.cli.period import Period, iso, period_options
from bascule.cli.session_parts import read_parts
from bascule.model.row import RowFilter
from bascule.offline.outcomes import (
    OutcomeFigures,
    PerOutcome,
    figures_payload,
    outcome_figures,
    state_of,
    work_payload,
)
from bascule.offline.percentile import share
from bascule.offline.works import Worked, works


@click.command("outcomes")
@config_option
@period_options
@click.option("--works", "works_limit", default=0, type=click.IntRange(0), help="List the dearest so many works too.")
@json_option
def command(config_path: str | None, period: Period, works_limit: int, as_json: bool) -> None:
    """Cost per useful and per merged outcome: all cost of the period, over works of known and of unknown fate.

    A work is a pull request, else a branch, else a session; several sessions on one are one outcome. Record what became
    of them with `bascule outcome`, best with --from-git.
    """
    store = open_existing(read_document(config_path))
    where = RowFilter(since_ms=period.since_ms, until_ms=period.until_ms)
    worked = works(read_parts(store, where), store.outcomes.current())
    made = outcome_figures(worked)
    if as_json:
        document = {"since": iso(period.since_ms), "until": iso(period.until_ms), **figures_payload(made)}
        print_json({**document, "works_list": [work_payload(work) for work in worked.works]})
        return
    if not made.works and not made.loose_nanousd:
        click.echo("Nothing was spent in this period, or nothing of it is known.")
        return
    _tell(made)
    if works_limit:
        click.echo()
        _list(worked, works_limit)


def _tell(made: OutcomeFigures) -> None:
    whole = usd_fit(made.cost_nanousd) if made.known_attempts else "?"
    print_table(
        ("state", "works", "sessions", "cost", "share", "median work"),
        [
            (
                state.name,
                state.works or None,
                state.sessions or None,
                usd_fit(state.cost_nanousd) if state.known else "?",
                _percent(share(state.cost_nanousd, made.cost_nanousd)),
                usd_fit(state.median_nanousd),
            )
            for state in made.states
        ]
        + [("total", made.works, made.sessions, whole, None, None)],
    )
    click.echo()
    click.echo(_per("useful outcome", made.useful, made))
    click.echo(_per("merged pull request or branch", made.merged, made))
    for note in notes(made):
        click.echo(note)


def _per(what: str, per: PerOutcome, made: OutcomeFigures) -> str:
    least = "at least " if made.unknown_attempts else ""
    if not made.known_attempts:
        return f"Cost per {what}: unknown, as no cost is known."
    if per.cost_nanousd is None:
        text = f"Cost per {what}: unknown, as none is known to be one"
        if per.low_nanousd is not None and per.unknown:
            text += f"; {least}{usd_fit(per.low_nanousd)} if all {per.unknown} of unknown fate were"
        return text + "."
    text = f"Cost per {what}: {least}{usd_fit(per.cost_nanousd)} ({per.outcomes} known"
    if per.unknown:
        text += f"; {least}{usd_fit(per.low_nanousd)} if all {per.unknown} of unknown fate were one too"
    return text + ")."


def notes(made: OutcomeFigures) -> list[str]:
    """What a reader must know about the figures."""
    said = [
        "All cost of the period counts, abandoned and reverted work included, at list price. A work counts where it "
        "had cost in the period; what it cost before or after is not in here."
    ]
    if made.unknown_attempts:
        said.append(
            f"A gap, not a zero: {made.unknown_attempts} attempts have no known cost; "
            f"{made.unknown_works} works have no known cost at all."
        )
    if made.estimated_nanousd:
        part = _percent(share(made.estimated_nanousd, made.cost_nanousd))
        said.append(f"{usd_fit(made.estimated_nanousd)} ({part}) of the cost is estimated.")
    if made.plan_nanousd:
        said.append(
            f"{usd_fit(made.plan_nanousd)} of it is the list price of what subscriptions covered: a measure of use, "
            "not a bill."
        )
    if made.loose_nanousd:
        said.append(f"{usd_fit(made.loose_nanousd)} belongs to no session, so nobody can say what became of it.")
    return said


def _list(worked: Worked, limit: int) -> None:
    print_table(
        ("work", "state", "useful", "sessions", "cost", "shared", "unknown attempts"),
        [
            (
                work.name,
                state_of(work),
                None if work.useful is None else "yes" if work.useful else "no",
                len(work.sessions),
                usd_fit(work.cost_nanousd) if work.known else "?",
                usd_fit(work.shared_nanousd) if work.shared_nanousd else None,
                work.unknown or None,
            )
            for work in worked.works[:limit]
        ],
    )
    if len(worked.works) > limit:
        click.echo(f"{len(worked.works) - limit} more; see --works.")


def _percent(part: float | None) -> str | None:
    return None if part is None else f"{part * 100:.1f} %"
