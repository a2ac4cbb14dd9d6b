"""Outcomes of real models on prompts: `<set>_prompts.parquet` and `<set>_responses.parquet` in a folder."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bascule.model.errors import BasculeError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PROMPTS, RESPONSES = "_prompts.parquet", "_responses.parquet"
NO_ANSWER = -1
"""In `answers`: nothing that could be compared with another model's answer."""


class BadOutcomes(BasculeError):
    """A set cannot be used; the message says where and what to do."""


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What a router may look at: never a quality, and of answers only those of models that it has called."""

    name: str
    prompt_ids: tuple[str, ...]
    prompts: tuple[str, ...]
    labels: tuple[str, ...]
    """The column `dataset`: what kind of task this is."""
    models: tuple[str, ...]
    answers: Ints
    """(prompts, models): equal numbers in a row are equal answers; `NO_ANSWER` equals nothing."""

    def __len__(self) -> int:
        return len(self.prompts)

    def only(self, rows: Ints) -> "Questions":
        return Questions(
            name=self.name,
            prompt_ids=tuple([self.prompt_ids[row] for row in rows]),
            prompts=tuple([self.prompts[row] for row in rows]),
            labels=tuple([self.labels[row] for row in rows]),
            models=self.models,
            answers=self.answers[rows],
        )


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Questions with what came of asking every model: quality 0 to 1 and cost in USD, both (prompts, models)."""

    questions: Questions
    quality: Floats
    cost_usd: Floats

    def only(self, rows: Ints) -> "Outcomes":
        return Outcomes(questions=self.questions.only(rows), quality=self.quality[rows], cost_usd=self.cost_usd[rows])


def marks(prompts: tuple[str, ...]) -> NDArray[np.uint64]:
    """A number per text, by which a model file knows what it was trained on without holding it."""
    digests = [hashlib.blake2b(prompt.encode("utf-8", "surrogatepass"), digest_size=8).digest() for prompt in prompts]
    return np.frombuffer(b"".join(digests), np.uint64)


def read(folder: Path, name: str) -> Outcomes:
    """The set `name` in `folder`, or in its subfolder `dev`. Raises BadOutcomes."""
    place = next((each for each in (folder, folder / "dev") if (each / f"{name}{PROMPTS}").is_file()), None)
    if place is None:
        raise BadOutcomes(f"{folder} has no {name}{PROMPTS}, nor has {folder / 'dev'}; sets there: {_sets(folder)}")
    prompts = _columns(place / f"{name}{PROMPTS}", ("prompt_id", "prompt", "dataset"))
    responses = _columns(place / f"{name}{RESPONSES}", ("prompt_id", "model", "quality", "cost_usd", "answer"))
    row_of = {prompt_id: row for row, prompt_id in enumerate(prompts["prompt_id"])}
    models = tuple(sorted(set(responses["model"])))
    column_of = {model: column for column, model in enumerate(models)}
    quality = np.full((len(row_of), len(models)), np.nan)
    cost_usd = np.full_like(quality, np.nan)
    answers = np.full(quality.shape, NO_ANSWER, dtype=np.int64)
    known: dict[tuple[int, str], int] = {}
    for prompt_id, model, right, usd, answer in zip(*responses.values(), strict=True):
        row, column = row_of.get(prompt_id), column_of[model]
        if row is None:
            raise BadOutcomes(f"{name}: a response names prompt {prompt_id!r}, which {name}{PROMPTS} has not")
        quality[row, column], cost_usd[row, column] = right, usd
        if answer:
            answers[row, column] = known.setdefault((row, answer), len(known))
    _check(name, prompts["prompt_id"], models, quality, cost_usd)
    questions = Questions(
        name=name,
        prompt_ids=tuple(prompts["prompt_id"]),
        prompts=tuple(prompts["prompt"]),
        labels=tuple(prompts["dataset"]),
        models=models,
        answers=answers,
    )
    return Outcomes(questions=questions, quality=quality, cost_usd=cost_usd)


def _check(name: str, prompt_ids: list[str], models: tuple[str, ...], quality: Floats, cost_usd: Floats) -> None:
    for what, table in (("quality", quality), ("cost_usd", cost_usd)):
        bad = np.argwhere(~np.isfinite(table) | (table < 0))
        if len(bad):
            row, column = bad[0]
            raise BadOutcomes(
                f"{name}: prompt {prompt_ids[row]!r} has no {what} of {models[column]} (and {len(bad) - 1} more like"
                " it); every model must have answered every prompt, so leave out the model or the prompt"
            )


def _columns(path: Path, wanted: tuple[str, ...]) -> dict[str, list[Any]]:
    try:
        import duckdb
    except ImportError:
        raise BadOutcomes("reading Parquet needs DuckDB; pip install 'bascule[analytics]'") from None
    try:
        # No extension is fetched or loaded: what is read is a file of this machine.
        connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
        table = connection.execute(f"SELECT {', '.join(wanted)} FROM read_parquet(?)", [str(path)])  # noqa: S608
        return dict(zip(wanted, map(list, zip(*table.fetchall(), strict=True)), strict=True))
    except duckdb.Error as error:
        raise BadOutcomes(f"{path}: {str(error).splitlines()[0]}; it needs the columns {', '.join(wanted)}") from None


def _sets(folder: Path) -> str:
    found = {path.name.removesuffix(PROMPTS) for path in [*folder.glob(f"*{PROMPTS}"), *folder.glob(f"dev/*{PROMPTS}")]}
    return ", ".join(sorted(found)) or "none"
