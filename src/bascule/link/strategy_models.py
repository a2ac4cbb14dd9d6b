"""The models that a strategy names, with the place of each below `strategy`, and what each has to be able to do."""

from typing import Literal

from bascule.config.places import Path
from bascule.model.strategy import Acceptance, BestOf, Cascade, Delegate, RaceOf, Strategy, Verify

Need = Literal["answer", "json_schema", "tools"]


def answering_of(strategy: Strategy) -> list[tuple[Path, str]]:
    """Those that answer the client, which have to be candidates of the route: its constraints are checked on them."""
    match strategy:
        case Cascade():
            return [(("cascade", "order", index), name) for index, name in enumerate(strategy.order)]
        case Verify():
            return [(("verify", "generate"), strategy.generate), (("verify", "regenerate"), strategy.regenerate)]
        case BestOf():
            return [(("best_of", "models", index), name) for index, name in enumerate(strategy.models)]
        case RaceOf():
            return [(("race", "models", index), name) for index, name in enumerate(strategy.models)]
        case Delegate():
            return [(("delegate", "frontier"), strategy.frontier)]


def helpers_of(strategy: Strategy) -> list[tuple[Path, str, Need]]:
    """Those that help."""
    match strategy:
        case Cascade():
            return _tests(("cascade", "accept"), strategy.accept)
        case Verify():
            return [(("verify", "check", "model"), strategy.check.model, "json_schema")]
        case BestOf():
            return [(("best_of", "judge", "model"), strategy.judge.model, "json_schema")]
        case RaceOf():
            return []
        case Delegate():
            return [
                (("delegate", "frontier"), strategy.frontier, "tools"),
                (("delegate", "worker"), strategy.worker, "answer"),
            ]


def _tests(path: Path, accept: Acceptance) -> list[tuple[Path, str, Need]]:
    found: list[tuple[Path, str, Need]] = []
    if accept.agreement is not None:
        found.append(((*path, "agreement", "model"), accept.agreement.model, "answer"))
    if accept.judge is not None:
        found.append(((*path, "judge", "model"), accept.judge.model, "json_schema"))
    return found
