"""Runs and comparisons as JSON documents and as tables."""

from typing import TYPE_CHECKING, Any

import click

from bascule.cli.output import print_table, usd_fit
from bascule.cli.period import iso_second
from bascule.model.money import usd_text

if TYPE_CHECKING:
    from bascule.offline.evaluation.asked_again import Followed
    from bascule.offline.evaluation.quality import Known
    from bascule.offline.evaluation.run_file import Result, Run
    from bascule.offline.evaluation.summary import Summary, Versus

MODEL_COLUMNS = ("model", "quality", "95 % interval", "passed", "cases", "$/case", "cost", "p50", "p95", "not graded")
OPTIONAL = ("p50", "cost")


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


def print_failures(run: "Run") -> None:
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


def print_quality(found: "list[Known]") -> None:
    columns = ("model", "task", "quality", "low", "high", "measured", "live", "declared", "snapshot")
    print_table(
        columns,
        [
            (
                one.subject.model,
                one.subject.task,
                f"{one.estimate.mean:.3f}",
                f"{one.estimate.low:.3f}",
                f"{one.estimate.high:.3f}",
                f"{one.measured:g}",
                f"{one.live:g}",
                None if one.declared is None else f"{one.declared:g}" + (" (refuted)" if one.estimate.refuted else ""),
                one.subject.snapshot,
            )
            for one in found
        ],
        optional=("snapshot",),
    )
    if not found:
        click.echo("Nothing is known: no quality is declared, no suite was run, nobody said what answers were worth.")


def print_asked_again(found: "dict[str, Followed]") -> None:
    """A weak sign, of the last 30 days."""
    from bascule.offline.evaluation.paired import mean_of

    rows = []
    for name, one in sorted(found.items()):
        share = mean_of([1.0] * one.asked_again + [0.0] * (one.answers - one.asked_again))
        if share is not None:
            interval = f"{share.low:.1%} to {share.high:.1%}"
            rows.append((name, one.answers, one.asked_again, f"{share.mean:.1%}", interval))
    if rows:
        click.echo()
        columns = ("model", "answers that were followed", "asked again", "share", "95 % interval")
        print_table(columns, rows, title="Users who asked again (a weak sign)")
