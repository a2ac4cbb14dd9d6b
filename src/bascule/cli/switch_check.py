"""`bascule switch-check`: may a workload move from one model to another?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs

from bascule.cli.data import has_ledger, open_store, read_document
from bascule.cli.evaluating.gates import GATE_FAILED
from bascule.cli.evaluating.options import (
    concurrency_option,
    judge_option,
    key_option,
    max_nanousd,
    max_usd_option,
    sample_option,
    task_option,
)
from bascule.cli.output import config_option, json_option, print_json, print_table, usd_fit
from bascule.cli.period import Period, iso, now_ms, period_options
from bascule.decide.window import DAY_MS
from bascule.model.errors import BasculeError
from bascule.model.money import usd_text
from bascule.model.row import RowFilter
from bascule.offline.evaluation.switching import DEFAULT_MARGIN, METHOD

if TYPE_CHECKING:
    from bascule.cli.evaluating.switching import Checked

DEFAULT_DAYS = 30
SHOWN_BREAKS = 20
WORDS = {"switch": "SWITCH", "keep": "KEEP", "not_enough_evidence": "NOT ENOUGH EVIDENCE"}


@click.command("switch-check")
@click.argument("first", metavar="FROM")
@click.argument("second", metavar="TO")
@click.option(
    "--suite",
    "suite_path",
    default=None,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Cases to ask of both; without it recorded requests, which need a --judge.",
)
@judge_option
@sample_option
@task_option
@click.option(
    "--margin",
    default=DEFAULT_MARGIN,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Loss of quality that would not matter, of 1.",
)
@click.option("--resume", is_flag=True, help="Go on with the latest run of these cases, models and judge.")
@click.option("--gate", is_flag=True, help="Exit status 3 unless the verdict is `switch`.")
@max_usd_option
@concurrency_option
@key_option
@period_options
@config_option
@json_option
def command(
    first: str,
    second: str,
    suite_path: Path | None,
    judge: str | None,
    sample: int,
    task: str | None,
    margin: float,
    resume: bool,
    gate: bool,
    max_usd: str,
    concurrency: int,
    key: str | None,
    period: Period,
    config_path: str | None,
    as_json: bool,
) -> None:
    """May what FROM does be done by TO? Quality with its interval, cost, latency, features lost, prompts that break.

    Cost and features come from the ledger's last 30 days (--since); quality from a --suite that both are asked, or
    from recorded requests of FROM that TO is asked too and a --judge compares. The verdict is switch, keep, or not
    enough evidence, with the cases that are still needed.
    """
    from bascule.cli.evaluating.running import Wanted
    from bascule.cli.evaluating.switching import Question, check
    from bascule.offline.evaluation.suite import read_suite

    if first == second:
        raise click.UsageError("FROM and TO are the same model")
    at_ms = now_ms()
    since_ms = period.since_ms if period.since_ms is not None else at_ms - DEFAULT_DAYS * DAY_MS
    wanted = Wanted(
        models=(), judge=judge, max_nanousd=max_nanousd(max_usd), concurrency=concurrency, key=key, resume=resume
    )
    question = Question(
        first=first,
        second=second,
        where=RowFilter(since_ms=since_ms, until_ms=period.until_ms, model=first),
        suite=None if suite_path is None else read_suite(suite_path),
        sample=sample,
        task=task,
        margin=margin,
        wanted=wanted,
    )
    document = read_document(config_path)
    found = check(document, open_store(document) if has_ledger(document) else None, question, at_ms)
    if as_json:
        print_json(payload(found))
    else:
        _print(found)
    if found.made is not None and found.made.ended.stopped is not None:
        raise BasculeError(f"stopped: {found.made.ended.stopped}. Give more with --max-usd and go on with --resume")
    if gate and found.decided.verdict != "switch":
        sys.exit(GATE_FAILED)


def payload(found: "Checked") -> dict[str, Any]:
    """Stable keys; money as `*_usd`."""
    from bascule.offline.evaluation.summary import difference_payload, rounded, summary_payload

    question, costs = found.question, found.costs
    spent = [made.judge_nanousd for made in found.summaries]
    return {
        "from": question.first,
        "to": question.second,
        "since": iso(question.where.since_ms),
        "until": iso(question.where.until_ms),
        "verdict": found.decided.verdict,
        "reason": found.decided.reason,
        "cases_needed": found.decided.cases_needed,
        "cases_still_needed": found.decided.cases_still_needed,
        "margin": question.margin,
        "method": METHOD,
        "quality": difference_payload(found.difference),
        "models": [summary_payload(made) for made in found.summaries],
        "cost": {
            "requests": costs.requests,
            "from_usd": usd_text(costs.before_nanousd),
            "to_usd": usd_text(costs.after_nanousd),
            "to_own_output_usd": usd_text(costs.longer_nanousd),
            "output_ratio": None if costs.output_ratio is None else rounded(costs.output_ratio),
            "ratio": None if found.case_cost_ratio is None else rounded(found.case_cost_ratio),
            "not_priced": costs.not_priced,
        },
        "latency": {name: structs.asdict(one) for name, one in found.latency.items()},
        "features": [structs.asdict(gap) for gap in found.gaps],
        "breaks": [structs.asdict(one) for one in found.breaks],
        "traffic": {"requests": found.use.requests, "looked_at": found.use.decided, "uses": found.use.features},
        "sample": {"drawn": found.drawn, "sessions": found.sessions, "left": found.left},
        "run": None if found.made is None else found.made.run.header.run,
        "judge_usd": usd_text(sum(spent)),
        "stopped": None if found.made is None else found.made.ended.stopped,
    }


def _print(found: "Checked") -> None:
    question, decided, quality = found.question, found.decided, found.difference
    click.echo(f"{WORDS[decided.verdict]}: {question.first} -> {question.second}. {decided.reason}.")
    if decided.cases_still_needed is not None:
        click.echo(f"About {decided.cases_still_needed:,} more cases would show it ({decided.cases_needed:,} in all).")
    click.echo()
    rows: list[tuple[str, Any, Any, str]] = [_quality_line(found)]
    if quality is not None:
        rows.append(("better / worse", quality.worse, quality.better, f"of {quality.cases} cases"))
    rows += [*_cost_lines(found), _case_line(found), _latency_line(found, "p50"), _latency_line(found, "p95")]
    print_table(("", question.first, question.second, ""), rows)
    if found.gaps:
        click.echo()
        print_table(
            ("feature", "standing", "requests", "known of", "why"),
            [(gap.feature, gap.standing, gap.requests, gap.of, gap.why) for gap in found.gaps],
        )
    if found.breaks:
        click.echo()
        shown = found.breaks[:SHOWN_BREAKS]
        title = f"prompts that break ({len(found.breaks)})"
        print_table(
            ("case", "score", "why"), [(one.case, f"{one.score_second:.2f}", one.reason) for one in shown], title=title
        )
    if found.drawn is not None and found.drawn < found.question.sample:
        click.echo(f"{found.drawn} requests were drawn, one of each of the {found.sessions} sessions that there are.")
    for reason, times in found.left.items():
        click.echo(f"{times} of {found.drawn} drawn requests make no case: {reason}")
    for reason, times in found.costs.not_priced.items():
        click.echo(f"{times} requests are in no cost: {reason}")


def _quality_line(found: "Checked") -> tuple[str, Any, Any, str]:
    quality = found.difference
    first, second = _names(found)
    means = {made.model: f"{made.quality.mean:.3f}" for made in found.summaries if made.quality is not None}
    compared = first not in means
    if quality is None:
        return ("quality", means.get(first), means.get(second), "not known")
    what = "cases won less lost" if compared else "difference"
    told = f"{what} {quality.mean:+.3f}, 95 %: {quality.low:+.3f} to {quality.high:+.3f}"
    return ("quality", means.get(first), None if compared else means.get(second), told)


def _cost_lines(found: "Checked") -> list[tuple[str, Any, Any, str]]:
    costs = found.costs
    if not costs.requests:
        return [("cost", None, None, "no traffic in the ledger")]
    ratio = None if costs.ratio is None else f"{costs.ratio:.3g} times, for {costs.requests:,} requests"
    lines = [("cost, same tokens", usd_fit(costs.before_nanousd), usd_fit(costs.after_nanousd), ratio or "")]
    if costs.output_ratio is not None:
        longer = f"{costs.output_ratio:.3g} times the output"
        lines.append(("cost, own output", usd_fit(costs.before_nanousd), usd_fit(costs.longer_nanousd), longer))
    return lines


def _case_line(found: "Checked") -> tuple[str, Any, Any, str]:
    """What a case of the run cost."""
    costs = {made.model: usd_fit(made.cost_per_case_nanousd) for made in found.summaries}
    first, second = _names(found)
    return ("cost of a case", costs.get(first), costs.get(second), "of this run, answers only")


def _latency_line(found: "Checked", rank: str) -> tuple[str, Any, Any, str]:
    times = [getattr(found.latency.get(name), f"{rank}_ms", None) for name in _names(found)]
    first, second = [None if time is None else f"{time:,} ms" for time in times]
    return (f"latency {rank}", first, second, "")


def _names(found: "Checked") -> tuple[str, str]:
    return found.question.first, found.question.second
