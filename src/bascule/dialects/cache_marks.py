"""Cache marks for requests whose client set none: where they go, and whether they pay.

Anthropic caches nothing that is not marked (platform.claude.com, "Prompt caching"). A write costs 1.25 times plain
input and a read a tenth of it, so a mark pays where what it writes is read again more than 0.25 / 0.9 = 0.28 times. Why
these requests are thought to be, and others not: docs/decisions/0014.
"""

from typing import Any

from bascule.dialects.base import Body, CacheMarks

MARK: Body = {"type": "ephemeral"}
_LEAST_TOKENS = (
    ("opus-4-5", 4_096),
    ("opus-4-6", 4_096),
    ("opus-4-7", 4_096),
    ("haiku-4-5", 4_096),
    ("sonnet-4-6", 2_048),
    ("3-haiku", 2_048),
    ("3-5-haiku", 2_048),
    ("opus-5", 512),
)
_BYTES_PER_TOKEN = 2
"""Few texts have fewer; that a prompt is cacheable is doubted only below."""
_UNMARKABLE = frozenset({"thinking", "redacted_thinking"})


def least_cacheable_tokens(model: str) -> int:
    """The shortest prefix that this model caches, 1,024 tokens where nothing else is known. Sources differ by a step
    for some models; a mark on too short a prefix is ignored and costs nothing."""
    name = model.replace(".", "-")
    return next((least for part, least in _LEAST_TOKENS if part in name), 1_024)


def is_too_short(body_bytes: int, model: str) -> bool:
    """Whether a body of this size has certainly nothing to cache."""
    return body_bytes < _BYTES_PER_TOKEN * least_cacheable_tokens(model)


def marked(body: Body, wanted: CacheMarks) -> Body | None:
    """The body with marks, or None where it should have none or has some of its own. `body` stays as it is.

    At most four: the last tool, the last system block, and the last block of the last two user turns. The earlier of
    these is where the request before this one had its last mark, so that it is found however long the turn between
    was. What is asked once has none; with `always`, those on tools and system, which others may share.
    """
    if wanted == "off" or _has_marks(body):
        return None
    goes_on = comes_again(body)
    if not goes_on and wanted != "always":
        return None
    changed: Body = {}
    if (tools := _mark_tool(body.get("tools") or [])) is not None:
        changed["tools"] = tools
    if (system := mark_last(body.get("system"))) is not None:
        changed["system"] = system
    if goes_on and (messages := _mark_turns(body["messages"])) is not None:
        changed["messages"] = messages
    return {**body, **changed} if changed else None


def comes_again(body: Body) -> bool:
    """Whether a request that begins like this one is likely to follow within minutes: a conversation that has begun,
    or tools, whose results come back in the next request. A tool that must be called is how answers in a given form
    are asked for, mostly once."""
    if any(message.get("role") == "assistant" for message in body["messages"]):
        return True
    choice = body.get("tool_choice")
    kind = choice.get("type") if type(choice) is dict else choice
    return bool(body.get("tools")) and kind in (None, "auto")


def mark_last(content: Any) -> list[Any] | None:
    """Content with its last block marked; None where no block can be."""
    if type(content) is str:
        return [{"type": "text", "text": content, "cache_control": MARK}] if content.strip() else None
    if type(content) is not list:
        return None
    for at in range(len(content) - 1, -1, -1):
        block = content[at]
        if block.get("type") not in _UNMARKABLE and block.get("text") != "":
            return [*content[:at], {**block, "cache_control": MARK}, *content[at + 1 :]]
    return None


def last_user_turns(messages: list[Any]) -> list[int]:
    """Places of the last messages of the last two user turns."""
    found: list[int] = []
    inside = False
    for at in range(len(messages) - 1, -1, -1):
        role = messages[at].get("role")
        is_user = role == "user" or role == "tool"
        if is_user and not inside:
            found.append(at)
            if len(found) == 2:
                break
        if role != "system":  # which stands within a turn
            inside = is_user
    return found


def _mark_turns(messages: list[Any]) -> list[Any] | None:
    changed = list(messages)
    for at in last_user_turns(messages):
        if (content := mark_last(messages[at].get("content"))) is not None:
            changed[at] = {**messages[at], "content": content}
    return changed


def _mark_tool(tools: list[Any]) -> list[Any] | None:
    """A tool that is loaded later may not be marked."""
    for at in range(len(tools) - 1, -1, -1):
        if not tools[at].get("defer_loading"):
            return [*tools[:at], {**tools[at], "cache_control": MARK}, *tools[at + 1 :]]
    return None


def _has_marks(body: Body) -> bool:
    if body.get("cache_control") is not None or _any_marked(body.get("tools")) or _any_marked(body.get("system")):
        return True
    return any(_any_marked(message.get("content")) for message in body["messages"])


def _any_marked(blocks: Any) -> bool:
    return type(blocks) is list and any(
        "cache_control" in block or ("content" in block and _any_marked(block["content"])) for block in blocks
    )
