"""`bascule import openrouter-usage`: an account's activity, from OpenRouter's export or its API."""

import os
from collections.abc import Iterator

import click

from bascule.cli.import_.account import Report, Source, account_options, import_account
from bascule.cli.import_.fetching import api, pages, secret_of
from bascule.cli.import_.options import Asked
from bascule.offline.imports.account import OPENROUTER
from bascule.offline.imports.openrouter_usage import parts

URL = "https://openrouter.ai/api/v1"
KEYS = ("OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_PROVISIONING_KEY")


@click.command("openrouter-usage")
@account_options
def command(source: Source, asked: Asked) -> None:
    """An OpenRouter account's activity. PATH is a file or folder of its CSV of generations, or of the API's answers.

    With --live the last 30 days that are over are asked for with the management key in OPENROUTER_MANAGEMENT_KEY. A
    row is a day of one endpoint, or in the CSV one generation, at the price book's prices; what OpenRouter charged is
    kept beside.
    """

    def live(_: Asked) -> Iterator[Report]:
        key, name = secret_of(os.environ, KEYS, "a management key")
        there = api("OpenRouter", source.url or URL, {"authorization": f"Bearer {key}"}, name)
        yield "/activity", pages(there, "/activity", [])

    import_account(OPENROUTER, parts, source, asked, live)
