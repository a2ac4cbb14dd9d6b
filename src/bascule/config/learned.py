"""What a route says of the router that was learned for it. docs/routing.md."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, field

from bascule.config.places import Path
from bascule.config.scalars import Name
from bascule.config.section import Section
from bascule.config.suggest import remedy

Mistake = tuple[Path, str, str]
"""Where, what, and the remedy."""


class LearnedConfig(Section, frozen=True, kw_only=True):
    """A file of `bascule router train` orders the candidates, prompt by prompt."""

    file: Annotated[str, Meta(min_length=1)]
    """The model file; relative to this one's folder. It is read at start and with each reload."""
    trained_set: Name = field(name="set")
    """Which of the file's sets."""
    names: dict[Name, Name] = field(default_factory=dict)
    """Candidates whose name in the set is another: `candidate: name in the set`."""
    percent_of_best: Literal["95", "98", "100"] = "98"
    """How much of the best model's quality is wanted: the price of quality that training fixed for it is used."""


def learned_mistakes(name: str, learned: LearnedConfig | None, candidates: tuple[str, ...]) -> Iterator[Mistake]:
    """What is wrong with it as far as the file alone can tell."""
    if learned is None:
        return
    for candidate in learned.names:
        if candidate not in candidates:
            path: Path = ("routes", name, "learned", "names", candidate)
            yield path, f"`{candidate}` is no candidate of the route", remedy(candidate, candidates, "candidate")
