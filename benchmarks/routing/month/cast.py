"""Who plays whom: real outcomes of the models of 2024 under today's names of the same rank, at today's prices.

Outcomes of today's models on today's prompts are not public with their answers; those of 2024 are. What matters to
routing is how models differ on the same prompt, and what they cost beside each other. So each model of the day is given
the answers of one of the old sets' models of like rank, with its token counts, and the shipped price book's price of
the day. An agent's session is given a real programming question (what does this code print?): a model solves the
session where it answered that question right. This is an assumption, and the page says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from bascule.decide.price import price_with, rates_for
from bascule.learned import outcomes
from bascule.learned.outcomes import Floats, Ints, Outcomes, Questions
from bascule.learned.predictor import folds
from bascule.model.money import Rates
from bascule.model.usage import Usage
from bascule.prices.book import PriceBook

PREMIUM = "claude-opus-4-5"
PROVIDERS = {
    "claude-opus-4-5": "anthropic",
    "claude-haiku-4-5": "anthropic",
    "gpt-5.1": "openai",
    "gpt-5-mini": "openai",
    "gemini-2.5-flash-lite": "google",
    "deepseek-chat": "deepseek",
    "kimi-k2": "moonshotai",
}
PLAYS: dict[str, dict[str, str]] = {
    "zeroeval": {
        "claude-opus-4-5": "claude-3-5-sonnet-20241022",
        "gpt-5.1": "gpt-4o-2024-08-06",
        "claude-haiku-4-5": "claude-3-5-haiku-20241022",
        "gpt-5-mini": "gpt-4o-mini-2024-07-18",
        "gemini-2.5-flash-lite": "gemini-1.5-flash",
        "deepseek-chat": "deepseek-v2.5-0908",
    },
    "mmlupro": {
        "claude-opus-4-5": "gemini-1.5-pro-002",
        "gpt-5-mini": "Meta-Llama-3_1-70B-Instruct",
        "gemini-2.5-flash-lite": "gemini-1.5-flash-002",
        "deepseek-chat": "DeepSeek-Coder-V2",
    },
}
AGENT_MODELS = ("claude-opus-4-5", "gpt-5.1", "claude-haiku-4-5", "gpt-5-mini")
AGENT_LABEL = "zeroeval/crux"


@dataclass(frozen=True)
class Played:
    """A set under today's names: everything (prompts, models), cost in nano-USD."""

    models: tuple[str, ...]
    labels: tuple[str, ...]
    quality: Floats
    nanousd: Ints
    outcomes: Outcomes

    def column(self, model: str) -> int:
        return self.models.index(model)


@dataclass(frozen=True)
class Cast:
    products: dict[str, Played]
    """What the month's requests are drawn from, by product."""
    history: dict[str, Played]
    """Other prompts of the same kinds, for tables and for training."""
    agents: Played
    """Programming questions; their costs are not used."""
    rates: Mapping[str, Rates]
    at_ms: int


def rates_of(at_ms: int) -> dict[str, Rates]:
    """Today's list prices, from the shipped book. Raises LookupError where it has none."""
    book, found = PriceBook(), {}
    for model, provider in PROVIDERS.items():
        timeline = book.lookup(provider, model)
        rates = None if timeline is None else rates_for(timeline, at_ms, input_tokens=10_000)
        if rates is None:
            raise LookupError(f"the price book has no price of {model} at {provider} then")
        found[model] = rates
    return found


def cast(folder: Path, at_ms: int, seed: int) -> Cast:
    """Half of each set's prompts is history, half is the month's. Raises BadOutcomes."""
    rates = rates_of(at_ms)
    products: dict[str, Played] = {}
    history: dict[str, Played] = {}
    for product, name in (("assistant", "zeroeval"), ("questions", "mmlupro")):
        found = outcomes.read(folder, name)
        tokens = _tokens(folder, name, found.questions)
        half = folds(found.questions.prompts, 2, seed)
        for into, number in ((history, 0), (products, 1)):
            rows = np.flatnonzero(half == number)
            into[product] = _played(found.only(rows), tokens[0][rows], tokens[1][rows], PLAYS[name], rates)
    assistant = products["assistant"]
    rows = np.array([at for at, label in enumerate(assistant.labels) if label == AGENT_LABEL])
    columns = [assistant.column(model) for model in AGENT_MODELS]
    picked = assistant.outcomes.only(rows)
    agents = Played(
        AGENT_MODELS,
        tuple(["agent"] * len(rows)),
        assistant.quality[rows][:, columns],
        assistant.nanousd[rows][:, columns],
        picked,
    )
    return Cast(products, history, agents, rates, at_ms)


def _tokens(folder: Path, name: str, asked: Questions) -> tuple[Ints, Ints]:
    """Tokens in and out, (prompts, models) each, in the order of `asked`."""
    place = next(each for each in (folder, folder / "dev") if (each / f"{name}{outcomes.RESPONSES}").is_file())
    found = duckdb.connect().execute(
        "SELECT prompt_id, model, input_tokens, output_tokens FROM read_parquet(?)",
        [str(place / f"{name}{outcomes.RESPONSES}")],
    )
    rows = {prompt_id: row for row, prompt_id in enumerate(asked.prompt_ids)}
    columns = {model: column for column, model in enumerate(asked.models)}
    tokens = np.zeros((2, len(rows), len(columns)), np.int64)
    for prompt_id, model, tokens_in, tokens_out in found.fetchall():
        tokens[:, rows[prompt_id], columns[model]] = tokens_in, tokens_out
    return tokens[0], tokens[1]


def _played(
    found: Outcomes, tokens_in: Ints, tokens_out: Ints, plays: Mapping[str, str], rates: Mapping[str, Rates]
) -> Played:
    models = tuple(plays)
    columns = [found.questions.models.index(plays[model]) for model in models]
    nanousd = np.zeros((len(found.questions), len(models)), np.int64)
    for place, (model, column) in enumerate(zip(models, columns, strict=True)):
        for row in range(len(nanousd)):
            usage = Usage(
                tokens_in=int(tokens_in[row, column]), tokens_out=int(tokens_out[row, column]), source="reported"
            )
            cost = price_with(usage, rates[model])
            if cost is None:
                raise LookupError(f"an answer of {model} cannot be priced")
            nanousd[row, place] = cost
    asked = found.questions
    renamed = Outcomes(
        questions=Questions(
            name=asked.name,
            prompt_ids=asked.prompt_ids,
            prompts=asked.prompts,
            labels=asked.labels,
            models=models,
            answers=asked.answers[:, columns],
        ),
        quality=found.quality[:, columns],
        cost_usd=nanousd / 1e9,
    )
    return Played(models, asked.labels, renamed.quality, nanousd, renamed)
