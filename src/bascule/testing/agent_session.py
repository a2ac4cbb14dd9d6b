"""A coding agent's session in the shape in which Claude Code sends one, of made-up words: what prompt caches live by.

The shape is that of recorded requests of version 2.1.197: 28 tools; three system blocks, the first a billing line that
differs per conversation and subagent, the others marked; a mark on the last block of the last turn; adaptive thinking,
whose blocks are sent back; reminders as `system` messages after a user's turn and as text within it; subagents with a
prompt and 17 tools of their own, that run while the main conversation goes on.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from bascule.testing.session_text import edits, signature, tools, words

MAIN_MODEL = "claude-opus-4-8"
HELPER_MODEL = "claude-haiku-4-5-20251001"
SESSION_ID = "00000000-0000-4000-8000-000000000064"
MARK = {"type": "ephemeral"}
_USER_SPEAKS_EVERY = 8
_HELPERS_AT = {12: "helper-1", 40: "helper-2"}
"""Turns in which a subagent starts."""
_HELPER_TURNS = 7
_PAUSES_S = {24: 420.0, 48: 1_500.0}
"""Turns before which the user was away for longer than a cache of five minutes lives."""


class AgentRequest(Struct, frozen=True, kw_only=True):
    """One request of the session."""

    body: dict[str, Any]
    """Messages API, as the client sends it."""
    headers: dict[str, str]
    pause_s: float
    """Since the request before."""


def agent_session(turns: int = 64, seed: int = 7) -> Iterator[AgentRequest]:
    """The requests of a session, those of its subagents between them; the last has some 100,000 tokens of input."""
    dice = random.Random(seed)  # noqa: S311 - words, not secrets
    main = _Conversation(dice, model=MAIN_MODEL, tool_count=28, prompt_bytes=14_000, agent=None)
    helpers: list[_Conversation] = []
    for turn in range(turns):
        if turn in _HELPERS_AT:
            agent = _HELPERS_AT[turn]
            helpers.append(_Conversation(dice, model=HELPER_MODEL, tool_count=17, prompt_bytes=4_000, agent=agent))
        speaks = turn % _USER_SPEAKS_EVERY == 0
        pause_s = _PAUSES_S.get(turn, dice.uniform(30, 240) if speaks else dice.uniform(2, 25))
        yield main.next(user_speaks=speaks, pause_s=pause_s)
        for helper in helpers:
            if helper.turn < _HELPER_TURNS:
                yield helper.next(user_speaks=helper.turn == 0, pause_s=dice.uniform(1, 4))


class _Conversation:
    """One agent's growing history."""

    def __init__(
        self, dice: random.Random, *, model: str, tool_count: int, prompt_bytes: int, agent: str | None
    ) -> None:
        self.turn = 0
        self._dice = dice
        self._agent = agent
        self._tools = tools(tool_count)
        self._messages: list[dict[str, Any]] = []
        self._calls: list[str] = []
        self._system = [
            {"type": "text", "text": f"x-anthropic-billing-header: cc_version=2.1.197.{dice.randrange(4096):03x};"},
            {"type": "text", "text": "You are an agent that writes software.", "cache_control": MARK},
            {"type": "text", "text": words(dice, prompt_bytes), "cache_control": MARK},
        ]
        helps = agent is not None
        self._head: dict[str, Any] = {
            "model": model,
            "max_tokens": 32_000 if helps else 64_000,
            "stream": True,
            "thinking": {"type": "disabled"} if helps else {"type": "adaptive"},
            "metadata": {"user_id": json.dumps({"device_id": "d", "account_uuid": "", "session_id": SESSION_ID})},
        }
        if not helps:
            self._head["output_config"] = {"effort": "high"}

    def next(self, *, user_speaks: bool, pause_s: float) -> AgentRequest:
        """The request of the next turn: what the model said to the last one, and what came of it."""
        if self.turn:
            self._messages.append({"role": "assistant", "content": self._said(calls=not user_speaks)})
        self._messages.append({"role": "user", "content": self._spoken() if user_speaks else self._results()})
        if user_speaks and self._agent is None:
            self._messages.append({"role": "system", "content": words(self._dice, 240)})
        self.turn += 1
        headers = {"x-claude-code-session-id": SESSION_ID, "user-agent": "claude-cli/2.1.197 (external, cli)"}
        if self._agent is not None:
            headers["x-claude-code-agent-id"] = self._agent
        body = {**self._head, "messages": self._marked(), "system": self._system, "tools": self._tools}
        return AgentRequest(body=body, headers=headers, pause_s=pause_s)

    def _marked(self) -> list[dict[str, Any]]:
        """The history with a mark on the last block of its last turn."""
        last = max(at for at, message in enumerate(self._messages) if message["role"] == "user")
        turn = self._messages[last]
        *before, block = turn["content"]
        return [
            *self._messages[:last],
            {**turn, "content": [*before, {**block, "cache_control": MARK}]},
            *self._messages[last + 1 :],
        ]

    def _said(self, *, calls: bool) -> list[dict[str, Any]]:
        dice = self._dice
        content: list[dict[str, Any]] = []
        if self._agent is None:
            content.append(
                {"type": "thinking", "thinking": words(dice, dice.randrange(100, 700)), "signature": signature(dice)}
            )
        content.append({"type": "text", "text": words(dice, dice.randrange(80, 900))})
        self._calls = [f"toolu_{dice.randrange(1 << 96):024x}" for _ in range(dice.choice((1, 1, 1, 2, 3)) * calls)]
        names = [tool["name"] for tool in self._tools]
        content += [
            {"type": "tool_use", "id": call, "name": dice.choice(names), "input": edits(dice)} for call in self._calls
        ]
        return content

    def _results(self) -> list[dict[str, Any]]:
        dice = self._dice
        results: list[dict[str, Any]] = [
            {"type": "tool_result", "tool_use_id": call, "content": words(dice, dice.randrange(200, 5_000))}
            for call in self._calls
        ]
        if dice.random() < 0.2:
            results[-1]["is_error"] = True
        if dice.random() < 0.2:
            results.append({"type": "text", "text": f"<system-reminder>{words(dice, 200)}</system-reminder>"})
        return results

    def _spoken(self) -> list[dict[str, Any]]:
        dice = self._dice
        reminder = f"<system-reminder>{words(dice, 1_500 if self.turn == 0 else 300)}</system-reminder>"
        return [{"type": "text", "text": reminder}, {"type": "text", "text": words(dice, dice.randrange(60, 1_200))}]
