"""The options of `bascule estimate`, in groups."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bascule.cli.numbers import change_of_text, number_between, price_of_text, span_of_text
from bascule.offline.background import TOKENS_PER_BYTE
from bascule.offline.estimate import ASSUMED_OUTPUT_TOKENS
from bascule.offline.optimisation import KINDS
from bascule.offline.quantity import number_text
from bascule.offline.workloads import CONTENT

TOKENS = click.IntRange(min=0)
FILE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)

VOLUMES = (
    click.option("--input-tokens", type=TOKENS, default=None, metavar="N", help="A month."),
    click.option("--output-tokens", type=TOKENS, default=None, metavar="N", help="A month."),
    click.option("--calls", callback=span_of_text, metavar="N", help="A month, instead of tokens a month."),
    click.option("--in-per-call", callback=span_of_text, metavar="N", help="Input tokens of a call."),
    click.option("--out-per-call", callback=span_of_text, metavar="N", help="Output tokens of a call."),
    click.option("--reads", multiple=True, metavar="TYPE[=N]", help=f"What a call reads: {', '.join(CONTENT)}."),
    click.option("--writes", multiple=True, metavar="TYPE[=N]", help="What a call writes, likewise."),
    click.option("--content-types", is_flag=True, help="List the content types and their tokens."),
)
PRICES = (
    click.option("--model", default=None, help="At this model's price; with a JSONL, instead of the requests' own."),
    click.option("--price-input", callback=price_of_text, metavar="USD", help="USD per million input tokens."),
    click.option("--price-output", callback=price_of_text, metavar="USD", help="USD per million output tokens."),
)
FILES = (
    click.option(
        "--from", "source", type=FILE, metavar="F",
        help="A plan in YAML (several tasks, content, optimisations, pipelines, agents), or JSON Lines of OpenAI or "
        "Anthropic requests, or of OpenAI's batch format; - is standard input.",
    ),
    click.option(
        "--answer-tokens", type=click.IntRange(min=1), default=None, metavar="N",
        help=f"With a JSONL: how long an answer is taken to be (default {ASSUMED_OUTPUT_TOKENS}).",
    ),
)  # fmt: skip
SAVINGS = (
    click.option("--baseline", default=None, metavar="MODEL", help="Compare with the same tokens on this model."),
    click.option(
        "--optimise", multiple=True, metavar="KIND=SHARE",
        help=f"Repeatable. KIND is one of {', '.join(KINDS)}; routing=SHARE:MODEL. SHARE is of calls, with "
        "prompt_cache of the input tokens read from the cache.",
    ),
    click.option(
        "--saves", multiple=True, metavar="KIND=SHARE", help="A saving of the bill as somebody states it; repeatable."
    ),
)  # fmt: skip
AGENTS = (
    click.option("--agents", "agents_file", type=FILE, metavar="F", help="Background agents in YAML."),
    click.option("--per-day", callback=span_of_text, metavar="N", help="Checks a day of one background agent."),
    click.option("--usd-per-check", callback=span_of_text, metavar="USD", help="What one of them costs."),
    click.option("--days", callback=number_between(1, 366), metavar="N", help="Days of a month (default 30)."),
    click.option(
        "--repo", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
        help="One call per commit of this git repository: its real rate and the size of its diffs.",
    ),
    click.option("--since", default="90d", show_default=True, metavar="WHEN", help="With --repo: the window counted."),
    click.option(
        "--tokens-per-byte", callback=number_between(0, 10, above=True), metavar="N",
        help=f"With --repo: how many tokens a byte of a diff makes (default {number_text(TOKENS_PER_BYTE)}).",
    ),
)  # fmt: skip
CHANGES = (
    click.option(
        "--volume-growth", callback=change_of_text, metavar="CHANGE",
        help="The bill as a multiple of today's, if use grows so: 1000%, 5x, or 5x..30x.",
    ),
    click.option("--price-change", callback=change_of_text, metavar="CHANGE", help="… and prices change so: -50%."),
)  # fmt: skip


def estimate_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((*VOLUMES, *PRICES, *FILES, *SAVINGS, *AGENTS, *CHANGES)):
        function = option(function)
    return function
