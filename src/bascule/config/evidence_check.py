"""Mistakes in what a route says of its challengers, as far as the file alone can tell."""

from collections.abc import Iterator

from msgspec import Struct

from bascule.config.evidence import LiveGrader
from bascule.config.places import Path
from bascule.config.shape import Route
from bascule.config.suggest import remedy
from bascule.decide.grade import Regex, prepare
from bascule.decide.json_schema import GraderError


class EvidenceMistake(Struct, frozen=True):
    path: Path
    what: str
    remedy: str


def evidence_mistakes(name: str, route: Route) -> Iterator[EvidenceMistake]:
    """Everything that is wrong with a route's challengers by themselves."""
    asked = route.evidence
    if asked is None:
        return
    place: Path = ("routes", name, "evidence")
    named: list[tuple[Path, str]] = [((*place, "incumbent"), asked.incumbent)]
    named += [((*place, "challengers", at), model) for at, model in enumerate(asked.challengers)]
    for path, model in named:
        if model not in route.candidates:
            mend = remedy(model, route.candidates, "candidate")
            yield EvidenceMistake(path, f"`{model}` is no candidate of the route", mend)
    for at, model in enumerate(asked.challengers):
        if model == asked.incumbent or model in asked.challengers[:at]:
            yield EvidenceMistake((*place, "challengers", at), f"`{model}` is named twice", "Name each model once")
    if route.strategy != "single":
        mend = "Remove one of the two: what is compared is one model's answer with another's"
        yield EvidenceMistake(place, "there is a strategy besides", mend)
    if asked.holdout + asked.canary_share >= 1:
        mend = "Make holdout and canary_share smaller: together they are less than 1"
        yield EvidenceMistake((*place, "holdout"), "nothing is left for the incumbent", mend)
    graders = None if asked.graders is None or asked.graders == LiveGrader() else asked.graders
    if graders is None and asked.judge is None:
        mend = "Add `graders: {schema: true}`, `graders: {regex: …}` or `judge: {model: …}`"
        yield EvidenceMistake(place, "nothing says which answer is better", mend)
    if graders is not None:
        yield from _patterns(place, graders)


def _patterns(place: Path, graders: LiveGrader) -> Iterator[EvidenceMistake]:
    for field, pattern in (("regex", graders.regex), ("absent", graders.absent)):
        if pattern is not None:
            try:
                prepare(Regex(pattern=pattern))
            except GraderError as error:
                yield EvidenceMistake((*place, "graders", field), str(error), "Write it as RE2 reads it")
