"""Options that `eval` and `switch-check` share, and what they mean."""

from decimal import Decimal, InvalidOperation

import click

from bascule.model.money import nanousd_from_usd

DEFAULT_MAX_USD = "5"

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
