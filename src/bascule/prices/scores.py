"""Published benchmark scores of models, with their sources and days: the weakest kind of evidence.

They are of other people's questions. `decide.evidence.fold` lets one count as a few observations at most, fewer with
every year.
"""

from datetime import UTC, date, datetime, time
from importlib.resources import files

import msgspec
from msgspec import Struct
from ruamel.yaml import YAML

from bascule.decide.evidence.finding import Finding, Subject


class Score(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    model: str
    """As providers name that snapshot."""
    passed: int
    cases: int
    date: date
    effort: str | None = None
    """How it was asked to think."""


class ScoreSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    what: str
    task: str
    url: str
    licence: str
    read: date
    scores: tuple[Score, ...]


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    sources: dict[str, ScoreSource]


def published_scores() -> dict[str, ScoreSource]:
    """The shipped table, by the name of each source."""
    text = files("bascule.prices").joinpath("scores.yaml").read_text(encoding="utf-8")
    return msgspec.convert(YAML(typ="safe", pure=True).load(text), _File).sources


def public_findings(models: dict[str, tuple[str, ...]], table: dict[str, ScoreSource]) -> list[Finding]:
    """What is published of these models: each by its name here, with the names that its providers know it by.

    A name without a provider's prefix (`openai/gpt-4.1`) is compared whole and whatever its case: a score of one
    snapshot is none of another.
    """
    named: dict[str, list[str]] = {}
    for model, upstream in models.items():
        for name in {one.rpartition("/")[2].casefold() for one in upstream}:
            named.setdefault(name, []).append(model)
    return [
        Finding(
            subject=Subject(model=model, task=source.task),
            source="public",
            mean=score.passed / score.cases,
            weight=float(score.cases),
            at_ms=round(datetime.combine(score.date, time(), UTC).timestamp() * 1000),
        )
        for source in table.values()
        for score in source.scores
        for model in named.get(score.model.casefold(), ())
    ]
