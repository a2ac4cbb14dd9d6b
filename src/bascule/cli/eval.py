"""`bascule eval`: a suite over models, graded; runs compared; gates for a pipeline."""

import os
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from bascule.cli.data import data_dir_of, open_existing, read_document
from bascule.cli.output import config_option, json_option, print_json, print_table, usd_fit, write_out
from bascule.cli.period import Period, iso_second, now_ms, period_options
from bascule.model.errors import BasculeError
from bascule.model.money import nanousd_from_usd, usd_text
from bascule.model.row import RowFilter

if TYPE_CHECKING:
    from bascule.config.load import Document
    from bascule.offline.evaluation.run_file import Result, Run
    from bascule.offline.evaluation.suite import Suite
    from bascule.offline.evaluation.summary import Summary, Versus

GATE_FAILED = 3
DEFAULT_MAX_USD = "5"
MODEL_COLUMNS = ("model", "quality", "95 % interval", "passed", "cases", "$/case", "cost", "p50", "p95", "not graded")
OPTIONAL = ("p50", "cost")

models_option = click.option("--models", default=None, metavar="A,B", help="Models, routes or provider/name.")
sample_option = click.option(
    "--sample", default=100, show_default=True, type=click.IntRange(1, 100_000), help="Recorded requests to draw."
)
task_option = click.option("--task", default=None, help="Recorded requests of this task alone.")
judge_option = click.option("--judge", default=None, metavar="MODEL", help="Grades where a case's own grader cannot.")
max_usd_option = click.option(
    "--max-usd",
    default=DEFAULT_MAX_USD,
    show_default=True,
    metavar="USD",
    help="The most that the run may cost, judges and retries included; `none`: no cap.",
)
concurrency_option = click.option(
    "--concurrency", default=4, show_default=True, type=click.IntRange(1, 64), help="Calls at the same time."
)
key_option = click.option("--key", default=None, metavar="NAME", help="The virtual key that pays; default: none.")
certain_option = click.option(
    "--certain", is_flag=True, help="Gates hold only where 95 in 100 say so, not by the mean alone."
)


@click.group("eval")
def command() -> None:
    """Ask a suite of models, grade the answers, compare, and gate on the result."""


@command.command("run")
@click.argument("suite_path", metavar="[SUITE]", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--recorded", default=None, metavar="MODEL", help="Instead of SUITE: requests that it was recorded with.")
@sample_option
@task_option
@period_options
@models_option
@judge_option
@max_usd_option
@concurrency_option
@key_option
@click.option("--resume", is_flag=True, help="Go on with the latest run of these cases, models and judge.")
@click.option("--fresh", is_flag=True, help="Ask again what earlier runs have an answer to.")
@click.option(
    "--failures",
    "failures_path",
    default=None,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the cases that any model failed as a suite (JSON Lines).",
)
@click.option("--min-quality", default=None, type=click.FloatRange(0, 1), help="Exit 3 where a model is below it.")
@certain_option
@config_option
@json_option
def run_suite(
    suite_path: Path | None,
    recorded: str | None,
    sample: int,
    task: str | None,
    period: Period,
    models: str | None,
    judge: str | None,
    max_usd: str,
    concurrency: int,
    key: str | None,
    resume: bool,
    fresh: bool,
    failures_path: Path | None,
    min_quality: float | None,
    certain: bool,
    config_path: str | None,
    as_json: bool,
) -> None:
    """Ask every model each case of SUITE (YAML, JSON or JSON Lines) and grade the answers.

    With --recorded the cases are recorded requests, drawn by chance, and their answers are what a judge compares
    with; no answer is then kept. Calls go through a gateway of this command's own: prices, budgets and the ledger are
    the usual ones, rows carry the tag `eval`. Results are in data_dir/evals. Exit status 1 where not all could be
    asked, 3 where a gate failed.
    """
    from bascule.cli.evaluating.running import Wanted, evaluate
    from bascule.offline.evaluation.suite import read_suite

    if (suite_path is None) == (recorded is None):
        raise click.UsageError("name either a SUITE or, with --recorded MODEL, whose requests to take")
    if recorded is not None and (judge is None or failures_path is not None):
        raise click.UsageError("recorded requests need a --judge, and cannot be written as --failures")

    wanted = Wanted(
        models=model_names(models),
        judge=judge,
        max_nanousd=max_nanousd(max_usd),
        concurrency=concurrency,
        key=key,
        resume=resume,
        fresh=fresh,
    )
    document = read_document(config_path)
    if suite_path is not None:
        suite = read_suite(suite_path)
    else:
        suite = _recorded(
            document, RowFilter(since_ms=period.since_ms, until_ms=period.until_ms, model=recorded), sample, task
        )
    made = evaluate(document, suite, wanted)
    if failures_path is not None and suite_path is not None:
        _write_failures(suite_path, made.run, failures_path)
    gates = quality_gates(made.run, min_quality, certain=certain)
    shown = run_payload(made.run) | {
        "stopped": made.ended.stopped,
        "resumed": made.resumed,
        "isolated": made.ended.isolated,
        "gates": gates,
    }
    if as_json:
        print_json(shown)
    else:
        print_run(made.run)
        if made.ended.isolated is False:
            click.echo("Graders in processes could reach the network: this system does not let it be taken away.")
        print_gates(gates)
    if made.ended.stopped is not None:
        raise BasculeError(f"stopped: {made.ended.stopped}. Give more with --max-usd and go on with --resume")
    end(gates)


@command.command("compare")
@click.argument("first")
@click.argument("second", required=False)
@click.option("--models", default=None, metavar="A,B", help="Of one run: A is what B is compared with.")
@click.option("--max-regression", default=None, type=click.FloatRange(0, 1), help="Exit 3 where B loses more.")
@certain_option
@config_option
@json_option
def compare(
    first: str,
    second: str | None,
    models: str | None,
    max_regression: float | None,
    certain: bool,
    config_path: str | None,
    as_json: bool,
) -> None:
    """Compare two runs, or two models of one run, on the cases that both have a score of.

    FIRST and SECOND are ids of runs, their files, or `last`. Two runs are compared model by model where they have the
    same ones, else the only model of the one with the only model of the other.
    """
    from bascule.offline.evaluation.run_file import find_run
    from bascule.offline.evaluation.summary import versus_payload

    data_dir = data_dir_of(read_document(config_path))
    before = find_run(data_dir, first)
    after = before if second is None else find_run(data_dir, second)
    made = comparisons(before, after, None if models is None else model_names(models))
    gates = regression_gates(made, max_regression, certain=certain)
    same = before.header.digest == after.header.digest
    if as_json:
        print_json(
            {
                "first": before.header.run,
                "second": after.header.run,
                "same_suite": same,
                "comparisons": [versus_payload(one) for one in made],
                "gates": gates,
            }
        )
    else:
        print_comparisons(made)
        if not same:
            click.echo("The two runs are not of the same cases and graders: only cases of the same id are compared.")
        print_gates(gates)
    end(gates)


@command.command("report")
@click.argument("run", default="last")
@click.option("--cases", "show_cases", is_flag=True, help="Also each case that did not pass, and why.")
@click.option("--min-quality", default=None, type=click.FloatRange(0, 1), help="Exit 3 where a model is below it.")
@certain_option
@config_option
@json_option
def report(
    run: str, show_cases: bool, min_quality: float | None, certain: bool, config_path: str | None, as_json: bool
) -> None:
    """Show a run by model and task: RUN is its id, its file, or `last`."""
    from bascule.offline.evaluation.run_file import find_run, result_payload

    found = find_run(data_dir_of(read_document(config_path)), run)
    gates = quality_gates(found, min_quality, certain=certain)
    if as_json:
        results = [result_payload(result) for result in found.results]
        print_json(run_payload(found) | {"gates": gates, "results": results})
    else:
        print_run(found)
        if show_cases:
            _print_failures(found)
        print_gates(gates)
    end(gates)


def _recorded(document: "Document", where: RowFilter, sample: int, task: str | None) -> "Suite":
    from bascule.cli.evaluating.opening import evaluating
    from bascule.cli.evaluating.recordings import sampled
    from bascule.compose import snapshot_of

    snapshot = snapshot_of(evaluating(document), dict(os.environ), stored_keys=True)
    drawn = sampled(document, snapshot, open_existing(document), where, count=sample, task=task, now_ms=now_ms())
    for reason, times in drawn.left.items():
        click.echo(f"{times} of {len(drawn.rows)} drawn requests make no case: {reason}", err=True)
    return drawn.suite


def model_names(text: str | None) -> tuple[str, ...]:
    """Raises click.UsageError."""
    names = tuple(dict.fromkeys([name.strip() for name in (text or "").split(",") if name.strip()]))
    if not names:
        raise click.UsageError("name the models: --models small,big")
    return names


def max_nanousd(text: str) -> int | None:
    """Raises click.BadParameter."""
    if text == "none":
        return None
    try:
        amount = nanousd_from_usd(Decimal(text))
    except (ValueError, InvalidOperation):
        raise click.BadParameter(f"{text!r} is not an amount of dollars, nor `none`", param_hint="--max-usd") from None
    if amount < 0:
        raise click.BadParameter("a limit is not negative", param_hint="--max-usd")
    return amount


def comparisons(before: "Run", after: "Run", models: tuple[str, ...] | None) -> "list[Versus]":
    """Raises click.UsageError where it is not clear what is to be compared."""
    from bascule.offline.evaluation.summary import versus

    if before is after:
        names = models or before.header.models
        if len(names) < 2:
            raise click.UsageError("the run has one model; name a second run to compare it with")
        for name in names:
            if name not in before.header.models:
                raise click.UsageError(f"the run has no model {name!r}, it has {', '.join(before.header.models)}")
        return [versus(before.of(names[0]), before.of(name), (names[0], name)) for name in names[1:]]
    shared = [name for name in models or before.header.models if name in before.header.models]
    shared = [name for name in shared if name in after.header.models]
    if shared:
        return [
            versus(before.of(name), after.of(name), (f"{name} in {before.header.run}", f"{name} in {after.header.run}"))
            for name in shared
        ]
    one, other = before.header.models, after.header.models
    if models is None and len(one) == len(other) == 1:
        return [versus(before.of(one[0]), after.of(other[0]), (one[0], other[0]))]
    raise click.UsageError(f"the runs have no model in common: {', '.join(one)} and {', '.join(other)}")


def quality_gates(run: "Run", floor: float | None, *, certain: bool) -> list[dict[str, Any]]:
    """A gate that cannot be judged has not been passed."""
    from bascule.offline.evaluation.paired import lowest
    from bascule.offline.evaluation.summary import rounded, summaries

    if floor is None:
        return []
    gates = []
    for made in summaries(run):
        scores = [result.score for result in run.of(made.model) if result.done and result.score is not None]
        measured = None if made.quality is None else lowest(scores) if certain else made.quality.mean
        gates.append(
            {
                "gate": "min_quality",
                "model": made.model,
                "limit": floor,
                "measured": None if measured is None else rounded(measured),
                "certain": certain,
                "passed": measured is not None and measured >= floor,
            }
        )
    return gates


def regression_gates(made: "list[Versus]", limit: float | None, *, certain: bool) -> list[dict[str, Any]]:
    from bascule.offline.evaluation.summary import rounded

    if limit is None:
        return []
    gates = []
    for one in made:
        found = one.difference
        measured = None if found is None else -(found.at_least if certain else found.mean)
        gates.append(
            {
                "gate": "max_regression",
                "model": one.second,
                "limit": limit,
                "measured": None if measured is None else rounded(measured),
                "certain": certain,
                "passed": measured is not None and measured <= limit,
            }
        )
    return gates


def end(gates: list[dict[str, Any]]) -> None:
    if any(not gate["passed"] for gate in gates):
        sys.exit(GATE_FAILED)


def run_payload(run: "Run") -> dict[str, Any]:
    """Stable keys; money as `*_usd`."""
    from bascule.offline.evaluation.summary import by_task, summaries, summary_payload, versus, versus_payload

    header = run.header
    first, *others = header.models
    return {
        "run": header.run,
        "suite": header.suite,
        "source": header.source,
        "at": iso_second(header.at_ms),
        "judge": header.judge,
        "cases": header.cases,
        "file": str(run.path),
        "max_usd": usd_text(header.max_nanousd),
        "models": [
            summary_payload(made)
            | {"by_task": {task: summary_payload(one) for task, one in by_task(run, made.model).items()}}
            for made in summaries(run)
        ],
        "comparisons": [versus_payload(versus(run.of(first), run.of(name), (first, name))) for name in others],
    }


def print_run(run: "Run") -> None:
    from bascule.offline.evaluation.summary import by_task, summaries, versus

    header = run.header
    made = summaries(run)
    print_table(MODEL_COLUMNS, [_line(one.model, one) for one in made], optional=OPTIONAL)
    for name in header.models:
        tasks = by_task(run, name)
        if tasks:
            click.echo()
            print_table(("task", *MODEL_COLUMNS[1:]), [_line(task, one) for task, one in tasks.items()], title=name)
    first, *others = header.models
    if others:
        click.echo()
        print_comparisons([versus(run.of(first), run.of(name), (first, name)) for name in others])
    judged = sum([one.judge_nanousd for one in made])
    click.echo(f"\nrun {header.run}: {header.cases} cases of {header.suite}; judges cost {usd_fit(judged)}; {run.path}")
    for one in made:
        if one.inconsistent:
            click.echo(
                f"{one.model}: in {one.inconsistent} comparisons the two orders disagreed, which counts as a tie"
            )
        if one.cut:
            click.echo(f"{one.model}: {one.cut} answers reached their output cap; see max_tokens")


def print_comparisons(made: "list[Versus]") -> None:
    columns = ("of", "against", "difference", "95 % interval", "better", "worse", "cases", "p")
    rows: list[tuple[Any, ...]] = []
    for one in made:
        for name, found in [(one.second, one.difference), *[(f"  {task}", d) for task, d in one.by_task.items()]]:
            if found is None:
                rows.append((name, one.first, None, None, None, None, 0, None))
            else:
                interval = f"{found.low:+.3f} to {found.high:+.3f}"
                p_value = None if found.p_value is None else f"{found.p_value:.2g}"
                rows.append(
                    (name, one.first, f"{found.mean:+.3f}", interval, found.better, found.worse, found.cases, p_value)
                )
    print_table(columns, rows)


def print_gates(gates: list[dict[str, Any]]) -> None:
    for gate in gates:
        how = "at worst" if gate["certain"] else "on average"
        measured = "unknown" if gate["measured"] is None else f"{gate['measured']:.4f} {how}"
        verdict = "passed" if gate["passed"] else "FAILED"
        click.echo(f"{verdict}: {gate['gate']} {gate['limit']:g} of {gate['model']}: {measured}")


def _line(name: str, made: "Summary") -> tuple[Any, ...]:
    quality = made.quality
    return (
        name,
        None if quality is None else f"{quality.mean:.3f}",
        None if quality is None else f"{quality.low:.3f} to {quality.high:.3f}",
        made.passed,
        made.cases,
        usd_fit(made.cost_per_case_nanousd),
        usd_fit(made.cost_nanousd),
        None if made.latency_p50_ms is None else f"{made.latency_p50_ms:,} ms",
        None if made.latency_p95_ms is None else f"{made.latency_p95_ms:,} ms",
        made.counts["ungraded"] + made.counts["unanswered"],
    )


def _print_failures(run: "Run") -> None:
    from bascule.offline.evaluation.summary import failures

    failed: list[Result] = failures(run.results)
    ungraded = [result for result in run.results if not result.done]
    click.echo()
    print_table(
        ("case", "model", "score", "why", "request"),
        [
            (one.case, one.model, None if one.score is None else f"{one.score:.2f}", one.reason, one.request_id)
            for one in [*failed, *ungraded]
        ],
    )


def _write_failures(suite_path: Path, run: "Run", path: Path) -> None:
    from bascule.offline.evaluation.suite import raw_cases
    from bascule.offline.evaluation.summary import failures

    failed = {result.case for result in failures(run.results)}
    lines = [orjson.dumps(raw).decode() + "\n" for name, raw in raw_cases(suite_path) if name in failed]
    write_out(path, "".join(lines))
