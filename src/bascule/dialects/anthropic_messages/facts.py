"""One pass over a Messages request: what admission, routing and the hold need to know."""

from typing import Any

import msgspec

from bascule.decide.addresses import fetched_from
from bascule.dialects.bounded import MESSAGES_API_FIELDS, unlisted
from bascule.dialects.fields import (
    count,
    flag,
    head_text,
    mapping,
    model_name,
    number,
    path,
    refuse_case_variants,
    refuse_preset,
    required_text,
    text,
    wrong,
)
from bascule.dialects.pixels import pixel_size
from bascule.model.errors import MalformedRequest
from bascule.model.facts import Facts, ImageFact, WebTool

BILLING_HEADER = "x-anthropic-billing-header:"
"""Claude Code's first system block, which differs per conversation and says nothing to a model."""

_OPENROUTER_KEYS = frozenset({"models", "provider", "route", "transforms", "usage"})
_KEYS_THAT_MATTER = _OPENROUTER_KEYS | {
    *("model", "messages", "system", "max_tokens", "stream", "tools", "tool_choice", "thinking", "temperature"),
    *("service_tier", "speed", "inference_geo", "mcp_servers", "container", "metadata", "output_config"),
    *("output_format", "betas", "context_management"),
}
"""What decides on money or policy, so that it must not come under a name that only the provider understands."""
_CLIENT_TOOLS = frozenset({"bash", "text_editor", "computer", "memory"})
"""Anthropic's own tools, less their dates, whose work the client does."""
_TEXTUAL_BLOCKS = frozenset(
    {"text", "tool_use", "thinking", "redacted_thinking", "search_result", "server_tool_use"} | {"compaction"}
)
_NESTED_BLOCKS = frozenset({"tool_result", "web_search_tool_result", "web_fetch_tool_result"})


class _Seen:
    __slots__ = ("addresses", "base64_bytes", "document", "images", "unbounded", "vendor_tools", "web_tools")

    def __init__(self) -> None:
        self.base64_bytes = 0
        self.images: list[ImageFact] = []
        self.addresses: list[str] = []
        """Of what its provider would have to fetch."""
        self.unbounded: list[str] = []
        self.document = False
        self.vendor_tools = 0
        self.web_tools: list[WebTool] = []


def read_facts(body: dict[str, Any], raw_len: int) -> Facts:
    """Raises MalformedRequest naming the field. `raw_len` is the body's length in bytes."""
    get = body.get
    model = model_name(body)
    messages = get("messages")
    if not isinstance(messages, list) or not messages:
        raise MalformedRequest("`messages` must be a list with at least one message", "messages")
    seen = _Seen()
    if not MESSAGES_API_FIELDS.issuperset(body):
        refuse_case_variants(body, _KEYS_THAT_MATTER)
        refuse_preset(body)
        seen.unbounded += unlisted(body, MESSAGES_API_FIELDS)
    first_user_text = _read_messages(messages, seen)
    system_text = _read_system(get("system"), seen)
    tools = get("tools")
    if tools is not None:
        _read_tools(tools, seen)
    if servers := get("mcp_servers"):
        seen.unbounded.append("mcp")
        seen.addresses += _addresses(servers if type(servers) is list else [servers])
    if get("container") is not None:  # an empty one asks for a new one
        seen.unbounded.append("container")
    if _may_compact(body):
        seen.unbounded.append("compaction")
    metadata = mapping(body, "metadata")
    session, end_user = (None, None) if metadata is None else _user(text(metadata, "user_id", "metadata"))
    thinking = mapping(body, "thinking")
    tier = text(body, "service_tier")
    temperature = number(body, "temperature")
    return Facts(
        model=model,
        stream=flag(body, "stream") is True,
        wants_stream_usage=True,
        max_tokens=count(body, "max_tokens"),
        text_bytes=raw_len - seen.base64_bytes,
        messages=len(messages),
        tools=len(tools) if tools is not None else 0,
        vendor_tools=seen.vendor_tools,
        web_tools=tuple(seen.web_tools),
        images=tuple(seen.images),
        unbounded=tuple(seen.unbounded),
        fetches=fetched_from(seen.addresses) if seen.addresses else "nothing",
        has_document=seen.document,
        has_json_schema=_has_schema(body),
        has_reasoning=thinking is not None and thinking.get("type") != "disabled",
        temperature=None if temperature is None else float(temperature),
        end_user=end_user,
        session_hint=session,
        first_user_text=first_user_text,
        system_text=system_text,
        service_tier="fast" if text(body, "speed") == "fast" else tier,
        inference_geo=text(body, "inference_geo"),
        openrouter={} if _OPENROUTER_KEYS.isdisjoint(body) else {k: body[k] for k in _OPENROUTER_KEYS & body.keys()},
    )


def _may_compact(body: dict[str, Any]) -> bool:
    """Whether the API may summarise the context first: a further round over all of it, billed, of any length."""
    management = mapping(body, "context_management")
    edits = None if management is None else management.get("edits")
    if type(edits) is not list:
        return False
    kinds = [edit.get("type") for edit in edits if type(edit) is dict]
    return any(type(kind) is str and kind.startswith("compact") for kind in kinds)


def is_client_json(user_id: str) -> bool:
    """True for a `metadata.user_id` that is a client's own record (Claude Code), with device and account in it."""
    return user_id.startswith("{") or (user_id.startswith("user_") and "_session_" in user_id)


def _user(user_id: str | None) -> tuple[str | None, str | None]:
    """(session, end user) of `metadata.user_id`: JSON of Claude Code, its older `user_…_session_…`, or a plain id."""
    if not user_id:
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


def _read_system(system: Any, seen: _Seen) -> str:
    """The beginning of its text. Whatever else is in it, Anthropic refuses; of others nobody knows."""
    if system is None or type(system) is str:
        return head_text(system)
    if type(system) is not list:
        raise MalformedRequest("`system` must be text or a list of text blocks", "system")
    for at, block in enumerate(system):
        if type(block) is not dict:
            wrong("", f"system[{at}]", "an object")
        text(block, "text", f"system[{at}]")
        if (kind := block.get("type", "text")) != "text":
            seen.unbounded.append(str(kind)[:40])
            seen.addresses += _addresses([block.get("source")])
    if system and (system[0].get("text") or "").startswith(BILLING_HEADER):
        system = system[1:]
    return head_text(system)


def _read_messages(messages: list[Any], seen: _Seen) -> str:
    """The beginning of what the user said first; what all messages hold goes to `seen`."""
    first_user_text = ""
    for index, message in enumerate(messages):
        if type(message) is not dict or type(message.get("role")) is not str:
            raise MalformedRequest(f"`messages[{index}]` must be an object with a `role`", f"messages[{index}].role")
        content = message.get("content")
        if type(content) is list:
            _read_blocks(content, f"messages[{index}].content", seen)
        elif type(content) is not str:
            wrong(f"messages[{index}]", "content", "text or a list of blocks")
        if not first_user_text and message["role"] == "user":
            first_user_text = head_text(content)
    return first_user_text


def _read_blocks(blocks: list[Any], where: str, seen: _Seen) -> None:
    for at, block in enumerate(blocks):
        if type(block) is not dict:
            wrong("", f"{where}[{at}]", "an object")
        kind = block.get("type")
        if kind == "text":
            if type(block.get("text")) is not str:
                wrong(f"{where}[{at}]", "text", "text")
        elif type(kind) is not str:
            wrong(f"{where}[{at}]", "type", "text")
        elif kind in _TEXTUAL_BLOCKS:
            continue
        elif kind == "image":
            _read_image(block.get("source"), f"{where}[{at}]", seen)
        elif kind == "document":
            _read_document(block.get("source"), f"{where}[{at}]", seen)
        elif kind in _NESTED_BLOCKS:
            _read_nested(block.get("content"), f"{where}[{at}].content", seen)
        elif kind != "web_search_result":
            seen.unbounded.append(kind[:40])


def _read_nested(content: Any, where: str, seen: _Seen) -> None:
    if type(content) is list:
        _read_blocks(content, where, seen)
    elif type(content) is dict:
        # An error, or what was fetched: a document.
        inner = content.get("content")
        if type(inner) is dict and inner.get("type") == "document":
            _read_document(inner.get("source"), f"{where}.content", seen)
    elif content is not None and type(content) is not str:
        wrong("", where, "text or a list of blocks")


def _read_image(source: Any, where: str, seen: _Seen) -> None:
    kind = source.get("type") if type(source) is dict else None
    if kind == "base64" and type(data := source.get("data")) is str:
        seen.base64_bytes += len(data)
        width, height = pixel_size(data)
        seen.images.append(ImageFact("base64", len(data), width, height))
    elif kind == "url":
        seen.images.append(ImageFact("url"))
        seen.unbounded.append("image_url")
        seen.addresses += _addresses([source])
    elif kind == "file":
        seen.images.append(ImageFact("file"))
        seen.unbounded.append("file")
    else:
        wrong(where, "source", "an image's source of type `base64`, `url` or `file`, with its data")


def _read_document(source: Any, where: str, seen: _Seen) -> None:
    seen.document = True
    if type(source) is not dict:
        wrong(where, "source", "an object with a `type`")
    kind = source.get("type")
    if kind == "text":
        return
    if kind == "content":
        if type(content := source.get("content")) is list:
            _read_blocks(content, f"{where}.source.content", seen)
        return
    if kind == "base64" and type(data := source.get("data")) is str:
        seen.base64_bytes += len(data)
    elif kind == "url":
        seen.addresses += _addresses([source])
    seen.unbounded.append("file")


def _addresses(holders: list[Any]) -> list[str]:
    found = [holder.get("url") for holder in holders if type(holder) is dict]
    return [url for url in found if type(url) is str]


def _read_tools(tools: Any, seen: _Seen) -> None:
    if type(tools) is not list:
        raise MalformedRequest("`tools` must be a list", "tools")
    for at, tool in enumerate(tools):
        if type(tool) is not dict:
            raise MalformedRequest("`tools` must hold objects", "tools")
        kind = tool.get("type")
        if kind is None or kind == "custom":
            continue
        given = required_text(tool, "type", f"tools[{at}]")
        name: Any = given.rstrip("0123456789").rstrip("_")[:40]
        if name in _CLIENT_TOOLS:
            seen.vendor_tools += 1
        elif name == "web_search" or name == "web_fetch":
            seen.web_tools.append(WebTool(name, count(tool, "max_uses", f"tools[{at}]")))
        else:
            # Any other tool of Anthropic's own brings prompts, results or fees that the body does not show.
            seen.unbounded.append(name)


def _has_schema(body: dict[str, Any]) -> bool:
    config = mapping(body, "output_config")
    holder, name, where = (body, "output_format", "") if config is None else (config, "format", "output_config")
    wanted = mapping(holder, name, where)
    return wanted is not None and text(wanted, "type", path(where, name)) == "json_schema"
