"""Cases from recorded traffic: the request as it was, the answer that it got, and who may see it. Pure.

A sample is drawn by a digest of request ids, so that the same traffic gives the same cases, whoever draws them.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any

import orjson
from msgspec import Struct

from bascule.dialects.registry import CLIENT_DIALECTS, client_side
from bascule.model.content import Recording
from bascule.model.errors import MalformedRequest, Untranslatable
from bascule.model.request import Request, Text, ToolResult, ToolUse
from bascule.model.row import AttemptRow
from bascule.offline.evaluation.answer import Unreadable, streamed_text_of, text_of
from bascule.offline.evaluation.calls import TAG, Guard
from bascule.offline.evaluation.suite import MAX_TOKENS, Case

MAX_QUESTION_CHARS = 60_000
"""Of what a judge sees of a conversation; the middle of a longer one is left out, and that is said."""
_CAP = {
    "openai_chat": "max_tokens",
    "openai_responses": "max_output_tokens",
    "anthropic_messages": "max_tokens",
}
_OTHER_CAPS = ("max_completion_tokens",)
_STREAMING = ("stream", "stream_options")


class Left(Struct, frozen=True):
    """A recorded request that makes no case, and why."""

    reason: str


def is_usable(row: AttemptRow, task: str | None) -> bool:
    """An answer to a client, of a dialect that can be asked again, that no evaluation asked for."""
    return (
        row.kind == "settle"
        and row.role == "primary"
        and row.status == 200
        and row.error_class is None
        and row.dialect_out in CLIENT_DIALECTS
        and TAG not in row.tags
        and (task is None or row.task == task)
    )


def chosen(rows: Iterable[AttemptRow], count: int, seed: int) -> list[AttemptRow]:
    """`count` of them, each as likely as any other; in the order of their time."""
    return _in_time(heapq.nsmallest(count, rows, key=_draw(seed)))


def chosen_by_session(rows: Iterable[AttemptRow], count: int, seed: int) -> tuple[list[AttemptRow], int]:
    """At most one of a session, each session as likely as any other, and how many sessions there were.

    Requests of one session resemble each other: ten of one say little more than one does, and intervals that took them
    for ten would be too narrow. What belongs to no session is one of its own.
    """
    draw = _draw(seed)
    best: dict[str, AttemptRow] = {}
    for row in rows:
        name = row.session_id or row.request_id
        if name not in best or draw(row) < draw(best[name]):
            best[name] = row
    return _in_time(heapq.nsmallest(count, best.values(), key=draw)), len(best)


def _draw(seed: int) -> Callable[[AttemptRow], bytes]:
    salt = seed.to_bytes(8, "big")
    return lambda row: blake2b(row.request_id.encode(), digest_size=16, salt=salt).digest()


def _in_time(rows: list[AttemptRow]) -> list[AttemptRow]:
    return sorted(rows, key=lambda row: (row.ts_start_ms, row.attempt_id))


def case_of(row: AttemptRow, recording: Recording | None, guard: Guard | None) -> Case | Left:
    """The case that a recorded attempt makes."""
    if recording is None or recording.request is None or recording.answer is None:
        return Left("no content was recorded")
    if recording.cut:
        return Left("the recording is cut")
    dialect = row.dialect_out or ""
    try:
        body = orjson.loads(recording.request)
        if not isinstance(body, dict):
            return Left("the request is no JSON object")
        body.pop("model", None)
        asked = client_side(dialect).parse_request({**body, "model": "x"})
        answer = _answer(dialect, recording.answer, streamed=row.stream is True)
    except Unreadable:
        return Left("the answer cannot be read")
    except (ValueError, MalformedRequest, Untranslatable):
        return Left("the request cannot be read")
    return Case(
        id=row.request_id,
        surface=dialect,
        body=_whole(dialect, body),
        question=_shortened(question_of(asked)),
        task=row.task,
        incumbent=answer,
        guard=guard,
    )


def _answer(dialect: str, raw: bytes, *, streamed: bool) -> str:
    return streamed_text_of(dialect, raw) if streamed else text_of(dialect, raw)[0]


def _whole(dialect: str, body: dict[str, Any]) -> dict[str, Any]:
    """Not streamed, and with an output cap, so that no budget shortens the answer."""
    asked = {name: value for name, value in body.items() if name not in _STREAMING}
    cap = _CAP.get(dialect)
    if cap is not None and cap not in asked and not any(name in asked for name in _OTHER_CAPS):
        asked[cap] = 2 * MAX_TOKENS
    return asked


def question_of(request: Request) -> str:
    """A conversation as a judge sees it: instructions, then each turn with its role."""
    parts = [f"system: {text.text}" for text in request.instructions]
    for message in request.messages:
        said = [_said(block) for block in message.content]
        parts.append(f"{message.role}: " + "\n".join([one for one in said if one]))
    return "\n\n".join(parts)


def _said(block: Any) -> str:
    if isinstance(block, Text):
        return block.text
    if isinstance(block, ToolUse):
        return f"[calls {block.name} with {block.arguments}]"
    if isinstance(block, ToolResult):
        return "[tool result: " + "\n".join([_said(one) for one in block.content]) + "]"
    return f"[{type(block).__name__.lower()}]"


def _shortened(text: str) -> str:
    if len(text) <= MAX_QUESTION_CHARS:
        return text
    half = MAX_QUESTION_CHARS // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"


def reasons(left: Iterable[Left]) -> Mapping[str, int]:
    """How many, by reason, the most frequent first."""
    counts: dict[str, int] = {}
    for one in left:
        counts[one.reason] = counts.get(one.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
