"""`bascule trend`: how fast prices decline at stated capability, with its interval, and what published figures give."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click
import orjson

from bascule.cli.output import json_option, print_json, print_table, write_text
from bascule.cli.period import now_ms
from bascule.model.errors import BasculeError

CHANGES_SHOWN = 8
TELLING = 10_000
"""An interval whose ends differ by more than so many times is not printed; --json has it."""


def input_share(ctx: click.Context, param: click.Parameter, value: str) -> Decimal:
    try:
        share = Decimal(value)
    except InvalidOperation:
        raise click.BadParameter(f"{value!r} is not a number") from None
    if not 0 <= share <= 1:
        raise click.BadParameter("the share lies between 0 (output alone) and 1 (input alone)")
    return share


input_share_option = click.option(
    "--input-share",
    default="0.75",
    show_default=True,
    callback=input_share,
    metavar="SHARE",
    help="Input tokens per token of both, by which input and output prices are blended.",
)
from_option = click.option(
    "--from",
    "source",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="A YAML file of published prices instead of the price book.",
)


@click.command("trend")
@from_option
@click.option("--capability", type=float, default=None, metavar="X",
              help="Hold this constant: models at or above it, on the scale of the data. Default: that of the best "
                   "model of the first date.")  # fmt: skip
@input_share_option
@click.option("--chart", "chart_path", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default=None,
              metavar="FILE", help="Write the chart there, as a Vega-Lite specification; - prints it.")  # fmt: skip
@json_option
def command(
    source: Path | None, capability: float | None, input_share: Decimal, chart_path: Path | None, as_json: bool
) -> None:
    """How fast prices decline a year, with a 95 % interval and what was held constant.

    A line is fitted through the logarithms of prices over time: of the cheapest model at or above a capability on
    each date, and apart from that of the models as they are listed. With --from also the file's own claims, each
    worked out from its own dates and prices, beside what was published.
    """
    from bascule.cli.price_lists import current_book, optional_document
    from bascule.offline.trend_document import book_document, chart, file_document
    from bascule.prices.dated import read_dated
    from bascule.prices.published import read_published

    if source is not None:
        published = read_published(source)
        if not published.history and not published.claims:
            raise BasculeError(f"{source} has neither price_history nor trends; see docs/trend.md for the layout")
        shown = file_document(published, capability, input_share)
    else:
        shown = book_document(current_book(optional_document(None)), read_dated(), capability, input_share, now_ms())
    if chart_path is not None:
        text = orjson.dumps(chart(shown, f"Prices: {shown['source']}"), option=orjson.OPT_INDENT_2).decode() + "\n"
        if str(chart_path) == "-":
            click.echo(text, nl=False)
            return
        write_text(chart_path, text)
    if as_json:
        print_json(shown)
        return
    _print(shown)


def _print(shown: dict[str, Any]) -> None:
    share = Decimal(shown["input_share"])
    blend = f"blended from {share:.0%} input and {1 - share:.0%} output"
    click.echo(f"{shown['source']}: US dollars per million tokens, {blend}.\n")
    if shown["history"] is not None:
        _print_history(shown["history"])
    _print_fits(shown)
    if shown.get("changes") is not None:
        _print_changes(shown["changes"], set(shown["makers"]))
        click.echo("\nWhat this book lacks:")
        for lack in shown["lacks"]:
            click.echo(f"- {lack}")
    if shown.get("claims"):
        _print_claims(shown["claims"])
    if shown.get("published_rates"):
        _print_rates(shown["published_rates"])


def _print_history(history: dict[str, Any]) -> None:
    cheapest = {step["date"]: step for step in history["frontier"]["steps"]}
    level = history["capability"]
    columns = ["date", "model", "in", "out", "blended"]
    if level is not None:
        columns += [history["name"] if history["unit"] else "capability", f"cheapest at {level:g}+", "its price"]
    rows = []
    for model in history["models"]:
        row = [model["date"], model["model"], model["input_usd_per_mtok"], model["output_usd_per_mtok"]]
        row.append(figure(float(model["blended_usd_per_mtok"])))
        if level is not None:
            step = cheapest.get(model["date"])
            row += [
                None if model["capability"] is None else f"{model['capability']:g}",
                step and step["model"],
                step and figure(float(step["usd_per_mtok"])),
            ]
        rows.append(row)
    print_table(columns, rows, optional=("in", "out"))
    if history["without_capability"]:
        click.echo(f"Capability not given, so never adequate: {', '.join(history['without_capability'])}.")
    if history.get("source"):
        click.echo(f"Measured by: {history['source']}.")


def _print_fits(shown: dict[str, Any]) -> None:
    rows = []
    history = shown["history"]
    if history is not None:
        rows.append(("constant capability", history["frontier"]["fit"]))
        rows.append(("models as listed", history["listed"]["fit"]))
    rows += [(family["family"], family["fit"]) for family in shown.get("families", ())]
    if shown.get("families_together"):
        rows.append(("all these families", shown["families_together"]))
    if not rows:
        return
    click.echo("")
    print_table(
        ("decline", "a year", "95 % interval", "halves in", "95 % interval", "R²", "points", "months"),
        [fit_cells(name, fit) for name, fit in rows],
        optional=("months", "R²"),
    )
    for name, fit in rows:
        if fit["why_not"]:
            click.echo(f"{name}: {fit['why_not']}.")
    click.echo("\nHeld constant")
    for held in dict.fromkeys([fit["held_constant"] for _, fit in rows]):
        names = [name for name, fit in rows if fit["held_constant"] == held]
        click.echo(f"- {', '.join(names) if len(names) < 3 else 'each family'}: {held}.")
    for warning in history["frontier"]["warnings"] if history is not None else ():
        click.echo(f"- constant capability: {warning}.")


def fit_cells(name: str, fit: dict[str, Any]) -> list[Any]:
    """One line of the table of fits."""
    if fit["why_not"]:
        return [name, None, None, None, None, None, fit["points"], fit["span_months"]]
    halving = fit["halving_months"]
    if fit["points"] is None:
        return [name, fold(fit["fold_per_year"]), None, "never" if halving is None else f"{months(halving)} months",
                None, None, None, None]  # fmt: skip
    slowest = fit["halving_months_high"]
    fastest = fit["halving_months_low"]
    span = "never" if fastest is None else f"{months(fastest)} to {'never' if slowest is None else months(slowest)}"
    return [
        name,
        fold(fit["fold_per_year"]),
        _interval(fit["fold_per_year_low"], fit["fold_per_year_high"]),
        "never" if halving is None else f"{months(halving)} months",
        span,
        None if fit["r2"] is None else f"{fit['r2']:.2f}",
        fit["points"],
        fit["span_months"],
    ]


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None or high > low * TELLING:
        return "too wide to tell"
    return f"{fold(low)} to {fold(high)}"


def _print_claims(claims: list[dict[str, Any]]) -> None:
    click.echo("\nPublished, and what its own inputs give")
    for claim in claims:
        if claim["published"] is None and claim["not_computed"]:
            continue  # the rates of others: they stand below
        click.echo(f"\n{claim['what']}\n  published  {claim['published'] or '-'}\n  computed   {_computed(claim)}")
        for difference in claim["differences"]:
            click.echo(f"  differs    {difference}")
        if claim["note"]:
            click.echo(f"  its note   {claim['note']}")


def _computed(claim: dict[str, Any]) -> str:
    computed = claim["computed"]
    if claim["not_computed"]:
        return f"nothing: {claim['not_computed']}"
    if "input_fold" in computed:
        sides = [f"{key[:-5]} {fold(computed[key])}" for key in ("input_fold", "output_fold") if key in computed]
        return ", ".join(sides)
    said = fold(computed["fold"])
    if computed["months"] is not None:
        said += f" over {computed['months']:g} months"
        if computed["months_low"] is not None:
            said += f" (between {computed['months_low']:g} and {computed['months_high']:g}: it names years alone)"
    if computed["per_year"] is not None:
        said += f", {fold(computed['per_year'])} a year"
        if computed["per_year_low"] is not None:
            said += f" (between {fold(computed['per_year_low'])} and {fold(computed['per_year_high'])})"
    return said


def _print_rates(rates: list[dict[str, Any]]) -> None:
    click.echo("\nYearly declines that others published, beside the interval at constant capability")
    words = {True: "within it", False: "outside it", None: "no interval to compare with"}
    for rate in rates:
        span = " to ".join([fold(one) for one in rate["fold_per_year"]])
        click.echo(f"- {rate['by']}: {span}, {words[rate['within_interval']]}")


def _print_changes(changes: dict[str, Any], makers: set[str]) -> None:
    median = changes["median_fall_fold"]
    click.echo(
        f"\nPrice changes that the book dates: {changes['models_changed']} of {changes['models']} priced models, "
        f"{changes['falls']} falls{'' if median is None else f' (median {fold(median)})'} and "
        f"{changes['rises']} rises. The latest of makers:"
    )
    latest = [one for one in changes["lines"] if one["provider"] in makers][-CHANGES_SHOWN:]
    print_table(
        ("date", "provider", "model", "in", "out", "cheaper by"),
        [
            (
                one["date"],
                one["provider"],
                one["model"],
                f"{one['input_before_usd_per_mtok']} > {one['input_after_usd_per_mtok']}",
                f"{one['output_before_usd_per_mtok']} > {one['output_after_usd_per_mtok']}",
                fold(one["fold"]),
            )
            for one in latest
        ],
    )


def fold(value: float | None) -> str:
    """`10.5x`, `285.7x`, `1,000x`; small ones with two places."""
    if value is None:
        return "no bound"
    if value >= 1e6:
        return f"{value:.1e}x"
    if value < 0.01:
        return f"{value:.1e}x"
    text = f"{value:,.1f}".removesuffix(".0") if value >= 9.95 else f"{value:.2f}".removesuffix(".00")
    return f"{text}x"


def months(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def figure(usd: float) -> str:
    """Dollars for a table, with three significant digits below ten."""
    return f"{usd:,.2f}" if usd >= 10 else f"{usd:.3f}" if usd >= 0.1 else f"{usd:.4f}"
