"""`bascule outcome`: what became of a session's work, said by a person or derived from git."""

import os
from pathlib import Path
from typing import get_args

import click
from msgspec import structs

from bascule.cli.data import open_existing, read_document
from bascule.cli.git import Git
from bascule.cli.github import runner
from bascule.cli.output import config_option, json_option, print_json, print_table
from bascule.cli.period import Period, iso, iso_second, now_ms, period_options
from bascule.cli.session_parts import read_parts
from bascule.cli.who import who
from bascule.model.errors import BasculeError
from bascule.model.row import RowFilter
from bascule.model.session_outcome import GIT, OutcomeWord, SessionOutcome
from bascule.offline.git_outcomes import DAY_MS, Repository, concerned, derive, news, unresolved
from bascule.offline.outcomes import outcome_payload
from bascule.offline.parts import Part
from bascule.ports import LedgerReader, OutcomeStore

WORDS: tuple[str, ...] = get_args(OutcomeWord)
LOOK_BACK_MS = 90 * DAY_MS
MARGIN_MS = DAY_MS


@click.command("outcome")
@click.argument("session_id", metavar="SESSION", required=False)
@click.argument("words", metavar="[useful|useless|merged|reverted|abandoned|score X]", nargs=-1)
@click.option("--note", default=None, help="Why, for people.")
@click.option("--source", default=None, help="Who says so; the last word of each source counts. Default: you.")
@click.option(
    "--from-git",
    "repository",
    is_flag=False,
    flag_value=".",
    default=None,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="[REPO]",
    help="Derive merged, reverted and abandoned from this repository's history.",
)
@click.option("--base", default=None, help="The branch that work is merged into. Default: the remote's own.")
@click.option("--project", "projects", multiple=True, help="Rows of this project too. Default: the repository's name.")
@click.option("--quiet-days", default=30, show_default=True, type=click.IntRange(1), help="Abandoned after so many.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded.")
@period_options
@config_option
@json_option
def command(
    session_id: str | None,
    words: tuple[str, ...],
    note: str | None,
    source: str | None,
    repository: Path | None,
    base: str | None,
    projects: tuple[str, ...],
    quiet_days: int,
    dry_run: bool,
    period: Period,
    config_path: str | None,
    as_json: bool,
) -> None:
    """Record what became of a session's work, or with SESSION alone show what was said of it.

    With --from-git, sessions of the last 90 days (or since --since) are followed from their branch or pull request to
    the base branch: merged, reverted, or abandoned.
    """
    if (session_id is None) == (repository is None):
        raise click.UsageError("name a SESSION and what became of it, or use --from-git [REPO]")
    store = open_existing(read_document(config_path))
    if repository is not None:
        since_ms = now_ms() - LOOK_BACK_MS if period.since_ms is None else period.since_ms
        where = RowFilter(since_ms=since_ms, until_ms=period.until_ms)
        found = read_parts(store, where)
        _from_git(Git(repository), found, store.outcomes, base, projects, quiet_days, dry_run, as_json)
        return
    assert session_id is not None
    if not words:
        _show(store.outcomes.all(session_id), session_id, as_json)
        return
    word, score = _read(words)
    _must_exist(store.view, session_id)
    said = SessionOutcome(
        session_id=session_id, at_ms=now_ms(), outcome=word, score=score, source=source or who(), note=note
    )
    if not dry_run:
        store.outcomes.add([said])
    if as_json:
        print_json(outcome_payload(said))
    else:
        click.echo(f"{session_id}: {' '.join(words)} ({said.source})")


def _read(words: tuple[str, ...]) -> tuple[OutcomeWord | None, float | None]:
    for word in get_args(OutcomeWord):
        if words == (word,):
            return word, None
    if len(words) == 2 and words[0] == "score":
        try:
            score = float(words[1])
        except ValueError:
            score = -1.0
        if 0 <= score <= 1:
            return None, score
        raise click.UsageError(f"a score is a number from 0 to 1, not {words[1]!r}")
    raise click.UsageError(f"{' '.join(words)!r} is no outcome; say one of {', '.join(WORDS)}, or score X")


def _must_exist(reader: LedgerReader, session_id: str) -> None:
    if next(iter(reader.attempts(RowFilter(session_id=session_id))), None) is None:
        raise BasculeError(f"the ledger has no session {session_id!r}; `bascule sessions` lists them")


def _show(said: list[SessionOutcome], session_id: str, as_json: bool) -> None:
    if as_json:
        print_json([outcome_payload(each) for each in said])
        return
    if not said:
        click.echo(f"Nothing was said of {session_id}. `bascule outcome {session_id} useful` says something.")
        return
    print_table(("when", "outcome", "score", "part", "work", "source", "note"), [_cells(each)[1:] for each in said])


def _cells(each: SessionOutcome) -> list[object]:
    word = each.outcome or (None if each.score is not None else "taken back")
    return [each.session_id, iso_second(each.at_ms), word, each.score, each.part, each.work, each.source, each.note]


def _from_git(
    git: Git,
    found: list[Part],
    outcomes: OutcomeStore,
    base: str | None,
    projects: tuple[str, ...],
    quiet_days: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    seen = read_repository(git, found, base, projects)
    here = runner(os.environ)
    closed = {here.number: here.closed_ms} if here.number is not None and here.closed_ms is not None else {}
    mine = concerned(found, seen)
    derived = derive(found, seen, now_ms=now_ms(), quiet_ms=quiet_days * DAY_MS, closed=closed)
    fresh = news(derived, [each for each in outcomes.current() if each.source == GIT])
    if not dry_run:
        outcomes.add(fresh)
    told = [each for each in derived if each.outcome is not None]
    edge_ms = seen.history.complete_since_ms
    if as_json:
        print_json(
            {
                "repository": seen.name,
                "base": seen.history.base,
                "commits": len(seen.history.taken_ms),
                "complete_since": iso(edge_ms),
                "sessions": len({part.session_id for part in mine}),
                "outcomes": [outcome_payload(each) for each in told],
                "recorded": 0 if dry_run else len(fresh),
                "unknown": len(derived) - len(told),
            }
        )
        return
    if told:
        columns = ("session", "when", "outcome", "part", "work", "note")
        print_table(columns, [[c[0], c[1], c[2], c[4], c[5], c[7]] for c in map(_cells, told)])
    click.echo(
        f"{len({part.session_id for part in mine})} sessions of this repository against {seen.history.base} "
        f"({len(seen.history.taken_ms)} commits): {len(told)} outcomes, {len(fresh)} of them new"
        f"{' (not recorded: --dry-run)' if dry_run else ''}; {len(derived) - len(told)} still unknown."
    )
    elsewhere = len({part.session_id for part in found} - {part.session_id for part in mine})
    if elsewhere:
        click.echo(f"{elsewhere} sessions are of other projects ({', '.join(_names(found, mine))}); see --project.")
    if edge_ms is not None:
        click.echo(
            f"This clone is shallow: what began before {iso_second(edge_ms)} is not called abandoned, and older merges "
            "and reverts are not seen. `git fetch --unshallow` (in Actions: fetch-depth: 0) has all."
        )


def _names(found: list[Part], mine: list[Part]) -> list[str]:
    known = {part.project for part in mine}
    return sorted({part.project or "no project" for part in found if part.project not in known})[:5]


def read_repository(git: Git, found: list[Part], base: str | None, projects: tuple[str, ...]) -> Repository:
    """The repository since a day before the first of these parts."""
    since_ms = min([part.first_ms for part in found], default=now_ms()) - MARGIN_MS
    seen = git.repository(base, max(since_ms, 0), projects)
    waiting = unresolved(found, seen)
    return structs.replace(seen, absorbed=git.absorbed(waiting, seen)) if waiting else seen
