"""A session as Claude Code 2.1.197 logs it: one line per content block, each with the usage of the whole message; the
sub-agent in a file of its own."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MODEL = "claude-sonnet-4-5-20250929"
USAGE = {
    "input_tokens": 1_200,
    "cache_creation_input_tokens": 4_000,
    "cache_read_input_tokens": 90_000,
    "output_tokens": 850,
    "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
    "service_tier": "standard",
    "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 4_000},
    "inference_geo": "",
    "iterations": [],
    "speed": "standard",
}
COST_NANOUSD = 1_200 * 3_000 + 4_000 * 3_750 + 90_000 * 300 + 850 * 15_000
"""Of one message at list price: 3, 3.75, 0.30 and 15 dollars per million."""


def write_session(
    home: Path,
    session: str,
    *,
    branch: str,
    start_s: int,
    messages: int = 3,
    cwd: str = "/home/user/web",
    subagent: bool = True,
    model: str = MODEL,
) -> Path:
    """Write it below a `.claude` folder; the path of its transcript."""
    folder = home / "projects" / cwd.replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{session}.jsonl"
    common = {"sessionId": session, "cwd": cwd, "gitBranch": branch, "version": "2.1.197", "entrypoint": "cli"}
    lines: list[dict[str, Any]] = [{"type": "queue-operation", "operation": "enqueue", "sessionId": session}]
    for number in range(messages):
        lines += _message(f"{session}-{number}", start_s + number * 20, common, model, "main")
    path.write_text("".join([json.dumps(line) + "\n" for line in lines]))
    if subagent:
        below = folder / session / "subagents"
        below.mkdir(parents=True, exist_ok=True)
        agent = {**common, "agentId": "a1b2", "isSidechain": True}
        made = _message(f"{session}-sub", start_s + 5, agent, "claude-haiku-4-5-20251001", "sub")
        (below / "agent-a1b2.jsonl").write_text("".join([json.dumps(line) + "\n" for line in made]))
    return path


def _message(name: str, at_s: int, common: dict[str, Any], model: str, what: str) -> list[dict[str, Any]]:
    asked = {**common, "type": "user", "uuid": f"u-{name}", "timestamp": _iso(at_s), "message": {"role": "user"}}
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "Hmm.", "signature": "c2ln"},
        {"type": "text", "text": f"Working ({what})"},
        {"type": "tool_use", "id": f"toolu_{name}", "name": "Read", "input": {"path": "a.py"}},
    ]
    return [
        asked,
        *[
            {
                "isSidechain": False,
                **common,
                "type": "assistant",
                "uuid": f"a-{name}-{place}",
                "requestId": f"req_{name}",
                "timestamp": _iso(at_s + 4),
                "message": {
                    "id": f"msg_{name}",
                    "type": "message",
                    "role": "assistant",
                    "model": model,
                    "content": [block],
                    "stop_reason": "tool_use",
                    "usage": USAGE,
                },
            }
            for place, block in enumerate(blocks)
        ],
    ]


def _iso(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
