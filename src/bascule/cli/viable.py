"""`bascule viable`: the price that a deferred use case needs, the models that meet it, and the date by trend."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bascule.cli.data import read_names
from bascule.cli.market import KINDS, read_catalog
from bascule.cli.output import json_option, print_json, print_table
from bascule.cli.period import iso_day, now_ms
from bascule.cli.price_lists import current_book, optional_document
from bascule.cli.trend import fit_cells, from_option, input_share_option
from bascule.model.errors import BasculeError

if TYPE_CHECKING:
    from bascule.offline.market import Offered
    from bascule.offline.viable_document import Yardstick


def amount(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
    """An exact amount of dollars, or a share."""
    if value is None:
        return None
    try:
        found = Decimal(value.removesuffix("%"))
    except InvalidOperation:
        raise click.BadParameter(f"{value!r} is not a number") from None
    if not found.is_finite() or found < 0:
        raise click.BadParameter(f"{value!r} is not an amount")
    return found.scaleb(-2) if value.endswith("%") else found


@click.command("viable")
@click.option("--value-usd", callback=amount, required=True, metavar="USD", help="What one task is worth.")
@click.option("--volume", type=click.IntRange(min=1), required=True, metavar="N", help="Tasks a month.")
@click.option("--input-tokens", type=click.IntRange(min=0), default=None, metavar="N", help="Of one task.")
@click.option("--output-tokens", type=click.IntRange(min=0), default=None, metavar="N", help="Of one task.")
@click.option("--usd-per-task", callback=amount, default=None, metavar="USD",
              help="What a task costs today, where its tokens are not known.")  # fmt: skip
@click.option("--fixed-usd", callback=amount, default="0", show_default=True, metavar="USD",
              help="Further costs a month, whatever the volume.")  # fmt: skip
@click.option("--margin", callback=amount, default="30%", show_default=True, metavar="SHARE",
              help="Of the value, that is to be left.")  # fmt: skip
@click.option("--quality", type=float, default=None, metavar="FLOOR", help="Models count from this quality on.")
@click.option("--task", default=None, help="Quality for this task, as the configuration declares it.")
@click.option("--benchmark", default=None, metavar="NAME", help="With --from: quality is this result, e.g. swe_bench.")
@click.option("--input", "kinds", type=click.Choice(KINDS), multiple=True, help="Takes this kind of input; repeatable.")
@click.option("--only", multiple=True, metavar="MODEL", help="These can do the job, you say; repeatable.")
@click.option("--per-year", type=click.FloatRange(min=0, min_open=True), default=None, metavar="FOLD",
              help="Prices fall so many times a year, you say; default: by the fitted trends.")  # fmt: skip
@click.option(
    "--capability", type=float, default=None, metavar="X", help="As of `trend`: what the trend holds constant."
)
@from_option
@input_share_option
@click.option("-c", "--config", "config_path", type=click.Path(dir_okay=False), default=None,
              help="A bascule.yaml whose models count with the quality that it declares.")  # fmt: skip
@json_option
def command(
    value_usd: Decimal,
    volume: int,
    input_tokens: int | None,
    output_tokens: int | None,
    usd_per_task: Decimal | None,
    fixed_usd: Decimal,
    margin: Decimal,
    quality: float | None,
    task: str | None,
    benchmark: str | None,
    kinds: tuple[str, ...],
    only: tuple[str, ...],
    per_year: float | None,
    capability: float | None,
    source: Path | None,
    input_share: Decimal,
    config_path: str | None,
    as_json: bool,
) -> None:
    """Whether a use case that was too dear pays, and if not yet, when.

    From what a task is worth and how often it comes follow the price per task and per million tokens at which it
    breaks even, and at which it leaves the margin; then the models that cost no more today, and the date by which
    the trend of prices gets there, with its interval. Quality that is not known is said to be unknown.
    """
    if (usd_per_task is None) == (input_tokens is None and output_tokens is None):
        raise click.UsageError("give either --input-tokens and --output-tokens, or --usd-per-task")
    if not value_usd or margin >= 1:
        raise click.UsageError("--value-usd is above 0, --margin below 100 %")
    if benchmark is not None and source is None:
        raise click.UsageError("--benchmark reads a file's results: give the file with --from")
    if source is not None and quality is not None and benchmark is None:
        raise click.UsageError("--quality needs --benchmark to say on which result of the file")
    from bascule.offline.market import Job
    from bascule.offline.viable import UseCase, candidates, needed
    from bascule.offline.viable_document import viable_document

    at_ms = now_ms()
    use = UseCase(
        value_usd=value_usd, volume=volume, fixed_usd=fixed_usd, input_tokens=input_tokens, output_tokens=output_tokens
    )
    offers: tuple[Offered, ...] = ()
    origin = None
    if usd_per_task is None:
        offers, origin = _offers(source, benchmark, config_path, task, at_ms, input_tokens or 0)
        known = {name for one in offers for name in (one.model, f"{one.provider}/{one.model}")}
        for name in only:
            if name not in known:
                raise BasculeError(f"no model {name!r} is on sale; `bascule market --json` lists those that are")
    job = Job(quality=quality, kinds=kinds, only=only)
    shown = {
        "source": origin,
        "task": task,
        "benchmark": benchmark,
        **viable_document(
            use,
            [needed(use, Decimal(0)), *([needed(use, margin)] if margin else [])],
            candidates(use, offers, job),
            usd_per_task,
            _yardsticks(source, per_year, capability, input_share, config_path),
            at_ms,
            floor=quality,
        ),
    }
    if as_json:
        print_json(shown)
        return
    _print(shown)


def _offers(
    source: Path | None, benchmark: str | None, config_path: str | None, task: str | None, at_ms: int, input_tokens: int
) -> tuple[tuple["Offered", ...], str]:
    from bascule.offline.catalog import book_lines, configured_lines
    from bascule.offline.market import line_offers, listed_offers
    from bascule.offline.viable import at_length

    if source is not None:
        return listed_offers(read_catalog(source, benchmark).catalog, benchmark), source.name
    book = current_book(optional_document(config_path))
    snapshot = read_names(config_path)
    own = [] if snapshot is None else list(configured_lines(snapshot, at_ms, task))
    timelines = {} if snapshot is None else {
        (model.name, one.provider): one.prices for model in snapshot.models.values() for one in model.endpoints
    }  # fmt: skip
    lines = [
        *at_length(own, lambda line: timelines.get((line.model, line.provider)), at_ms, input_tokens),
        *at_length(book_lines(book, at_ms), lambda line: book.lookup(line.provider, line.model), at_ms, input_tokens),
    ]
    return line_offers(lines, iso_day(at_ms) or "")[0], book.version


def _yardsticks(
    source: Path | None, per_year: float | None, capability: float | None, share: Decimal, config_path: str | None
) -> list["Yardstick"]:
    from bascule.offline.history import dated_points
    from bascule.offline.trend import common_decline, decline, first_capability, frontier, listed, stated_decline
    from bascule.offline.trend_document import FAMILY_HOLDS
    from bascule.offline.viable_document import Yardstick
    from bascule.prices.dated import read_dated
    from bascule.prices.published import read_published

    if per_year is not None:
        return [
            Yardstick(
                f"as given, {per_year:g}x a year",
                "nothing that is known: a figure as given, without an interval",
                stated_decline(per_year),
            )
        ]
    if source is not None:
        history = read_published(source).history
        level = first_capability(history) if capability is None else capability
        steps = () if level is None else frontier(history, level, share)
        holds = "nothing is known" if level is None else f"capability {level:g} or more"
        return [Yardstick("constant capability", f"{holds}, in {source.name}", decline(steps))]
    book, dated = current_book(optional_document(config_path)), read_dated()
    points = dated_points(book, dated.measured.runs)[0]
    level = (first_capability(points) or 0.0) if capability is None else capability
    steps = frontier(points, level, share)
    fitted = decline(steps)
    series = [listed(dated_points(book, family.line)[0], share) for family in dated.families]
    return [
        Yardstick(
            "constant capability",
            f"{dated.measured.benchmark} of at least {level:g}, runs up to {steps[-1].date.text if steps else 'none'}",
            fitted,
        ),
        Yardstick("constant place in the line-up", FAMILY_HOLDS, common_decline(series)),
    ]


def _print(shown: dict[str, Any]) -> None:
    tokens = shown["input_tokens"], shown["output_tokens"]
    each = f"{tokens[0] or 0:,} input and {tokens[1] or 0:,} output tokens each" if any(tokens) else "tokens unknown"
    fixed = "" if shown["fixed_usd"] == "0" else f", beside ${money(shown['fixed_usd'])} fixed a month"
    click.echo(
        f"{shown['volume']:,} tasks a month, {each}, worth ${money(shown['value_usd'])} a task: "
        f"${money(shown['worth_usd_per_month'])} a month{fixed}.\n"
    )
    print_table(
        ("its tokens may cost", "a task", "a month", "per million tokens"),
        [
            (
                "to break even" if need["margin"] == "0" else f"to keep {Decimal(need['margin']):.0%} of the value",
                f"${money(need['usd_per_task'])}", f"${money(need['usd_per_month'])}",
                None if need["usd_per_mtok"] is None else f"${money(need['usd_per_mtok'])}",
            )
            for need in shown["needed"]
        ],
    )  # fmt: skip
    if not shown["needed"][0]["possible"]:
        click.echo("The fixed costs alone are more than it is worth: no price of tokens is low enough.")
    if shown["models"] is not None:
        _print_models(shown)
    _print_reached(shown)


def _print_models(shown: dict[str, Any]) -> None:
    models = shown["models"]
    floor = shown["quality"]
    asked = (
        ""
        if floor is None
        else f" with quality {floor:g} or more{'' if not shown['task'] else ' for ' + shown['task']}"
    )
    click.echo(
        f"\nToday ({shown['source']}): {models['meet_count']:,} of {models['adequate']:,} models{asked} break even, "
        f"{models['meet_at_margin_count']:,} keep the margin."
    )
    rows = models["meet"] or models["nearest"]
    if not models["meet"] and rows:
        click.echo("None does; the nearest:")
    if rows:
        _print_candidates(rows)
    if models["meet_count"] > len(models["meet"]) > 0:
        click.echo(f"and {models['meet_count'] - len(models['meet']):,} more")
    if floor is None:
        click.echo("No floor of quality was asked for: whether these can do the job is not known. See --quality.")
    elif models["quality_unknown"]:
        count = models["meet_with_quality_unknown_count"]
        cheapest = ", ".join([_name(one) for one in models["meet_with_quality_unknown"][:3]])
        click.echo(
            f"Of {models['quality_unknown']:,} further models the quality is unknown; {count:,} of them would cost "
            f"no more{f' (cheapest: {cheapest})' if count else ''}. Declare or measure it before counting on them."
        )


def _print_candidates(rows: list[dict[str, Any]]) -> None:
    print_table(
        ("model", "a task", "a month", "value left", "quality"),
        [
            (
                _name(one), f"${money(one['usd_per_task'])}", f"${money(one['usd_per_month'])}", f"{one['margin']:.0%}",
                "unknown" if one["quality"] is None else f"{one['quality']:g} ({one['quality_source']})",
            )
            for one in rows
        ],
    )  # fmt: skip


def _print_reached(shown: dict[str, Any]) -> None:
    price = shown["price_today_usd_per_task"]
    if price is None:
        click.echo("\nNo date: there is no adequate model with a known price to start from.")
        return
    origin = (
        "as given" if shown["price_today_from"] == "given" else f"{shown['price_today_from']}, the cheapest adequate"
    )
    click.echo(f"\nWhen, from ${money(price)} a task today ({origin})")
    rows = []
    for one in shown["reached"]:
        goal = "break even" if one["margin"] == "0" else f"keep {Decimal(one['margin']):.0%}"
        when = {"today": "met today", "never": f"never: {one['why']}", "unknown": f"unknown: {one['why']}"}
        span = None if one["earliest"] is None or one["verdict"] == "today" else (
            f"{one['earliest']} to {one['latest'] or 'never'}"
        )  # fmt: skip
        rows.append((one["trend"], goal, when.get(one["verdict"], one["date"]), span))
    print_table(("trend", "goal", "when", "95 % interval"), rows)
    click.echo("")
    print_table(
        ("decline", "a year", "95 % interval", "halves in", "95 % interval", "R²", "points", "months"),
        [fit_cells(one["trend"], one["fit"]) for one in shown["trends"]],
        optional=("months", "R²"),
    )
    for one in shown["trends"]:
        click.echo(f"- {one['trend']}: {one['fit']['held_constant']}.")


def _name(one: dict[str, Any]) -> str:
    return one["model"] if one["provider"] is None else f"{one['provider']}/{one['model']}"


def money(text: str) -> str:
    """Decimal dollars with cents, or as many places as the figure needs; never more than nine."""
    usd = Decimal(text)
    size = abs(usd)
    places = 2 if size >= 1 or not size else 4 if size >= Decimal("0.01") else 6 if size >= Decimal("0.0001") else 9
    return f"{usd:,.{places}f}"
