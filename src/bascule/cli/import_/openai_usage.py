"""`bascule import openai-usage`: an organisation's usage and costs, from OpenAI's exports or its admin API."""

import os
from collections.abc import Iterator

import click

from bascule.cli.import_.account import Report, Source, account_options, import_account
from bascule.cli.import_.fetching import Query, api, pages, secret_of
from bascule.cli.import_.options import Asked
from bascule.offline.imports.account import OPENAI
from bascule.offline.imports.openai_usage import parts

URL = "https://api.openai.com/v1"
KEYS = ("OPENAI_ADMIN_KEY",)
_USAGE = ("project_id", "user_id", "api_key_id", "model")
REPORTS = (
    ("/organization/usage/completions", (*_USAGE, "batch", "service_tier"), 31),
    ("/organization/usage/embeddings", _USAGE, 31),
    ("/organization/costs", ("project_id", "line_item"), 180),
)
"""Path, what to split by, and how many days a page may have."""


@click.command("openai-usage")
@account_options
def command(source: Source, asked: Asked) -> None:
    """An OpenAI organisation's usage and costs. PATH is a file or folder of the dashboard's CSV or the API's pages.

    With --live they are asked for with the admin key in OPENAI_ADMIN_KEY, by GET alone. A row is a day of one model,
    key, project, user and service tier, at the price book's prices; what OpenAI says that it billed goes to rows of
    its own, which reports leave out.
    """

    def live(whole: Asked) -> Iterator[Report]:
        key, name = secret_of(os.environ, KEYS, "an admin key of the organisation")
        there = api("OpenAI", source.url or URL, {"authorization": f"Bearer {key}"}, name)
        for path, groups, limit in REPORTS:
            yield path, pages(there, path, _query(whole, groups, limit))

    import_account(OPENAI, parts, source, asked, live)


def _query(asked: Asked, groups: tuple[str, ...], limit: int) -> Query:
    since_ms, until_ms = asked.period.since_ms or 0, asked.period.until_ms or 0
    return [
        ("start_time", str(since_ms // 1000)),
        ("end_time", str(until_ms // 1000)),
        ("bucket_width", "1d"),
        ("limit", str(limit)),
        *[("group_by[]", group) for group in groups],
    ]
