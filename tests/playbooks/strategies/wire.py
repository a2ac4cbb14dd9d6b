"""What strategies' playbooks say to each other beside the engine's own."""

import json
from typing import Any

from tests.playbooks.engine.conftest import CONFIG, Playbook
from tests.playbooks.engine.wire import completion

from bascule.testing.transport import Reply, whole


def configured(strategy: str, candidates: str = "small, big", more: str = "") -> str:
    """The engine's configuration with a route `way` that has this strategy."""
    return CONFIG.replace("routes:\n", f"routes:\n  way: {{candidates: [{candidates}], strategy: {strategy}{more}}}\n")


def judged(score: int, reason: str = "because", **more: Any) -> Reply:
    """A judge's score of one answer."""
    return whole(completion(json.dumps({"reason": reason, "score": score}), **more))


def preferred(verdict: str, **more: Any) -> Reply:
    """A judge's verdict on two answers."""
    return whole(completion(json.dumps({"reason": "because", "verdict": verdict}), **more))


def attempts(world: Playbook) -> list[tuple[str, str | None, int | None]]:
    """Role, model and cost of every row."""
    return [(row.role, row.model, row.cost_nanousd) for row in world.rows]


def content(answer: Any) -> str:
    text: str = answer.json["choices"][0]["message"]["content"]
    return text


def sent(world: Playbook, at: int) -> dict[str, Any]:
    """The body of the upstream call of this number, from 0."""
    body: dict[str, Any] = json.loads(world.upstream.calls[at].body)
    return body
