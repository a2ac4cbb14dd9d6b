"""The model file: arrays as npz, everything else as JSON inside it. No pickle, so that opening one runs nothing."""

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bascule.learned.chains import Chain
from bascule.learned.labels import LabelMeans
from bascule.learned.policy import Means, Policy
from bascule.learned.predictor import Predictor
from bascule.learned.ridge import Ridge
from bascule.learned.training import Gain, Trained
from bascule.learned.voting import FEATURES, Confidence
from bascule.model.errors import BasculeError

VERSION = 2
"""Of the format and of what features mean: a file of another version is refused, never guessed at."""
_ABOUT = "about"
_RIDGE = ("centre", "scale", "means", "weights")


class BadModelFile(BasculeError):
    """A file cannot be used as a learned router; the message says what to do."""


@dataclass(frozen=True)
class ModelFile:
    sets: dict[str, Trained]
    seed: int

    def of(self, name: str, models: tuple[str, ...]) -> Trained:
        """What was trained on a set of this name, else on exactly these models. Raises BadModelFile."""
        found = self.sets.get(name)
        if found is None:
            found = next((one for one in self.sets.values() if one.models == models), None)
        if found is None:
            raise BadModelFile(f"nothing was trained for {name!r}; the file has {', '.join(self.sets)}; train with it")
        if found.models != models:
            other = ", ".join(sorted(set(found.models) ^ set(models)))
            raise BadModelFile(f"{name}: trained on other models than those of the data; they differ in {other}")
        return found


def save(path: Path, model: ModelFile) -> None:
    """Whole or not at all. Raises BadModelFile."""
    arrays: dict[str, NDArray[Any]] = {}
    about: dict[str, Any] = {"version": VERSION, "seed": model.seed, "sets": {}}
    for number, (name, trained) in enumerate(model.sets.items()):
        about["sets"][name] = _told(trained)
        arrays[f"{number}.marks"] = trained.marks
        for kept, array in _arrays(trained.policy).items():
            arrays[f"{number}.{kept}"] = array
    arrays[_ABOUT] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as out:
            np.savez_compressed(out, allow_pickle=False, **arrays)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BadModelFile(f"{path} cannot be written: {error.strerror}") from error


def load(path: Path) -> ModelFile:
    """Raises BadModelFile."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as read:
            arrays = {name: read[name] for name in read.files}
        about = json.loads(arrays.pop(_ABOUT).tobytes())
        if about["version"] != VERSION:
            raise BadModelFile(
                f"{path} is of version {about['version']}, not {VERSION}; run `bascule router train` again"
            )
        sets = {name: _read(told, arrays, f"{number}.") for number, (name, told) in enumerate(about["sets"].items())}
    except FileNotFoundError:
        raise BadModelFile(f"{path} is not there; `bascule router train --out {path}` makes it") from None
    except (OSError, EOFError, KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise BadModelFile(f"{path} is no learned router, or damaged ({error}); run `bascule router train`") from error
    return ModelFile(sets, about["seed"])


def _told(trained: Trained) -> dict[str, Any]:
    policy = trained.policy
    told: dict[str, Any] = {
        "models": trained.models,
        "prompts": trained.prompts,
        "gains": [asdict(gain) for gain in trained.gains],
        "why": trained.why,
        "chains": [asdict(chain) for chain in policy.chains],
    }
    if policy.predictor is not None:
        told["labels"] = policy.predictor.by_label.labels
        told["own"] = list(policy.predictor.own)
        told["own_share"] = policy.predictor.own_share
    return told


def _arrays(policy: Policy) -> dict[str, NDArray[Any]]:
    made: dict[str, NDArray[Any]] = {"quality": policy.means.quality, "cost_usd": policy.means.cost_usd}
    if policy.predictor is not None:
        fitted = policy.predictor
        for part in _RIDGE:
            made[f"ridge.{part}"] = getattr(fitted.ridge, part)
            for number, own in enumerate(fitted.own.values()):
                made[f"own.{number}.{part}"] = getattr(own, part)
        made |= {"label.means": fitted.by_label.means, "label.of": fitted.by_label.of_label}
        made["way_cost_usd"] = fitted.mean_cost_usd
    if policy.confidence is not None:
        made["confidence"] = policy.confidence.weights
    return made


def _read(told: dict[str, Any], arrays: dict[str, NDArray[Any]], prefix: str) -> Trained:
    def array(part: str) -> NDArray[np.float64]:
        return np.asarray(arrays[prefix + part], np.float64)

    models = tuple(told["models"])
    means = Means(array("quality"), array("cost_usd"))
    chains = tuple([Chain(tuple(one["models"]), one["sure"]) for one in told["chains"]])
    if means.quality.shape != (len(models),) or means.cost_usd.shape != (len(models),):
        raise ValueError("means do not fit its models")
    if any(not 0 <= model < len(models) for chain in chains for model in chain.models):
        raise ValueError("a chain calls a model that is not there")
    policy = Policy(means)
    if "labels" in told:
        labels = tuple(told["labels"])
        ridge = Ridge(labels, *[array(f"ridge.{part}") for part in _RIDGE])
        own = {
            str(label): Ridge((str(label),), *[array(f"own.{number}.{part}") for part in _RIDGE])
            for number, label in enumerate(told["own"])
        }
        by_label = LabelMeans(labels, array("label.means"), array("label.of"))
        fitted = Predictor(ridge, by_label, array("way_cost_usd"), own, float(told["own_share"]))
        confidence = Confidence(array("confidence")) if chains else None
        policy = Policy(means, fitted, chains, confidence)
        _check(policy, len(models) + len(chains))
    gains = tuple([Gain(**gain) for gain in told["gains"]])
    return Trained(policy, models, told["prompts"], gains, told["why"], arrays[f"{prefix}marks"])


def _check(policy: Policy, ways: int) -> None:
    fitted, confidence = policy.predictor, policy.confidence
    assert fitted is not None
    features = len(fitted.ridge.centre)
    labels = len(fitted.by_label.labels)
    shapes = (fitted.ridge.weights.shape, fitted.by_label.of_label.shape, fitted.mean_cost_usd.shape)
    if shapes != ((features, 2 * ways), (labels, 2 * ways), (ways,)):
        raise ValueError("its predictor does not fit its ways to answer")
    for own in fitted.own.values():
        if own.weights.shape != (len(own.centre), 2 * ways) or own.scale.shape != own.centre.shape:
            raise ValueError("a task's own predictor does not fit its ways to answer")
    if confidence is not None and confidence.weights.shape != (FEATURES + 1,):
        raise ValueError("its confidence has other features")
