"""One pass over a Messages request: what admission, routing and the hold need to know."""

from typing import Any

import msgspec

from bascule.dialects.fields import count_value, flag_value, head_text, model_name, number_value
from bascule.model.errors import MalformedRequest
from bascule.model.facts import Facts, ImageFact

BILLING_HEADER = "x-anthropic-billing-header:"
"""Claude Code's first system block, which differs per conversation and says nothing to a model."""

_OPENROUTER_KEYS = frozenset({"models", "provider", "route", "transforms", "usage"})
_TEXTUAL_BLOCKS = frozenset({"text", "tool_use", "thinking", "redacted_thinking", "search_result", "server_tool_use"})
_NESTED_BLOCKS = frozenset({"tool_result", "web_search_tool_result", "web_fetch_tool_result"})


class _Seen:
    __slots__ = ("base64_bytes", "document", "images", "unbounded")

    def __init__(self) -> None:
        self.base64_bytes = 0
        self.images: list[ImageFact] = []
        self.unbounded: list[str] = []
        self.document = False


def read_facts(body: dict[str, Any], raw_len: int) -> Facts:
    """Raises MalformedRequest naming the field. `raw_len` is the body's length in bytes."""
    get = body.get
    model = model_name(body)
    messages = get("messages")
    if not isinstance(messages, list) or not messages:
        raise MalformedRequest("`messages` must be a list with at least one message", "messages")
    seen = _Seen()
    first_user_text = ""
    for index, message in enumerate(messages):
        if type(message) is not dict or type(message.get("role")) is not str:
            raise MalformedRequest(f"`messages[{index}]` must be an object with a `role`", f"messages[{index}].role")
        content = message.get("content")
        if type(content) is list:
            _read_blocks(content, index, seen)
        elif type(content) is not str:
            raise MalformedRequest(
                f"`messages[{index}].content` must be text or a list of blocks", f"messages[{index}].content"
            )
        if not first_user_text and message["role"] == "user":
            first_user_text = head_text(content)
    tools = get("tools")
    if tools is not None:
        _read_tools(tools, seen)
    for field, name in (("mcp_servers", "mcp"), ("container", "container")):
        if get(field):
            seen.unbounded.append(name)
    metadata = get("metadata")
    session, end_user = _user(metadata.get("user_id")) if type(metadata) is dict else (None, None)
    thinking = get("thinking")
    tier = "fast" if get("speed") == "fast" else get("service_tier")
    return Facts(
        model=model,
        stream=flag_value(body, "stream"),
        wants_stream_usage=True,
        max_tokens=count_value(body, "max_tokens"),
        text_bytes=raw_len - seen.base64_bytes,
        messages=len(messages),
        tools=len(tools) if tools is not None else 0,
        images=tuple(seen.images),
        unbounded=tuple(seen.unbounded),
        has_document=seen.document,
        has_json_schema=_has_schema(body),
        has_reasoning=type(thinking) is dict and thinking.get("type") != "disabled",
        temperature=number_value(body, "temperature"),
        end_user=end_user,
        session_hint=session,
        first_user_text=first_user_text,
        system_text=_system_text(get("system")),
        service_tier=tier if type(tier) is str else None,
        openrouter={} if _OPENROUTER_KEYS.isdisjoint(body) else {k: body[k] for k in _OPENROUTER_KEYS & body.keys()},
    )


def is_client_json(user_id: str) -> bool:
    """True for a `metadata.user_id` that is a client's own record (Claude Code), with device and account in it."""
    return user_id.startswith("{") or (user_id.startswith("user_") and "_session_" in user_id)


def _user(user_id: Any) -> tuple[str | None, str | None]:
    """(session, end user) of `metadata.user_id`: JSON of Claude Code, its older `user_…_session_…`, or a plain id."""
    if type(user_id) is not str or not user_id:
        return None, None
    if not is_client_json(user_id):
        return None, user_id
    if not user_id.startswith("{"):
        return user_id.rpartition("_session_")[2] or None, None
    try:
        session = msgspec.json.decode(user_id, type=_ClientUser).session_id
    except (msgspec.DecodeError, RecursionError):
        return None, None  # text that only looks like JSON names nobody
    return session or None, None


class _ClientUser(msgspec.Struct):
    session_id: str = ""


def _system_text(system: Any) -> str:
    if system is None or type(system) is str:
        return head_text(system)
    if type(system) is not list:
        raise MalformedRequest("`system` must be text or a list of text blocks", "system")
    if system and type(system[0]) is dict and str(system[0].get("text")).startswith(BILLING_HEADER):
        system = system[1:]
    return head_text(system)


def _read_blocks(blocks: list[Any], index: int, seen: _Seen) -> None:
    for block in blocks:
        if type(block) is not dict:
            raise MalformedRequest(f"`messages[{index}].content` must hold objects", f"messages[{index}].content")
        kind = block.get("type")
        if kind in _TEXTUAL_BLOCKS:
            continue
        if kind == "image":
            _read_image(block.get("source"), index, seen)
        elif kind == "document":
            _read_document(block.get("source"), index, seen)
        elif kind in _NESTED_BLOCKS:
            if type(content := block.get("content")) is list:
                _read_blocks(content, index, seen)
        elif kind != "web_search_result":
            seen.unbounded.append(str(kind)[:40])


def _read_image(source: Any, index: int, seen: _Seen) -> None:
    kind = source.get("type") if type(source) is dict else None
    if kind == "base64" and type(data := source.get("data")) is str:
        seen.base64_bytes += len(data)
        seen.images.append(ImageFact("base64", len(data)))
    elif kind == "url":
        seen.images.append(ImageFact("url"))
        seen.unbounded.append("image_url")
    elif kind == "file":
        seen.images.append(ImageFact("file"))
        seen.unbounded.append("file")
    else:
        raise MalformedRequest(f"`messages[{index}]` has an image without a source", f"messages[{index}].content")


def _read_document(source: Any, index: int, seen: _Seen) -> None:
    seen.document = True
    kind = source.get("type") if type(source) is dict else None
    if kind == "text":
        return
    if kind == "content":
        if type(content := source.get("content")) is list:
            _read_blocks(content, index, seen)
        return
    if kind == "base64" and type(data := source.get("data")) is str:
        seen.base64_bytes += len(data)
    seen.unbounded.append("file")


def _read_tools(tools: Any, seen: _Seen) -> None:
    if type(tools) is not list:
        raise MalformedRequest("`tools` must be a list", "tools")
    for tool in tools:
        if type(tool) is not dict:
            raise MalformedRequest("`tools` must hold objects", "tools")
        kind = tool.get("type")
        if kind is not None and kind != "custom":
            # A tool of Anthropic's own brings prompts, results or fees that the body does not show.
            seen.unbounded.append(str(kind).rstrip("0123456789").rstrip("_")[:40])


def _has_schema(body: dict[str, Any]) -> bool:
    config = body.get("output_config")
    wanted = config.get("format") if type(config) is dict else body.get("output_format")
    return type(wanted) is dict and wanted.get("type") == "json_schema"
