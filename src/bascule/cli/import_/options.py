"""Options that every source takes, as one argument `asked`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import click
from msgspec import Struct

from bascule.cli.output import config_option, json_option
from bascule.cli.period import Period, period_options
from bascule.offline.imports.booking import Attribution

F = TypeVar("F", bound=Callable[..., Any])


class Asked(Struct, frozen=True, kw_only=True):
    config_path: str | None
    period: Period
    attribution: Attribution
    dry_run: bool
    as_json: bool


def import_options(function: F) -> F:
    """Gives the command what every import takes as one argument `asked`."""

    @wraps(function)
    def command(
        *args: Any,
        config_path: str | None,
        period: Period,
        user: str | None,
        team: str | None,
        org: str | None,
        project: str | None,
        tags: tuple[str, ...],
        dry_run: bool,
        as_json: bool,
        **kwargs: Any,
    ) -> Any:
        who = Attribution(user=user, team=team, org=org, project=project, tags=_tags(tags))
        asked = Asked(config_path=config_path, period=period, attribution=who, dry_run=dry_run, as_json=as_json)
        return function(*args, asked=asked, **kwargs)

    made: Any = period_options(command)
    for option in (
        json_option,
        click.option("--dry-run", is_flag=True, help="Read and count, and write nothing."),
        click.option("--tag", "tags", multiple=True, metavar="K=V", help="On every row; repeatable."),
        click.option("--project", default=None, help="Of every row, instead of what the rows say themselves."),
        click.option("--org", default=None, help="Of every row that names none."),
        click.option("--team", default=None, help="Of every row that names none."),
        click.option("--user", default=None, help="Of every row that names none: logs do not say whose they are."),
        config_option,
    ):
        made = option(made)
    return cast(F, made)


def _tags(pairs: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{pair!r} is not K=V", param_hint="--tag")
        found[name.strip()] = value
    return found
