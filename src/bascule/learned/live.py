"""The learned router of a route: one prompt at a time, over models alone.

Chains are for strategies, whose answers can be compared (`docs/strategies.md`); a route asks one model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bascule.learned.embedder import Embedder
from bascule.learned.features import see
from bascule.learned.file import BadModelFile, load
from bascule.learned.predictor import Predictor as Fitted
from bascule.model.prediction import Predicted

_LONGEST = 4_000
"""Characters that are read of a prompt; the embedder looks at both ends of these."""


@dataclass(frozen=True)
class RoutePredictor:
    """Implements `model.prediction.Predictor`. `fitted` None: nothing was learned that beats no routing."""

    fitted: Fitted | None
    columns: Mapping[str, int]
    """Candidate to its place among the models of the set."""
    unit_usd: float
    price: float
    embedder: Embedder

    def __call__(self, text: str, task: str | None) -> Mapping[str, Predicted]:
        if self.fitted is None:
            return {}
        expected = self.fitted(see((text[:_LONGEST],), (task or "",), self.embedder))
        found = {}
        for name, column in self.columns.items():
            quality, cost = float(expected.quality[0, column]), float(expected.cost_usd[0, column]) / self.unit_usd
            found[name] = Predicted(quality, cost, quality - self.price * cost)
        return found


def route_predictor(
    path: Path, trained_set: str, names: Mapping[str, str], percent_of_best: int, embedder: Embedder
) -> RoutePredictor:
    """`names`: candidate to its name in the set. A candidate that the set has not is left out: it is tried last.

    Raises BadModelFile where the file, the set or all candidates are not there, or where training never reached that
    share of the best model's quality; MissingEmbedder.
    """
    file = load(path)
    trained = file.sets.get(trained_set)
    if trained is None:
        raise BadModelFile(f"{path} has no set {trained_set!r}; it has {', '.join(file.sets)}")
    columns = {candidate: trained.models.index(model) for candidate, model in names.items() if model in trained.models}
    if not columns:
        raise BadModelFile(
            f"{path} knows none of {', '.join(names)}; the set {trained_set!r} has {', '.join(trained.models)}:"
            " say by `names` which is which"
        )
    gain = next((one for one in trained.gains if one.kind == "singles"), None)
    means = trained.policy.means
    fitted = trained.policy.predictor if gain is not None and gain.gain > gain.error else None
    if fitted is None or gain is None:
        return RoutePredictor(None, columns, means.unit_usd, 0.0, embedder)
    price = gain.price_at.get(str(percent_of_best / 100))
    if price is None:
        raise BadModelFile(
            f"{path}: in training no price of quality reached {percent_of_best} % of the best model; ask for fewer by"
            " `percent_of_best`, or leave `learned` out"
        )
    see(("",), ("",), embedder)  # loads the weights now, and not with the first request
    return RoutePredictor(fitted, columns, means.unit_usd, price, embedder)
