"""`bascule import anthropic-usage`: an organisation's usage and costs, from Anthropic's exports or its Admin API."""

import os
from collections.abc import Iterator

import click

from bascule.cli.import_.account import Report, Source, account_options, import_account
from bascule.cli.import_.fetching import Query, api, pages, secret_of
from bascule.cli.import_.options import Asked
from bascule.cli.period import iso
from bascule.offline.imports.account import ANTHROPIC
from bascule.offline.imports.anthropic_usage import parts

URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
KEYS = ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_ADMIN_API_KEY")
REPORTS = (
    (
        "/v1/organizations/usage_report/messages",
        ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo"),
    ),
    ("/v1/organizations/cost_report", ("workspace_id", "description")),
)
DAYS_A_PAGE = 31


@click.command("anthropic-usage")
@account_options
def command(source: Source, asked: Asked) -> None:
    """An Anthropic organisation's usage and costs. PATH is a file or folder of the Console's CSV or the API's pages.

    With --live they are asked for with the Admin API key in ANTHROPIC_ADMIN_KEY, by GET alone. A row is a day of one
    model, key, workspace, service tier, context window and place, at the price book's prices; what Anthropic says
    that it billed goes to rows of its own, which reports leave out.
    """

    def live(whole: Asked) -> Iterator[Report]:
        key, name = secret_of(os.environ, KEYS, "an Admin API key")
        headers = {"x-api-key": key, "anthropic-version": VERSION}
        there = api("Anthropic", source.url or URL, headers, name)
        for path, groups in REPORTS:
            yield path, pages(there, path, _query(whole, groups))

    import_account(ANTHROPIC, parts, source, asked, live)


def _query(asked: Asked, groups: tuple[str, ...]) -> Query:
    return [
        ("starting_at", iso(asked.period.since_ms) or ""),
        ("ending_at", iso(asked.period.until_ms) or ""),
        ("bucket_width", "1d"),
        ("limit", str(DAYS_A_PAGE)),
        *[("group_by[]", group) for group in groups],
    ]
