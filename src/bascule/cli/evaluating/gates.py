"""Gates for a pipeline: what must hold of a run or a comparison. One that cannot be judged has not been passed."""

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bascule.offline.evaluation.run_file import Run
    from bascule.offline.evaluation.summary import Versus

GATE_FAILED = 3


def quality_gates(run: "Run", floor: float | None, *, certain: bool) -> list[dict[str, Any]]:
    """A gate that cannot be judged has not been passed."""
    from bascule.offline.evaluation.paired import lowest
    from bascule.offline.evaluation.summary import rounded, summaries

    if floor is None:
        return []
    gates = []
    for made in summaries(run):
        scores = [result.score for result in run.of(made.model) if result.done and result.score is not None]
        measured = None if made.quality is None else lowest(scores) if certain else made.quality.mean
        gates.append(
            {
                "gate": "min_quality",
                "model": made.model,
                "limit": floor,
                "measured": None if measured is None else rounded(measured),
                "certain": certain,
                "passed": measured is not None and measured >= floor,
            }
        )
    return gates


def regression_gates(made: "list[Versus]", limit: float | None, *, certain: bool) -> list[dict[str, Any]]:
    from bascule.offline.evaluation.summary import rounded

    if limit is None:
        return []
    gates = []
    for one in made:
        found = one.difference
        measured = None if found is None else -(found.at_least if certain else found.mean)
        gates.append(
            {
                "gate": "max_regression",
                "model": one.second,
                "limit": limit,
                "measured": None if measured is None else rounded(measured),
                "certain": certain,
                "passed": measured is not None and measured <= limit,
            }
        )
    return gates


def end(gates: list[dict[str, Any]]) -> None:
    if any(not gate["passed"] for gate in gates):
        sys.exit(GATE_FAILED)


def print_gates(gates: list[dict[str, Any]]) -> None:
    for gate in gates:
        how = "at worst" if gate["certain"] else "on average"
        measured = "unknown" if gate["measured"] is None else f"{gate['measured']:.4f} {how}"
        verdict = "passed" if gate["passed"] else "FAILED"
        click.echo(f"{verdict}: {gate['gate']} {gate['limit']:g} of {gate['model']}: {measured}")
