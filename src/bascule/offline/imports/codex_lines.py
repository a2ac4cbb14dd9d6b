"""The lines of Codex's session logs (rollouts), as far as anything is read of them.

`~/.codex/sessions/Y/M/D/rollout-<time>-<thread>.jsonl`. Every line is `{timestamp, type, payload}`. Usage stands in
`token_usage_record` (newer; with the response's id) and in `event_msg` of the type `token_count` (both).
"""

from typing import Annotated

import msgspec
from msgspec import Raw, Struct

HEAD_BYTES = 256
"""A line's type stands first, whatever its length."""
RECORD = b'"token_usage_record"'
COUNT = b'"token_count"'
CONTEXT = (b'"turn_context"', b'"thread_settings_applied"')
META = b'"session_meta"'
WAITING = (b'"user"', b'_output"', b'"turn_context"', b'"task_started"')
"""In the heads of lines after which the model is asked."""


Tokens = Annotated[int, msgspec.Meta(ge=0)]


class TokenUsage(Struct, frozen=True, gc=False):
    input_tokens: Tokens = 0
    cached_input_tokens: Tokens = 0
    cache_write_input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    reasoning_output_tokens: Tokens = 0
    total_tokens: Tokens = 0


class _Spawn(Struct):
    parent_thread_id: str | None = None
    agent_nickname: str | None = None
    agent_role: str | None = None


class _SubAgent(Struct):
    thread_spawn: _Spawn | None = None


class _Source(Struct):
    subagent: _SubAgent | str | None = None


class _Git(Struct):
    branch: str | None = None


class Meta(Struct):
    id: str | None = None
    session_id: str | None = None
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    cwd: str | None = None
    originator: str | None = None
    cli_version: str | None = None
    source: _Source | str | None = None
    model_provider: str | None = None
    git: _Git | None = None

    @property
    def spawn(self) -> _Spawn | None:
        """What spawned the thread, of a sub-agent's."""
        if isinstance(self.source, _Source) and isinstance(self.source.subagent, _SubAgent):
            return self.source.subagent.thread_spawn
        return None

    @property
    def parent(self) -> str | None:
        spawn = self.spawn
        return (None if spawn is None else spawn.parent_thread_id) or self.parent_thread_id

    @property
    def copies(self) -> bool:
        """Whether the file may begin with a copy of another thread's history."""
        return self.forked_from_id is not None or self.parent is not None


class _Settings(Struct):
    model: str | None = None
    model_provider_id: str | None = None
    service_tier: str | None = None
    cwd: str | None = None


class Context(Struct):
    """`turn_context`, or `thread_settings_applied` with the same in `thread_settings`."""

    model: str | None = None
    cwd: str | None = None
    service_tier: str | None = None
    thread_settings: _Settings | None = None


class Record(Struct):
    usage: TokenUsage
    response_id: str | None = None
    session_id: str | None = None
    thread_id: str | None = None
    thread_token_usage: TokenUsage | None = None


class _Info(Struct):
    last_token_usage: TokenUsage | None = None
    total_token_usage: TokenUsage | None = None


class _Limits(Struct):
    plan_type: str | None = None


class Count(Struct):
    type: str | None = None
    info: _Info | None = None
    rate_limits: _Limits | None = None


class _MetaLine(Struct):
    timestamp: str
    payload: Meta


class _ContextLine(Struct):
    timestamp: str
    payload: Context


class _RecordLine(Struct):
    timestamp: str
    payload: Record


class _CountLine(Struct):
    timestamp: str
    payload: Count


class _Own(Struct):
    type: str
    timestamp: str
    payload: Raw


_decode_own = msgspec.json.Decoder(_Own).decode


def is_own(line: bytes) -> bool:
    """Whether a line is Codex's, whatever its type."""
    try:
        _decode_own(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


decode_meta = msgspec.json.Decoder(_MetaLine).decode
decode_context = msgspec.json.Decoder(_ContextLine).decode
decode_record = msgspec.json.Decoder(_RecordLine).decode
decode_count = msgspec.json.Decoder(_CountLine).decode
