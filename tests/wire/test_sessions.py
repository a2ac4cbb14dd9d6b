"""What real agents did is no runaway session. Their requests and their logs, where they lie: see conftest.py."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.wire.recordings import FOLDER
from tests.wire.test_clients import SURFACES

from bascule.decide.runaway import Conversation, RunawayPolicy, Sight, noted, worst
from bascule.dialects.registry import dialect, last_calls, last_message
from bascule.gateway.surfaces import SURFACES as KNOWN

POLICY = RunawayPolicy()
LOGS = FOLDER.parent / "agent-logs"
OWN_LOGS = Path(__file__).parents[1] / "fixtures" / "agent-logs"


def assert_calm(name: str, bodies: list[dict[str, Any]]) -> int:
    """That nothing is found at any request of one conversation; how many brought a tool's result."""
    conversation, results = Conversation(), 0
    for body in bodies:
        facts = dialect(name).read_facts(body, len(json.dumps(body)))
        calls = last_calls(name, body)
        results += calls is not None
        sight = Sight(facts.messages, facts.text_bytes, calls, last_message(name, body))
        conversation = noted(conversation, sight, POLICY)
        found = worst(conversation, None, 0.0, POLICY, named=True)
        assert found is None, found
    return results


def test_requests_of_real_clients() -> None:
    """All of one client's, as if they were one conversation."""
    clients: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for file in sorted(FOLDER.glob("*.json")):
        exchange = json.loads(file.read_text(encoding="utf-8"))
        surface = SURFACES.get(exchange["path"].partition("?")[0])
        if surface in KNOWN and KNOWN[surface].work == "chat":  # type: ignore[index]  # a name that is looked up
            clients.setdefault((exchange["client"], surface), []).append(exchange["body"])  # type: ignore[arg-type]  # likewise
    assert len(clients) > 5
    assert sum(assert_calm(surface, bodies) for (_, surface), bodies in clients.items()) > 5


def claude_bodies(file: Path) -> list[dict[str, Any]]:
    """The requests behind a log of Claude Code: each has all that was said before an answer."""
    said: list[dict[str, Any]] = []
    bodies: list[dict[str, Any]] = []
    answers: set[str] = set()
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # a fixture has such lines on purpose
        message = entry.get("message") if isinstance(entry, dict) else None
        if not isinstance(message, dict) or entry.get("type") not in ("user", "assistant") or "content" not in message:
            continue
        if entry["type"] == "assistant" and message.get("id") not in answers and said:
            answers.add(str(message.get("id")))
            bodies.append({"model": "m", "max_tokens": 1, "messages": list(said)})
        role, content = entry["type"], message["content"]
        if said and role == said[-1]["role"] == "assistant" and isinstance(content, list):
            said[-1] = {"role": role, "content": [*said[-1]["content"], *content]}
        else:
            said.append({"role": role, "content": content})
    return bodies


def codex_bodies(file: Path) -> list[dict[str, Any]]:
    """The requests behind a log of Codex: one at each message or result that something follows."""
    items = [entry["payload"] for line in file.read_text(encoding="utf-8").splitlines()
             if (entry := json.loads(line)).get("type") == "response_item"]  # fmt: skip
    ends = [at + 1 for at, item in enumerate(items) if str(item.get("type")).endswith("_output")]
    return [{"model": "m", "input": items[:end]} for end in ends]


@pytest.mark.parametrize("logs", [LOGS, OWN_LOGS], ids=["real", "fixtures"])
def test_logs_of_agents(logs: Path) -> None:
    claude = [claude_bodies(file) for file in sorted(logs.glob("claude/**/*.jsonl"))]
    requests = sum(len(bodies) for bodies in claude)
    for bodies in claude:
        assert_calm("anthropic_messages", bodies)
    codex = [codex_bodies(file) for file in sorted(logs.glob("codex/**/*.jsonl"))] if logs == LOGS else []
    for bodies in codex:
        assert_calm("openai_responses", bodies)
    assert requests + sum(len(bodies) for bodies in codex) >= 5
