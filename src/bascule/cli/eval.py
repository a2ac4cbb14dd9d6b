"""`bascule eval`: a suite over models, graded; runs compared; gates for a pipeline."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from bascule.cli.data import data_dir_of, has_ledger, open_existing, open_store, read_document, read_names
from bascule.cli.evaluating.gates import end, print_gates, quality_gates, regression_gates
from bascule.cli.evaluating.options import (
    certain_option,
    concurrency_option,
    judge_option,
    key_option,
    max_nanousd,
    max_usd_option,
    model_names,
    models_option,
    sample_option,
    task_option,
)
from bascule.cli.evaluating.showing import (
    comparisons,
    print_asked_again,
    print_comparisons,
    print_failures,
    print_quality,
    print_run,
    run_payload,
)
from bascule.cli.output import config_option, json_option, print_json, write_out
from bascule.cli.period import Period, now_ms, period_options
from bascule.decide.window import DAY_MS
from bascule.model.errors import BasculeError
from bascule.model.row import RowFilter

if TYPE_CHECKING:
    from bascule.config.load import Document
    from bascule.offline.evaluation.run_file import Run
    from bascule.offline.evaluation.suite import Suite


ASKED_AGAIN_MS = 30 * DAY_MS


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
    if suite_path is not None and (task is not None or period != Period()):
        raise click.UsageError("--task, --since and --until choose recorded requests; give them with --recorded MODEL")
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
            print_failures(found)
        print_gates(gates)
    end(gates)


@command.command("quality")
@click.option("--model", default=None, help="This model alone.")
@click.option("--yaml", "as_yaml", is_flag=True, help="Print lower ends as lines for bascule.yaml.")
@config_option
@json_option
def quality(model: str | None, as_yaml: bool, config_path: str | None, as_json: bool) -> None:
    """Show what is known of models' quality by task: declared, measured by runs, said of live traffic.

    Few observations lie near what models and tasks like these lead to expect; `low` and `high` are the ends of
    one-sided 95 % intervals. A provider's new snapshot of a model starts anew.
    """
    from bascule.cli.evaluating.quality import asked_again, findings
    from bascule.offline.evaluation.quality import as_configuration, known, known_payload
    from bascule.offline.evaluation.run_file import all_runs

    document = read_document(config_path)
    snapshot = read_names(config_path)
    store = open_store(document) if has_ledger(document) else None
    found = known(findings(snapshot, store, all_runs(data_dir_of(document))), now_ms())
    shown = [one for one in found if model in (None, one.subject.model)]
    again = {} if store is None else asked_again(store, now_ms() - ASKED_AGAIN_MS)
    if as_yaml:
        click.echo(as_configuration(shown), nl=False)
    elif as_json:
        print_json([known_payload(one, again.get(one.subject.model)) for one in shown])
    else:
        print_quality(shown)
        print_asked_again({name: one for name, one in again.items() if model in (None, name)})


def _recorded(document: "Document", where: RowFilter, sample: int, task: str | None) -> "Suite":
    from bascule.cli.evaluating.opening import evaluating
    from bascule.cli.evaluating.recordings import sampled
    from bascule.compose import snapshot_of

    snapshot = snapshot_of(evaluating(document), dict(os.environ), stored_keys=True)
    drawn = sampled(document, snapshot, open_existing(document), where, count=sample, task=task, now_ms=now_ms())
    for reason, times in drawn.left.items():
        click.echo(f"{times} of {len(drawn.rows)} drawn requests make no case: {reason}", err=True)
    return drawn.suite


def _write_failures(suite_path: Path, run: "Run", path: Path) -> None:
    from bascule.offline.evaluation.suite import raw_cases
    from bascule.offline.evaluation.summary import failures

    failed = {result.case for result in failures(run.results)}
    lines = [orjson.dumps(raw).decode() + "\n" for name, raw in raw_cases(suite_path) if name in failed]
    write_out(path, "".join(lines))
