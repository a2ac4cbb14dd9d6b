"""`bascule router`: learn from outcomes which model is good enough for which prompt, and see what that is worth."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from bascule.cli.output import json_option, print_json, print_table, say_written
from bascule.cli.progress import counting
from bascule.model.errors import BasculeError

if TYPE_CHECKING:
    from bascule.learned.evaluating import Evaluated
    from bascule.learned.outcomes import Questions
    from bascule.learned.policy import Decided, Policy
    from bascule.learned.training import Trained

_FILE = click.Path(dir_okay=False, path_type=Path)
_data = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of <set>_prompts.parquet and <set>_responses.parquet, or one with them in a subfolder dev.",
)


@click.group("router")
def command() -> None:
    """The learned router: quality and cost of each model, predicted from the prompt."""


@command.command("train")
@_data
@click.option("--sets", required=True, help="Names of sets, with commas; each has its own pool of models.")
@click.option("--out", required=True, type=_FILE, help="The model file to write.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same data and seed give the same file.")
@json_option
def train(data: Path, sets: str, out: Path, seed: int, as_json: bool) -> None:
    """Learn from outcomes; where that beats no routing by less than its own error, the file holds no routing."""
    _needs_routing()
    from bascule.learned import outcomes
    from bascule.learned.embedder import Embedder
    from bascule.learned.features import see
    from bascule.learned.file import ModelFile, save
    from bascule.learned.training import OUTER_FOLDS, trained

    names = _names(sets)
    embedder, made = Embedder(), {}
    steps = len(names) * (OUTER_FOLDS + 1)
    with counting("training") as tell:
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            tell(done, steps)

        for name in names:
            found = outcomes.read(data, name)
            questions = found.questions
            made[name] = trained(found, see(questions.prompts, questions.labels, embedder), seed, step)
    save(out, ModelFile(made, seed))
    _show(made, as_json)
    say_written(out)


@command.command("evaluate")
@_data
@click.option("--sets", required=True, help="Names of sets, with commas.")
@click.option("--model", "model_path", required=True, type=_FILE, help="A file that `router train` wrote.")
@click.option(
    "--choices", type=_FILE, help="Write every decision, one JSON line each: set, prompt, lambda, who was called."
)
@click.option(
    "--weigh",
    type=click.Choice(["auto", "cost", "calls"]),
    default="auto",
    show_default=True,
    help="What lambda is the price of: what the prompt is expected to cost, or calls at each model's mean cost. `auto`:"
    " calls in a set of two models, since such are compared by their share of strong calls; cost elsewhere.",
)
@json_option
def evaluate(data: Path, sets: str, model_path: Path, choices: Path | None, weigh: str, as_json: bool) -> None:
    """Decide for every prompt at a grid of lambdas, then look what came of it.

    No quality, no cost and no answer of a model is looked at before the decision to call it.
    """
    _needs_routing()
    from bascule.learned import outcomes
    from bascule.learned.embedder import Embedder
    from bascule.learned.evaluating import choices as rows_of
    from bascule.learned.evaluating import evaluated, timed
    from bascule.learned.features import see
    from bascule.learned.file import load

    model, embedder = load(model_path), Embedder()
    found: list[tuple[Evaluated, tuple[float, float]]] = []
    try:
        with nullcontext() if choices is None else choices.open("wb") as out:
            for name in _names(sets):
                read = outcomes.read(data, name)
                questions = read.questions
                trained = model.of(name, questions.models)
                seen = see(questions.prompts, questions.labels, embedder)

                def tell(
                    made: "Decided", questions: "Questions" = questions, policy: "Policy" = trained.policy
                ) -> None:
                    if out is None:
                        return
                    out.writelines([orjson.dumps(row) + b"\n" for row in rows_of(questions, made, policy)])

                by_calls = weigh == "calls" or (weigh == "auto" and len(questions.models) == 2)
                result = evaluated(trained, read, seen, tell, by_calls=by_calls)
                found.append((result, timed(trained.policy, questions, embedder)))
    except OSError as error:
        raise BasculeError(f"{choices} cannot be written: {error.strerror}") from error
    if as_json:
        print_json({"sets": [_payload(*one) for one in found]})
    else:
        _table(found)
    if choices is not None:
        say_written(choices)


@command.command("status")
@click.option("--model", "model_path", required=True, type=_FILE, help="A file that `router train` wrote.")
@json_option
def status(model_path: Path, as_json: bool) -> None:
    """What a model file holds, and what it gained on prompts that were kept out of fitting."""
    _needs_routing()
    from bascule.learned.file import load

    _show(load(model_path).sets, as_json)


def _needs_routing() -> None:
    try:
        import numpy  # noqa: F401
    except ImportError:
        raise BasculeError("the learned router needs NumPy; pip install 'bascule[routing]'") from None


def _names(sets: str) -> list[str]:
    names = list(dict.fromkeys([name.strip() for name in sets.split(",") if name.strip()]))
    if not names:
        raise click.BadParameter("name at least one set", param_hint="--sets")
    return names


def _show(sets: "dict[str, Trained]", as_json: bool) -> None:
    if as_json:
        print_json({"sets": [_trained_payload(name, trained) for name, trained in sets.items()]})
        return
    rows = []
    for name, trained in sets.items():
        gain = next((one for one in trained.gains if one.kind == trained.policy.kind), None)
        figures = (None, None) if gain is None else (f"{gain.gain:+.4f}", f"{gain.error:.4f}")
        rows.append(
            (name, trained.policy.kind, trained.prompts, len(trained.models), len(trained.policy.chains), *figures)
        )
    print_table(("set", "policy", "prompts", "models", "chains", "AIQ over zero router", "its error"), rows)
    for name, trained in sets.items():
        click.echo(f"{name}: {trained.why}.")


def _trained_payload(name: str, trained: "Trained") -> dict[str, Any]:
    return {
        "set": name,
        "policy": trained.policy.kind,
        "why": trained.why,
        "prompts": trained.prompts,
        "models": list(trained.models),
        "chains": [
            {"models": [trained.models[model] for model in chain.models], "sure": chain.sure}
            for chain in trained.policy.chains
        ],
        "gains": [
            {"policy": one.kind, "gain": one.gain, "error": one.error, "lambda_at": one.price_at}
            for one in trained.gains
        ],
    }


def _payload(found: "Evaluated", took_ms: tuple[float, float]) -> dict[str, Any]:
    return {
        "set": found.name,
        "prompts": found.prompts,
        "trained_on": found.trained_on,
        "policy": found.kind,
        "best_model": found.best_model,
        "best_quality": found.best_quality,
        "best_mean_cost_usd": f"{found.best_cost_usd:.12f}",
        "aiq": found.aiq,
        "zero_aiq": found.zero_aiq,
        "gain": found.gain,
        "gain_95": [found.gain_low, found.gain_high],
        "cost_at": found.cost_at,
        "zero_cost_at": found.zero_cost_at,
        "chosen_before": {
            share: None if point is None else _point(point) for share, point in found.chosen_before.items()
        },
        "decision_ms": {"p50": took_ms[0], "p99": took_ms[1]},
        "points": [_point(point) for point in found.points],
    }


def _point(point: Any) -> dict[str, Any]:
    price = "inf" if point.price == float("inf") else point.price
    return {"lambda": price, "quality": point.quality, "cost_share": point.cost_share, "calls": point.calls}


def _table(found: "list[tuple[Evaluated, tuple[float, float]]]") -> None:
    columns = ("set", "policy", "prompts", "AIQ", "over zero router", "95 %", "cost@95", "@98", "@100", "p99 ms")
    rows = [
        (
            *(one.name, one.kind, one.prompts, f"{one.aiq:.4f}", f"{one.gain:+.4f}"),
            f"{one.gain_low:+.4f} to {one.gain_high:+.4f}",
            *[None if share is None else f"{share:.3f}" for share in one.cost_at.values()],
            f"{took_ms[1]:.2f}",
        )
        for one, took_ms in found
    ]
    print_table(columns, rows)
    for one, _ in found:
        if one.trained_on:
            click.echo(f"{one.name}: {one.trained_on} of {one.prompts} prompts were trained on, so this is too good.")
