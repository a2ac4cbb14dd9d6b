"""Codex's logs: one call per usage record, each counted where it was made.

Totals in a rollout are cumulative and are never summed; a `token_count` that repeats an unchanged total is no new
call. A forked thread's or sub-agent's file begins with a copy of its parent's history, re-stamped to the moment of the
copy: that burst is passed over (openai/codex's forks as described in ccusage#897, #950 and steipete/CodexBar#627).
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from bascule.dialects.counts import MAX_COUNT, take
from bascule.model.usage import Usage
from bascule.offline.imports.booking import Origin
from bascule.offline.imports.claude_code import wrong
from bascule.offline.imports.codex_lines import (
    CONTEXT,
    COUNT,
    HEAD_BYTES,
    META,
    RECORD,
    WAITING,
    Context,
    Count,
    Meta,
    Record,
    TokenUsage,
    decode_context,
    decode_count,
    decode_meta,
    decode_record,
    is_own,
)
from bascule.offline.imports.lines import BadLine, Lines, why_not_json
from bascule.offline.imports.observed import FINAL, Observed
from bascule.offline.imports.times import LATEST_MS, Implausible, began_ms, check_plausible, timestamp_in, timestamp_ms

ORIGIN = Origin("codex", "openai_responses")
COPY_GAP_MS = 1_000
"""A copied history is written in one go, with milliseconds between its lines; a model's answer takes longer."""
MAX_TOTAL = 1_000 * MAX_COUNT
"""Of a session's cumulative counts; those of one call go up to MAX_COUNT."""
MAX_WAITING = 50_000
"""Calls of one file that wait for its plan, which later lines tell."""


class _Thread(Struct):
    """What a file has said so far."""

    file: str
    stem: str
    meta: Meta = msgspec.field(default_factory=Meta)
    has_meta: bool = False
    copying: bool = False
    last_line_ms: int | None = None
    model: str | None = None
    provider: str | None = None
    cwd: str | None = None
    service_tier: str | None = None
    plan: str | None = None
    asked: bytes = b""
    """The line after which the model was asked last."""
    total: TokenUsage | None = None
    """The cumulative count that has been accounted for."""
    calls: int = 0


class CodexReader:
    origin = ORIGIN
    api_errors = 0

    def __init__(self, *, latest_ms: int = LATEST_MS) -> None:
        """A call after `latest_ms` is a bad line."""
        self._latest_ms = latest_ms
        self.met = False
        """Whether any line was Codex's, a call or not."""

    def read(self, path: Path, blocks: Iterator[Lines]) -> Iterator[Observed | BadLine]:
        """What a file tells. Raises OSError while reading."""
        thread = _Thread(file=str(path), stem=path.stem)
        waiting: list[Observed] = []
        for block in blocks:
            number = block.first - 1
            for too_long in block.too_long:
                yield BadLine(thread.file, too_long, "longer than is read")
            for line in block.lines:
                number += 1
                if not line:
                    continue
                if line[:1] != b"{" or line[-1:] != b"}":
                    why = why_not_json(line, last=block.cut)
                    if why is not None:
                        if line.strip():
                            yield BadLine(thread.file, number, why)
                        continue
                if not self.met:
                    self.met = is_own(line)
                try:
                    found = self._line(line, thread)
                except (msgspec.DecodeError, ValueError) as error:
                    yield BadLine(thread.file, number, wrong(error))
                    continue
                if found is not None:
                    waiting.append(found)
            if len(waiting) > MAX_WAITING:
                yield from _on_plan(waiting, thread.plan)
                waiting = []
        yield from _on_plan(waiting, thread.plan)

    def _line(self, line: bytes, thread: _Thread) -> Observed | None:
        head = line[:HEAD_BYTES]
        if RECORD in head:
            found = decode_record(line)
            _check_counts(found.payload.usage, found.payload.thread_token_usage)
            return self._record(found.payload, self._moment(found.timestamp), thread)
        if COUNT in head:
            counted = decode_count(line)
            if counted.payload.info is not None:
                _check_counts(counted.payload.info.last_token_usage, counted.payload.info.total_token_usage)
            return self._count(counted.payload, self._moment(counted.timestamp), thread)
        if META in head:
            if not thread.has_meta:  # those that follow are copied ancestors'
                begun = decode_meta(line)
                _begin(begun.payload, timestamp_ms(begun.timestamp), thread)
            return None
        if thread.copying:
            _still_copying(timestamp_in(line), thread)
        for mark in CONTEXT:
            if mark in head:
                _settings(decode_context(line).payload, thread)
        for mark in WAITING:
            if mark in head:
                thread.asked = line
                break
        return None

    def _moment(self, written: str) -> int:
        return check_plausible(timestamp_ms(written), self._latest_ms)

    def _record(self, record: Record, at_ms: int, thread: _Thread) -> Observed | None:
        copied = _still_copying(at_ms, thread)
        if record.thread_id is not None and thread.meta.id is not None:
            # A record says whose it is, so that a first answer within a second of the copy is not lost.
            copied = thread.meta.copies and record.thread_id != thread.meta.id
        if record.thread_token_usage is not None:
            thread.total = record.thread_token_usage
        elif thread.total is not None:
            thread.total = _sum(thread.total, record.usage)
        else:
            thread.total = record.usage
        return None if copied else _observed(record.usage, record, at_ms, thread)

    def _count(self, count: Count, at_ms: int, thread: _Thread) -> Observed | None:
        copied = _still_copying(at_ms, thread)
        if count.rate_limits is not None and count.rate_limits.plan_type:
            thread.plan = count.rate_limits.plan_type
        info = count.info
        if info is None or count.type != "token_count":
            return None
        total, last, before = info.total_token_usage, info.last_token_usage, thread.total
        if total is not None:
            thread.total = total
            if total == before:
                return None
            if last is None:
                last = total if before is None else _difference(total, before)
        if last is None or copied or not (last.input_tokens or last.output_tokens):
            return None
        return _observed(last, None, at_ms, thread)


def _check_counts(one: TokenUsage | None, total: TokenUsage | None) -> None:
    """Raises Implausible before anything of the line is kept."""
    for usage, most in ((one, MAX_COUNT), (total, MAX_TOTAL)):
        if usage is not None and max(astuple(usage)) > most:
            raise Implausible(f"a count above {most:,}")


def _begin(meta: Meta, at_ms: int, thread: _Thread) -> None:
    thread.meta, thread.has_meta = meta, True
    thread.copying = meta.copies
    thread.last_line_ms = at_ms
    thread.cwd = thread.cwd or meta.cwd
    thread.provider = meta.model_provider


def _still_copying(at_ms: int | None, thread: _Thread) -> bool:
    """Whether a line belongs to the copied history; the first pause ends it for good."""
    if not thread.copying or at_ms is None:
        return thread.copying
    if thread.last_line_ms is not None and at_ms - thread.last_line_ms > COPY_GAP_MS:
        thread.copying = False
    thread.last_line_ms = at_ms
    return thread.copying


def _settings(context: Context, thread: _Thread) -> None:
    settings = context.thread_settings
    if settings is not None:
        thread.model = settings.model or thread.model
        thread.provider = settings.model_provider_id or thread.provider
        thread.service_tier = settings.service_tier or thread.service_tier
        thread.cwd = settings.cwd or thread.cwd
    thread.model = context.model or thread.model
    thread.cwd = context.cwd or thread.cwd
    thread.service_tier = context.service_tier or thread.service_tier


def _observed(wire: TokenUsage, record: Record | None, at_ms: int, thread: _Thread) -> Observed:
    thread.calls += 1
    meta = thread.meta
    own = (None if record is None else record.thread_id) or meta.id
    parent = meta.parent
    session = (None if record is None else record.session_id) or meta.session_id
    if session is None or (parent is not None and session == own):
        session = parent or own or thread.stem
    response = None if record is None else record.response_id
    tags = {name: value for name, value in (("entrypoint", meta.originator),) if value}
    if thread.provider not in (None, "openai"):
        tags["model_provider"] = str(thread.provider)
    spawn = meta.spawn
    if spawn is not None and (spawn.agent_role or spawn.agent_nickname):
        tags["agent_type"] = spawn.agent_role or spawn.agent_nickname or ""
    return Observed(
        source_id=response or f"{thread.stem}#{thread.calls}",
        quality=FINAL,
        usage=usage_of(wire, thread.service_tier),
        model=thread.model,
        maker=thread.provider,
        ts_start_ms=began_ms(timestamp_in(thread.asked), at_ms),
        ts_end_ms=at_ms,
        session_id=session,
        agent_id=None if own == session or parent is None else own,
        parent_id=None if parent == session else parent,
        upstream_request_id=response,
        cwd=thread.cwd,
        branch=None if meta.git is None else meta.git.branch,
        tags=tags,
        version=meta.cli_version,
    )


def usage_of(wire: TokenUsage, service_tier: str | None) -> Usage:
    """OpenAI's counts as disjoint buckets: input holds the cached and written tokens, output the reasoning."""
    flags: list[str] = []
    cached, left = take(wire.cached_input_tokens, wire.input_tokens, flags, "cached_exceeds_prompt")
    written, left = take(wire.cache_write_input_tokens, left, flags, "clamped")
    reasoning, out = take(wire.reasoning_output_tokens, wire.output_tokens, flags, "clamped")
    return Usage(
        tokens_in=left,
        tokens_cache_read=cached,
        tokens_cache_write_5m=written or None,
        tokens_out=out,
        tokens_reasoning=reasoning,
        service_tier=service_tier,
        source="reported",
        flags=tuple(flags),
        raw=msgspec.json.encode(wire).decode(),
    )


def _on_plan(calls: list[Observed], plan: str | None) -> Iterator[Observed]:
    """With the plan that the file told of: calls on a subscription are not billed by the token."""
    for call in calls:
        if plan is not None:
            call.tags["plan"] = plan
        yield call


def _sum(one: TokenUsage, other: TokenUsage) -> TokenUsage:
    return TokenUsage(*[getattr(one, name) + getattr(other, name) for name in TokenUsage.__struct_fields__])


def _difference(one: TokenUsage, other: TokenUsage) -> TokenUsage:
    return TokenUsage(*[max(0, getattr(one, name) - getattr(other, name)) for name in TokenUsage.__struct_fields__])
