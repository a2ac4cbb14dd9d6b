"""Learned routers of routes, from their files, and the shipped classifier."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from msgspec import structs

from bascule.config.learned import LearnedConfig
from bascule.config.load import Document
from bascule.decide.resolve import resolve
from bascule.link import Snapshot
from bascule.model.errors import BasculeError, ConfigError, Problem, Refusal
from bascule.model.policy import RoutePolicy

if TYPE_CHECKING:
    from bascule.learned.embedder import Embedder
    from bascule.learned.live import RoutePredictor
    from bascule.learned.task_classifier import TaskClassifier


def with_predictors(snapshot: Snapshot, document: Document) -> Mapping[str, RoutePolicy]:
    """The snapshot's routes, those with `learned` with what their files have learned, those with `classify` with the
    shipped classifier.

    Raises ConfigError with every file that cannot be used. Without such a route NumPy is not loaded.
    """
    asked = {
        name: route for name, route in document.config.routes.items() if route.learned is not None or route.classify
    }
    if not asked:
        return snapshot.routes
    problems = []
    made = dict(snapshot.routes)
    embedder = _embedder()
    classifier = _classifier(embedder) if any(route.classify for route in asked.values()) else None
    for name, route in asked.items():
        if route.classify:
            made[name] = structs.replace(made[name], classifier=classifier)
        if route.learned is None:
            continue
        try:
            predictor = _predictor(route.learned, made[name].candidates, snapshot, document, embedder)
        except BasculeError as error:
            mend = "Train it anew, or remove `learned` from the route"
            problems.append(Problem(f"routes.{name}.learned", str(error), mend))
            continue
        made[name] = structs.replace(made[name], learned=predictor)
    if problems:
        raise ConfigError(tuple(problems))
    return made


def _embedder() -> "Embedder":
    if find_spec("numpy") is None or find_spec("wordllama") is None:
        problem = Problem("routes", "`learned` and `classify` need an extra", "pip install 'bascule[routing]'")
        raise ConfigError((problem,))
    from bascule.learned.embedder import Embedder

    return Embedder()


def _classifier(embedder: "Embedder") -> "TaskClassifier":
    from bascule.learned.task_classifier import shipped

    return shipped(embedder)


def _predictor(
    learned: LearnedConfig,
    candidates: tuple[str, ...],
    snapshot: Snapshot,
    document: Document,
    embedder: "Embedder",
) -> "RoutePredictor":
    from bascule.learned.live import route_predictor

    names = {}
    for candidate in candidates:
        found = resolve(candidate, snapshot)
        if not isinstance(found, Refusal) and found.model is not None:
            names[found.model.name] = learned.names.get(candidate, candidate)
    path = document.directory / learned.file
    return route_predictor(path, learned.trained_set, names, int(learned.percent_of_best), embedder)
