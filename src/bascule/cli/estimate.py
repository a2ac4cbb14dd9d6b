"""`bascule estimate`: a monthly bill from volumes, plans and agents, or what the requests of a file will cost."""

import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from bascule.cli.amounts import count, multiple_span
from bascule.cli.estimating.options import estimate_options
from bascule.cli.estimating.prices import Prices
from bascule.cli.estimating.repository import repository_commits
from bascule.cli.estimating.requests import estimate_requests
from bascule.cli.estimating.show import show_plan
from bascule.cli.estimating.task import GIVEN, Volumes, given_price, optimisations_of, task_of
from bascule.cli.estimating.volumes import bill, of_model, show
from bascule.cli.offer import find_offer, offer_config_option, provider_option
from bascule.cli.output import json_option, print_json, print_table
from bascule.cli.period import iso_second, now_ms
from bascule.offline.background import DAYS, TOKENS_PER_BYTE, Agent, Commits
from bascule.offline.moment import moment_ms
from bascule.offline.plan import Plan, read_plan, read_text
from bascule.offline.plan_bill import plan_bill
from bascule.offline.plan_payload import commits_payload, multiple_payload, plan_payload
from bascule.offline.quantity import ZERO, Span, number_text
from bascule.offline.volume import bill_multiple
from bascule.offline.workloads import CONTENT, ModelPrice, Workload

PLAN_ENDINGS = (".yaml", ".yml")


@click.command("estimate")
@estimate_options
@provider_option
@offer_config_option
@json_option
def command(**options: Any) -> None:
    """What a month will cost: from tokens, calls and content, from a plan in YAML, or from the requests of a file.

    Amounts may be ranges, LOW..HIGH, and give ranges. docs/calculators.md has the form of a plan and the method.
    """
    as_json = options["as_json"]
    if options["content_types"]:
        _content_types(as_json)
    elif options["volume_growth"] is not None or options["price_change"] is not None:
        _multiple(options["volume_growth"] or ZERO, options["price_change"] or ZERO, as_json)
    elif options["per_day"] is not None or options["usd_per_check"] is not None:
        _one_agent(options)
    elif options["agents_file"] is not None:
        _agents(options)
    elif options["source"] is not None:
        _from_file(options)
    else:
        _from_options(options)


def _content_types(as_json: bool) -> None:
    if as_json:
        print_json({name: {"tokens": number_text(one.tokens), "what": one.what} for name, one in CONTENT.items()})
        return
    print_table(("type", "tokens", "what"), [(name, count(one.tokens), one.what) for name, one in CONTENT.items()])
    click.echo("Round figures in common use; a plan can add its own under `content`.")


def _multiple(growth: Span, change: Span, as_json: bool) -> None:
    found = bill_multiple(growth, change)
    if as_json:
        print_json(multiple_payload(found.volume, found.price, found.bill))
        return
    click.echo(
        f"Use is {multiple_span(found.volume)} and the price {multiple_span(found.price)} what it was: "
        f"the bill is {multiple_span(found.bill)} what it was."
    )


def _one_agent(options: dict[str, Any]) -> None:
    if options["per_day"] is None or options["usd_per_check"] is None:
        raise click.UsageError("--per-day and --usd-per-check go together")
    check = Workload(task="agent", calls=options["per_day"], usd_per_call=options["usd_per_check"])
    _print(Plan(agents=(Agent(check=check),), days=options["days"] or DAYS), options)


def _agents(options: dict[str, Any]) -> None:
    path: Path = options["agents_file"]
    plan = read_plan(_text(path), str(path))
    if not plan.agents:
        raise click.UsageError(f"{path} has no `agents`; use --from for a plan of other work")
    only = Plan(prices=plan.prices, agents=plan.agents, days=options["days"] or plan.days)
    _print(only, options)


def _from_file(options: dict[str, Any]) -> None:
    source: Path = options["source"]
    volumes = ("input_tokens", "output_tokens", "calls", "price_input", "price_output")
    if any(options[name] is not None for name in volumes):
        raise click.UsageError("--from takes its volumes from the file; leave out tokens and prices")
    if source.suffix not in PLAN_ENDINGS:
        estimate_requests(
            source, options["model"], options["provider"], options["config_path"], options["answer_tokens"],
            options["as_json"],
        )  # fmt: skip
        return
    plan = read_plan(_text(source), str(source))
    more = optimisations_of(options["optimise"], options["saves"])
    _print(
        structs.replace(
            plan,
            optimisations=(*plan.optimisations, *more),
            days=options["days"] or plan.days,
            **_baseline(options),
        ),
        options,
    )


def _from_options(options: dict[str, Any]) -> None:
    model, price_input, price_output = options["model"], options["price_input"], options["price_output"]
    volumes = Volumes(**{name: options[name] for name in Volumes.__struct_fields__})
    stated = (volumes.input_tokens, volumes.output_tokens, volumes.calls, options["repo"])
    if stated == (None, None, None, None):
        raise click.UsageError("give --input-tokens and --output-tokens, --calls, or a file with --from")
    if (model is None) == (price_input is None and price_output is None):
        raise click.UsageError("give either --model, or --price-input and --price-output")
    optimisations = optimisations_of(options["optimise"], options["saves"])
    if options["repo"] is None and volumes.calls is None and not optimisations and options["baseline"] is None:
        show(_volumes(volumes, options), options["as_json"])
        return
    prices: dict[str, ModelPrice] = {} if model is not None else {GIVEN: given_price(price_input, price_output)}
    commits = None if options["repo"] is None else _commits(options)
    work = task_of(volumes, model or GIVEN) if commits is None else _per_commit(commits, volumes, model, options)
    plan = Plan(prices=prices, workloads=(work,), optimisations=optimisations, **_baseline(options))
    _print(plan, options, commits)


def _volumes(volumes: Volumes, options: dict[str, Any]) -> dict[str, Any]:
    """A month's tokens at one price, nothing else."""
    if volumes.per_call:
        raise click.UsageError("--in-per-call, --out-per-call, --reads and --writes need --calls")
    tokens = {"input": volumes.input_tokens or 0, "output": volumes.output_tokens or 0}
    if options["model"] is not None:
        return of_model(tokens, find_offer(options["model"], options["provider"], options["config_path"]))
    given: dict[str, Decimal | None] = {"input": options["price_input"], "output": options["price_output"]}
    for name, wanted in tokens.items():
        if wanted and given[name] is None:
            raise click.UsageError(f"--price-{name} is needed for --{name}-tokens")
    return bill(tokens, {name: price or Decimal(0) for name, price in given.items()})


def _baseline(options: dict[str, Any]) -> dict[str, Any]:
    """Another baseline than the plan's; what a call would cost on the plan's own is not stated of another."""
    named = options["baseline"]
    return {} if named is None else {"baseline": named, "baseline_usd_per_call": None}


def _commits(options: dict[str, Any]) -> Commits:
    until_ms = now_ms()
    try:
        since_ms = moment_ms(options["since"], until_ms)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from None
    if since_ms >= until_ms:
        raise click.BadParameter("is not in the past", param_hint="--since")
    return repository_commits(options["repo"], since_ms, until_ms)


def _per_commit(commits: Commits, volumes: Volumes, model: str | None, options: dict[str, Any]) -> Workload:
    """One call per commit, which reads its diff besides what the options say."""
    if volumes.calls is not None:
        raise click.UsageError("--repo counts the calls itself; leave out --calls")
    a_month = commits.per_month(options["days"] or DAYS)
    once = structs.replace(volumes, calls=Span(a_month, a_month), in_per_call=volumes.in_per_call or ZERO)
    work = task_of(once, model or GIVEN)
    diff = commits.tokens_each(options["tokens_per_byte"] or TOKENS_PER_BYTE) or Fraction(0)
    tokens_in = (work.tokens_in or ZERO) + Span(diff, diff)
    return structs.replace(work, task="each commit", tokens_in=tokens_in)


def _print(plan: Plan, options: dict[str, Any], commits: Commits | None = None) -> None:
    at_ms = now_ms()
    prices = Prices(plan.prices, at_ms, provider=options["provider"], config_path=options["config_path"])
    made = plan_bill(plan, prices)
    used = list(prices.used.values())
    looked_up = iso_second(at_ms) if any(one.provider for one in used) else None
    if options["as_json"]:
        document = plan_payload(made, used, prices_at=looked_up)
        print_json({**document, "commits": None if commits is None else commits_payload(commits)})
        return
    if commits is not None:
        click.echo(
            f"{commits.commits:,} commits in {count(commits.days)} days, {commits.diff_bytes:,} bytes of diffs, at "
            f"{number_text(options['tokens_per_byte'] or TOKENS_PER_BYTE)} tokens per byte.\n"
        )
    show_plan(made, used, looked_up)


def _text(path: Path) -> str:
    return sys.stdin.read() if str(path) == "-" else read_text(path)
