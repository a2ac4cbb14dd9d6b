"""Logs as Claude Code writes them, in any number of lines, from a seed: what `benchmarks.imports` reads.

Sizes and mix follow a working day: a call has one to three content blocks, a line each that repeats its usage, and a
line with the tool's result between calls; one session in five is of early 2026 (no stop reason, little of the output),
one in ten is resumed, so that its file begins with a copy of another's, and one in eight has a sub-agent's file.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

MODELS = ("claude-sonnet-4-5-20250929", "claude-opus-4-6", "claude-haiku-4-5-20251001", "claude-sonnet-4-6")
CALLS_PER_SESSION = 400
PHRASE = "the cache holds what the request asked for and the ledger keeps every line that was written before it "


def write_logs(folder: Path, lines: int, seed: int = 1) -> int:
    """About this many lines under `folder`, which becomes a `.claude`; says how many there are."""
    dice = random.Random(seed)
    written = 0
    session = 0
    begin = datetime(2026, 1, 5, 8, tzinfo=UTC)
    copied: list[str] = []
    while written < lines:
        project = f"-home-dev-project-{session % 12}"
        made = _Session(dice, session, begin + timedelta(minutes=37 * session), f"/home/dev/project-{session % 12}")
        body = made.lines(min(CALLS_PER_SESSION, (lines - written) // 3 + 1))
        if session % 10 == 9:
            body = copied + body
        copied = body[:200]
        target = folder / "projects" / project / f"{made.session_id}.jsonl"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(body) + "\n", encoding="utf-8")
        written += len(body)
        if session % 8 == 7:
            helper = made.lines(20, agent=f"a{session:08x}")
            place = target.with_suffix("") / "subagents" / f"agent-a{session:08x}.jsonl"
            place.parent.mkdir(parents=True)
            place.write_text("\n".join(helper) + "\n", encoding="utf-8")
            written += len(helper)
        session += 1
    return written


class _Session:
    def __init__(self, dice: random.Random, number: int, begin: datetime, cwd: str) -> None:
        self._dice = dice
        self._now = begin
        self._cwd = cwd
        self._early = number % 5 == 0
        self._model = MODELS[number % len(MODELS)]
        self._branch = "main" if number % 3 else f"feature/{number}"
        self.session_id = str(UUID(int=dice.getrandbits(128)))

    def lines(self, calls: int, agent: str | None = None) -> list[str]:
        found = [self._user("Please look at the failing test.", agent)]
        for _ in range(calls):
            found += self._call(agent)
            found.append(self._user(self._text(self._dice.randint(200, 5_000)), agent))
        return found

    def _call(self, agent: str | None) -> list[str]:
        dice = self._dice
        blocks: list[dict[str, object]] = []
        if dice.random() < 0.6:
            blocks.append(
                {"type": "thinking", "thinking": self._text(dice.randint(100, 1_500)), "signature": "c2ln" * 60}
            )
        if dice.random() < 0.5:
            blocks.append({"type": "text", "text": self._text(dice.randint(50, 900))})
        tool = {"file_path": f"{self._cwd}/src/a.py", "old_string": self._text(300), "new_string": self._text(400)}
        blocks.append({"type": "tool_use", "id": f"toolu_{dice.getrandbits(64):016x}", "name": "Edit", "input": tool})
        shown = sum(len(json.dumps(block)) for block in blocks)
        usage = {
            "input_tokens": dice.randint(1, 12),
            "cache_creation_input_tokens": (written := dice.randint(200, 4_000)),
            "cache_read_input_tokens": dice.randint(15_000, 120_000),
            "output_tokens": dice.randint(1, 29) if self._early else shown * 2 // 7 + dice.randint(0, 40),
            "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
            "service_tier": "standard",
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": written},
            "inference_geo": "",
            "iterations": [],
            "speed": "standard",
        }
        head = {
            "model": self._model,
            "id": f"msg_01{dice.getrandbits(88):022x}",
            "type": "message",
            "role": "assistant",
        }
        tail = {"stop_reason": None if self._early else "tool_use", "stop_sequence": None, "usage": usage}
        request = f"req_011{dice.getrandbits(84):021x}"
        self._now += timedelta(seconds=dice.randint(3, 20))
        made = []
        for block in blocks:
            message = {**head, "content": [block], **tail}
            made.append(self._line({"message": message, "requestId": request, "type": "assistant"}, agent))
        return made

    def _user(self, text: str, agent: str | None) -> str:
        self._now += timedelta(seconds=self._dice.randint(1, 9))
        content = [{"tool_use_id": "toolu_01", "type": "tool_result", "content": text}]
        return self._line({"type": "user", "message": {"role": "user", "content": content}}, agent)

    def _line(self, parts: dict[str, object], agent: str | None) -> str:
        self._now += timedelta(milliseconds=7)
        own = {} if agent is None else {"agentId": agent}
        line = {
            "parentUuid": str(UUID(int=self._dice.getrandbits(128))),
            "isSidechain": agent is not None,
            **own,
            "userType": "external",
            "cwd": self._cwd,
            "sessionId": self.session_id,
            "version": "2.1.29" if self._early else "2.1.197",
            "gitBranch": self._branch,
            **parts,
            "uuid": str(UUID(int=self._dice.getrandbits(128))),
            "timestamp": self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return json.dumps(line, separators=(",", ":"))

    def _text(self, chars: int) -> str:
        start = self._dice.randrange(len(PHRASE))
        few = PHRASE[start:] + PHRASE[:start] + "\n"
        return (few * (chars // len(few) + 1))[:chars]
