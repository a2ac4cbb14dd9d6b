"""Claude Code's logs: one call per message, whatever number of lines and files it stands in."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from bascule.model.usage import Usage
from bascule.offline.imports.booking import Origin
from bascule.offline.imports.claude_lines import (
    ABOUT,
    ASSISTANT,
    CALLS,
    SYNTHETIC,
    AssistantLine,
    Message,
    SessionLine,
    decode_assistant,
    decode_session,
    is_of,
    is_own,
    is_session_line,
    measure,
)
from bascule.offline.imports.claude_usage import check_counts, usage_of
from bascule.offline.imports.judge import Content, judge
from bascule.offline.imports.lines import BadLine, Lines, why_not_json
from bascule.offline.imports.observed import Observed
from bascule.offline.imports.sellers import BEDROCK, VERTEX
from bascule.offline.imports.times import (
    LATEST_MS,
    Implausible,
    began_ms,
    check_plausible,
    instant_ms,
    timestamp_in,
    timestamp_ms,
)

ORIGIN = Origin("claude-code", "anthropic_messages")
MAX_OPEN = 50_000
"""Calls of one file that wait for their last line and for what the file says of its session further down."""
MAX_SESSIONS = 100_000
MAX_TITLE_CHARS = 120
_TRUNKS = frozenset({"main", "master", "develop", "trunk", "HEAD"})
"""Branches whose work belongs to no one pull request."""
_DETACHED = "HEAD"
"""What is logged where no branch is checked out."""
_MAKERS = {"msg_bdrk_": BEDROCK, "msg_vrtx_": VERTEX}


class _Call(Struct, gc=False):
    """A message while its lines come in."""

    first: AssistantLine
    message: Message
    """Of the line whose usage counts."""
    usage: Usage
    raw: bytes
    """What `usage` was read from: most lines only repeat it."""
    content: Content
    uuids: set[str | None]
    before_ms: int | None
    """The time of the line before the first of them."""
    last: datetime


class _Session(Struct):
    title: str | None = None
    rank: int = 0
    """How good the title is: a summary, one that a model gave, one that the user gave."""
    links: list[tuple[int, str]] = []
    """Pull requests in the order in which they were linked, with the moment."""
    branches: dict[str, str] = {}
    """The pull request of a branch."""


class ClaudeReader:
    """Reads files one after the other; a session's own file should come before its sub-agents'."""

    origin = ORIGIN

    def __init__(self, *, titles: bool = True, latest_ms: int = LATEST_MS) -> None:
        """A call after `latest_ms` is a bad line."""
        self._titles = titles
        self._latest_ms = latest_ms
        self.met = False
        """Whether any line was Claude Code's, a call or not."""
        self._sessions: dict[str, _Session] = {}
        self.api_errors = 0
        """Answers that were errors: Claude Code wrote a line of its own, and nothing was billed."""

    def read(self, path: Path, blocks: Iterator[Lines]) -> Iterator[Observed | BadLine]:
        """What a file tells. Raises OSError while reading."""
        calls: dict[tuple[str | None, str | None], _Call] = {}
        name = str(path)
        before = b""
        branch: str | None = None
        leaves: dict[str, str] = {}
        for block in blocks:
            number = block.first - 1
            for number_too_long in block.too_long:
                yield BadLine(name, number_too_long, "longer than is read")
            for line in block.lines:
                number += 1
                if not line:
                    continue
                if line[:1] != b"{" or line[-1:] != b"}":
                    why = why_not_json(line, last=block.cut)
                    if why is not None:
                        if line.strip():
                            yield BadLine(name, number, why)
                        continue
                if not self.met:
                    self.met = is_own(line)
                if ASSISTANT in line:
                    try:
                        found = decode_assistant(line)
                        if found.type == "assistant":
                            self.met = True
                            self._take(found, calls, before)
                            branch = found.git_branch or branch
                    except (msgspec.DecodeError, ValueError) as error:
                        if is_of(line, CALLS):
                            yield BadLine(name, number, wrong(error))
                elif is_session_line(line):
                    try:
                        self._about(decode_session(line), path, branch, leaves)
                    except (msgspec.DecodeError, ValueError) as error:
                        if is_of(line, ABOUT):
                            yield BadLine(name, number, wrong(error))
                before = line
            if len(calls) > MAX_OPEN:
                early = list(calls.items())[: MAX_OPEN // 2]
                for key, call in early:
                    del calls[key]
                    yield self._finish(call, path)
        if leaves:
            self._summaries(leaves, calls.values(), path)
        for call in calls.values():
            yield self._finish(call, path)

    def _take(self, line: AssistantLine, calls: dict[tuple[str | None, str | None], _Call], before: bytes) -> None:
        message = line.message
        if message is None:
            return
        if message.model == SYNTHETIC or line.is_api_error_message:
            self.api_errors += line.is_api_error_message
            return
        check_plausible(instant_ms(line.timestamp), self._latest_ms)
        named = message.id or line.request_id
        key = (message.id, line.request_id) if named else (line.uuid, line.timestamp.isoformat())
        raw = bytes(message.usage)
        call = calls.get(key)
        if call is None:
            usage = _usage(raw)
            before_ms = timestamp_in(before)
            call = calls[key] = _Call(line, message, usage, raw, Content(), {line.uuid}, before_ms, line.timestamp)
            measure(message.content, call.content)
        else:
            if line.uuid not in call.uuids or line.uuid is None:
                call.uuids.add(line.uuid)
                measure(message.content, call.content)
            call.last = line.timestamp
            if raw != call.raw or message.stop_reason != call.message.stop_reason:
                usage = call.usage if raw == call.raw else _usage(raw)
                if _rank(message, usage) >= _rank(call.message, call.usage):
                    call.message, call.usage, call.raw = message, usage, raw
        message.content = []  # its size is all that is wanted

    def _about(self, line: SessionLine, path: Path, branch: str | None, leaves: dict[str, str]) -> None:
        session = self._session(line.session_id or path.stem)
        if line.type == "pr-link" and line.pr_number is not None:
            number = str(line.pr_number)
            pr = f"{line.pr_repository}#{number}" if line.pr_repository else number
            if pr not in [known for _, known in session.links]:
                at_ms = 0 if line.timestamp is None else timestamp_ms(line.timestamp)
                session.links.append((at_ms, pr))
            if branch is not None and branch not in _TRUNKS:
                session.branches.setdefault(branch, pr)
        elif not self._titles:
            return
        elif line.custom_title:
            _entitle(session, 3, line.custom_title)
        elif line.ai_title:
            _entitle(session, 2, line.ai_title)
        elif line.summary and line.leaf_uuid:
            leaves[line.leaf_uuid] = line.summary

    def _summaries(self, leaves: dict[str, str], calls: Iterable[_Call], path: Path) -> None:
        """A summary may stand in another session's file: it names the last line of the one that it sums up."""
        for call in calls:
            for uuid in call.uuids:
                if uuid in leaves:
                    _entitle(self._session(call.first.session_id or path.stem), 1, leaves[uuid])

    def _session(self, name: str) -> _Session:
        if name not in self._sessions:
            if len(self._sessions) >= MAX_SESSIONS:
                self._sessions.clear()
            self._sessions[name] = _Session()
        return self._sessions[name]

    def _finish(self, call: _Call, path: Path) -> Observed:
        line, message = call.first, call.message
        usage = call.usage
        judged = judge(usage, message.stop_reason, call.content)
        session_id = line.session_id or path.stem
        session = self._sessions.get(session_id)
        tags: dict[str, str] = {}
        if line.entrypoint:
            tags["entrypoint"] = line.entrypoint
        if line.attribution_agent:
            tags["agent_type"] = line.attribution_agent
        if usage.inference_geo:
            tags["inference_geo"] = usage.inference_geo
        if session is not None and session.title:
            tags["title"] = session.title
        first_ms = instant_ms(line.timestamp)
        last_ms = first_ms if call.last is line.timestamp else max(first_ms, instant_ms(call.last))
        return Observed(
            source_id=_source_id(line, message),
            quality=judged.quality,
            usage=judged.usage,
            model=message.model,
            maker=_MAKERS.get((message.id or "")[:9], "anthropic"),
            ts_start_ms=began_ms(call.before_ms, first_ms),
            ts_end_ms=last_ms,
            session_id=session_id,
            agent_id=line.agent_id or ("sidechain" if line.is_sidechain else None),
            upstream_request_id=line.request_id,
            cwd=line.cwd,
            branch=None if line.git_branch == _DETACHED else line.git_branch or None,
            pr=None if session is None else _pull_request(session, line.git_branch, last_ms),
            tags=tags,
            finish_reason=message.stop_reason,
            version=line.version,
            recorded_out=judged.recorded_out,
        )


def wrong(error: Exception) -> str:
    """What is wrong with a line, in a few words that hold nothing of it."""
    text = str(error)
    if isinstance(error, UnicodeDecodeError) or "utf-8" in text.lower():
        return "not UTF-8"
    if isinstance(error, msgspec.ValidationError):
        return f"wrong type: {text}"
    if isinstance(error, msgspec.DecodeError):
        return f"broken JSON: {text}"
    return str(error) if isinstance(error, Implausible) else "a time that is none"


def _usage(raw: bytes) -> Usage:
    usage = usage_of(raw)
    if "clamped" in usage.flags:
        check_counts(raw)
    return usage


def _rank(message: Message, usage: Usage) -> tuple[bool, int]:
    """Which of a message's lines to believe: one with a stop reason, then the one that counts most."""
    out = -1 if usage.tokens_out is None else usage.tokens_out + (usage.tokens_reasoning or 0)
    return message.stop_reason is not None, out


def _entitle(session: _Session, rank: int, title: str) -> None:
    if rank >= session.rank:
        session.rank, session.title = rank, " ".join(title.split())[:MAX_TITLE_CHARS]


def _source_id(line: AssistantLine, message: Message) -> str:
    if message.id is None and line.request_id is None:
        return f"line:{line.uuid or line.timestamp.isoformat()}"
    return f"{message.id or ''}:{line.request_id or ''}"


def _pull_request(session: _Session, branch: str | None, at_ms: int) -> str | None:
    """The branch's pull request; work on a branch that has none led to the next one that was linked."""
    if not session.links:
        return None
    if branch is not None and branch in session.branches:
        return session.branches[branch]
    return next((pr for linked_ms, pr in session.links if linked_ms >= at_ms), session.links[-1][1])
