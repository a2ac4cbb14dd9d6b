"""`bascule pr-comment`: what agents cost a pull request, as one comment that is kept up to date."""

import os
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson
from msgspec import Struct

from bascule import __version__
from bascule.cli.data import has_ledger, open_store, read_document
from bascule.cli.git import Git
from bascule.cli.github import Runner, runner
from bascule.cli.github_api import ApiError, GitHub
from bascule.cli.outcome import LOOK_BACK_MS, read_repository
from bascule.cli.output import config_option, json_option, print_json, write_text
from bascule.cli.period import Period, iso_day, iso_second, now_ms, period_options
from bascule.cli.progress import track
from bascule.cli.session_parts import read_parts
from bascule.config.shape import Contract
from bascule.model.errors import BasculeError
from bascule.model.money import nanousd_from_usd
from bascule.model.row import AttemptRow, RowFilter
from bascule.model.session_outcome import GIT
from bascule.offline.comment import Budget, comment, gate, marker
from bascule.offline.git_outcomes import Repository, derive
from bascule.offline.junit import JunitResults, read_junit
from bascule.offline.paid import Paid, paid_report
from bascule.offline.parts import Part
from bascule.offline.pull_cost import PullCost, Subject, claimed, own_sessions, own_span, pull_cost
from bascule.offline.pull_paid import BY, pull_paid
from bascule.offline.pull_payload import pull_payload
from bascule.offline.works import Worked, works
from bascule.ports import AnalyticsMissing

if TYPE_CHECKING:
    from bascule.compose import Store

EXIT_GATE = 3
MAX_SESSIONS_ASKED = 500


class Asked(Struct, frozen=True, kw_only=True):
    """The command line, with what the runner says where it says nothing."""

    subject: Subject
    base: str | None
    checkout: Path
    period: Period
    tests: tuple[Path, ...]
    limit_nanousd: int | None
    key: str


class Seen(Struct, frozen=True, kw_only=True):
    made: PullCost
    budget: Budget
    markdown: str


@click.command("pr-comment")
@click.option("--repo", metavar="OWNER/NAME", help="Default: GITHUB_REPOSITORY, else the checkout's remote.")
@click.option("--pr", "number", type=click.IntRange(1), help="Default: that of the event that runs this.")
@click.option("--branch", help="The pull request's branch. Default: GITHUB_HEAD_REF, else the one checked out.")
@click.option("--base", help="The branch that it is merged into. Default: GITHUB_BASE_REF, else the remote's own.")
@click.option("--session", "sessions", multiple=True, metavar="ID", help="This session was for it; repeatable.")
@click.option("--project", "projects", multiple=True, help="Rows of this project. Default: the repository's name.")
@click.option("--budget-usd", metavar="USD", help="Exit with status 3 above this.")
@click.option("--unknown-fails", is_flag=True, help="Exit with status 3, too, where some cost is unknown.")
@click.option("--tests", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="XML",
              help="Results of tests in JUnit's format; repeatable.")  # fmt: skip
@click.option("--summary", type=click.Path(dir_okay=False, path_type=Path), help="Default: GITHUB_STEP_SUMMARY.")
@click.option("--artifact", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there as JSON.")
@click.option("--key", help="Tells several comments in one pull request apart. Default: the repository's name.")
@click.option("--api-url", help="Default: GITHUB_API_URL, else https://api.github.com.")
@click.option("--checkout", default=".", type=click.Path(file_okay=False, path_type=Path), help="The repository.")
@click.option("--dry-run", is_flag=True, help="Print the comment and post nothing.")
@period_options
@config_option
@json_option
def command(
    repo: str | None,
    number: int | None,
    branch: str | None,
    base: str | None,
    sessions: tuple[str, ...],
    projects: tuple[str, ...],
    budget_usd: str | None,
    unknown_fails: bool,
    tests: tuple[Path, ...],
    summary: Path | None,
    artifact: Path | None,
    key: str | None,
    api_url: str | None,
    checkout: Path,
    dry_run: bool,
    period: Period,
    config_path: str | None,
    as_json: bool,
) -> None:
    """Say in a pull request what its agents cost: one comment, made once and then changed in place.

    In GitHub Actions everything is taken from the environment; the token from GITHUB_TOKEN. The same text goes to the
    step summary. Without a token, or with one that may only read (pull requests from forks), nothing is posted.
    """
    here = runner(os.environ)
    git = _git(checkout)
    repo = repo or here.repository or (git.name if git else None)
    subject = Subject(
        repository=repo,
        number=number or here.number,
        branch=branch or here.branch or (git.branch if git else None),
        sessions=frozenset(sessions),
        projects=frozenset(projects) or _projects(repo, git),
    )
    if subject.number is None and subject.branch is None and not sessions:
        raise click.UsageError("say which pull request: --pr N, --branch NAME or --session ID")
    asked = Asked(
        subject=subject,
        base=base or here.base,
        checkout=checkout,
        period=_period(period),
        tests=tests,
        limit_nanousd=_limit(budget_usd),
        key=key or repo or "local",
    )
    seen = _see(asked, git, config_path)
    summary = summary or (None if dry_run else here.summary)
    if summary is not None:
        _append(summary, seen.markdown)
    posted, problem = _post(asked, seen, here, api_url or here.api_url, dry_run=dry_run)
    document = {**pull_payload(seen.made, seen.budget), "comment": posted}
    if artifact is not None:
        write_text(artifact, orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
    if here.output is not None and not dry_run:
        _append(here.output, _outputs(document))
    if as_json:
        print_json(document)
    elif dry_run:
        sys.stdout.write(seen.markdown)
    _finish(seen, posted, problem, quiet=as_json or dry_run, unknown_fails=unknown_fails)


def _finish(seen: Seen, posted: dict[str, Any], problem: ApiError | None, *, quiet: bool, unknown_fails: bool) -> None:
    if problem is not None:
        click.echo(f"bascule: {problem}", err=True)
    elif posted["posted"] and not quiet:
        click.echo(f"{'Posted' if posted['created'] else 'Updated'} {posted['url'] or 'the comment'}")
    elif not quiet:
        click.echo(f"Not posted: {posted['why']}.")
    if seen.budget.gate == "failed":
        click.echo("bascule: the cost of this pull request is above its budget", err=True)
        sys.exit(EXIT_GATE)
    if seen.budget.gate == "unknown":
        click.echo("bascule: whether the budget is kept cannot be told, as some cost is unknown", err=True)
        if unknown_fails:
            sys.exit(EXIT_GATE)
    if problem is not None:
        sys.exit(1)


class _Checkout(Struct, frozen=True):
    git: Git
    name: str | None
    branch: str | None


def _git(checkout: Path) -> _Checkout | None:
    """The repository, if there is one; what it says of itself."""
    try:
        git = Git(checkout)
    except BasculeError as error:
        click.echo(f"bascule: without a history: {error}", err=True)  # the comment says so, too
        return None
    return _Checkout(git, git.slug, git.checked_out)


def _projects(repo: str | None, git: _Checkout | None) -> frozenset[str]:
    names = {git.git.top.name} if git else set()
    if repo:
        names.add(repo.rpartition("/")[2])
    return frozenset(names)


def _period(period: Period) -> Period:
    return period if period.since_ms is not None else Period(now_ms() - LOOK_BACK_MS, period.until_ms)


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        limit = nanousd_from_usd(Decimal(text))
    except (ValueError, InvalidOperation):
        limit = -1
    if limit < 0:
        raise click.BadParameter(f"{text!r} is not an amount of dollars", param_hint="--budget-usd")
    return limit


def _see(asked: Asked, git: _Checkout | None, config_path: str | None) -> Seen:
    """Everything that the comment says."""
    document = read_document(config_path)
    store = open_store(document) if has_ledger(document) else None
    where = RowFilter(since_ms=asked.period.since_ms, until_ms=asked.period.until_ms)
    found = [] if store is None else read_parts(store, where)
    repository = _history(git, found, asked)
    derived = [] if repository is None else derive(found, repository, now_ms=now_ms())
    said = [] if store is None else store.outcomes.current()
    subject = asked.subject
    known = [each for each in said if each.source != GIT or not derived] + derived
    repositories = [subject.repository] if subject.repository else []
    worked = works(claimed(found, subject, derived), known, repositories=repositories)
    rows = () if store is None else track(_rows(store, worked, subject), "reading the pull request's rows")
    paid, unpaid = _paid(store, document.config.contracts, worked, asked)
    made = pull_cost(worked, subject, rows, _tests(asked.tests), paid)
    budget = gate(asked.limit_nanousd, made)
    notes = (*_notes(store, repository, found), *unpaid)
    markdown = comment(made, budget, key=asked.key, notes=notes, footer=_footer(asked))
    return Seen(made=made, budget=budget, markdown=markdown)


def _history(git: _Checkout | None, found: list[Part], asked: Asked) -> Repository | None:
    if git is None:
        return None
    try:
        return read_repository(git.git, found, asked.base, tuple(asked.subject.projects))
    except BasculeError as error:
        click.echo(f"bascule: without the history of {asked.checkout}: {error}", err=True)
        return None


def _paid(
    store: "Store | None", contracts: tuple[Contract, ...], worked: Worked, asked: Asked
) -> tuple[Paid | None, list[str]]:
    """What was paid after contracts, or why that cannot be told; neither without contracts."""
    if store is None or not contracts:
        return None, []
    since_ms, until_ms = asked.period.since_ms, asked.period.until_ms
    try:
        report = paid_report(
            store.analytics.costs, contracts, BY, since_ms=since_ms, until_ms=until_ms, now_ms=now_ms()
        )
    except AnalyticsMissing as error:
        return None, [f"What is paid after contracts is not told: {error}."]
    return pull_paid(worked, asked.subject, report), []


def _rows(store: "Store", worked: Worked, subject: Subject) -> Iterator[AttemptRow]:
    """Its own rows and others, those of a request together: by session where that is less to read."""
    sessions, span = own_sessions(worked, subject), own_span(worked, subject)
    if None not in sessions and len(sessions) <= MAX_SESSIONS_ASKED:
        for session_id in sorted(str(each) for each in sessions):
            yield from store.view.attempts(RowFilter(session_id=session_id), by_request=True)
    elif span is not None:
        yield from store.view.attempts(RowFilter(since_ms=span[0], until_ms=span[1] + 1), by_request=True)


def _tests(paths: tuple[Path, ...]) -> JunitResults | None:
    found: JunitResults | None = None
    for path in paths:
        try:
            read = read_junit(path.read_bytes())
        except (OSError, ValueError) as error:
            raise BasculeError(f"{path} holds no results of tests: {error}") from error
        found = read if found is None else found.plus(read)
    return found


def _notes(store: "Store | None", repository: Repository | None, found: list[Part]) -> tuple[str, ...]:
    notes = []
    if store is None or not found:
        notes.append("No use of agents is recorded here at all: import logs or point this at the gateway's ledger.")
    if repository is None:
        notes.append("Without the repository's history, earlier uses of the branch's name are not told apart.")
    elif repository.history.complete_since_ms is not None:
        since = iso_second(repository.history.complete_since_ms)
        notes.append(f"The clone is shallow, so merges before {since} are not seen (`fetch-depth: 0` has all).")
    return tuple(notes)


def _footer(asked: Asked) -> str:
    since, until = iso_day(asked.period.since_ms), iso_second(asked.period.until_ms or now_ms())
    return (
        f"Recorded from {since} to {until}, at list prices of each day. Counted: use that names this pull request or "
        f"its branch, and what its sessions did before, shared evenly. Bascule {__version__}"
    )


def _post(
    asked: Asked, seen: Seen, here: Runner, api_url: str, *, dry_run: bool
) -> tuple[dict[str, Any], ApiError | None]:
    """What became of the comment; an error that should fail the command."""
    subject = asked.subject
    result: dict[str, Any] = {"posted": False, "created": None, "url": None, "why": None}
    if dry_run:
        return {**result, "why": "--dry-run"}, None
    if subject.number is None or subject.repository is None:
        return {**result, "why": "no pull request is known; say --repo OWNER/NAME and --pr N"}, None
    if here.token is None:
        return {**result, "why": "GITHUB_TOKEN is not set"}, None
    try:
        posted = GitHub(api_url, subject.repository, here.token).upsert(
            subject.number, marker(asked.key), seen.markdown
        )
    except ApiError as error:
        if error.read_only and here.fork:
            why = "this pull request comes from a fork, whose token may only read; the step summary has the same text"
            return {**result, "why": why}, None
        return {**result, "why": str(error)}, error
    return {**result, "posted": True, "created": posted.created, "url": posted.url}, None


def _append(path: Path, text: str) -> None:
    """Runners give files that others have written to."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise BasculeError(f"{path} cannot be written: {error.strerror}") from error


def _outputs(document: dict[str, Any]) -> str:
    lines = {
        "cost_usd": document["cost_usd"] or "",
        "gate": document["gate"],
        "comment_url": document["comment"]["url"] or "",
    }
    return "".join([f"{name}={value}\n" for name, value in lines.items()])
