"""One pass over a Responses request: what admission, routing and the hold need to know."""

from typing import Any

from bascule.decide.addresses import fetched_from
from bascule.dialects.bounded import RESPONSES_FIELDS, lasts_longer, unlisted, unlisted_responses
from bascule.dialects.fields import (
    count,
    flag,
    head_text,
    mapping,
    model_name,
    number,
    objects,
    refuse_case_variants,
    refuse_preset,
    text,
    wrong,
)
from bascule.dialects.openai_responses.outside import outside_body
from bascule.dialects.openai_responses.tool_items import TOOL_ITEMS
from bascule.dialects.pixels import pixel_size
from bascule.model.errors import MalformedRequest
from bascule.model.facts import Facts, ImageFact, WebTool

_OPENROUTER_KEYS = frozenset({"models", "provider", "route", "transforms", "usage"})
_KEYS_THAT_MATTER = _OPENROUTER_KEYS | {
    *("model", "input", "instructions", "stream", "max_output_tokens", "max_tool_calls", "tools", "tool_choice"),
    *("reasoning", "text", "temperature", "service_tier", "background", "conversation", "previous_response_id"),
    *("prompt", "context_management", "user", "prompt_cache_key", "include", "preset"),
}
"""What decides on money or policy, so that it must not come under a name that only the provider understands."""
_MESSAGE_ROLES = ("user", "assistant", "system", "developer")
_TEXTUAL_ITEMS = frozenset(
    {"function_call", "custom_tool_call", "reasoning", "compaction", "web_search_call", "file_search_call"}
    | {"local_shell_call", "local_shell_call_output", "shell_call", "apply_patch_call", "apply_patch_call_output"}
    | {"tool_search_call", "tool_search_output", "additional_tools", "computer_call", "code_interpreter_call"}
    | {"mcp_list_tools", "mcp_call", "mcp_approval_request"}
)
"""Items of a history of which all that a model reads stands in the body, but for what `outside_body` finds; what was
encrypted grew by it."""
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output", "computer_call_output", "shell_call_output"})
_TEXTUAL_PARTS = frozenset({"input_text", "output_text", "refusal", "summary_text", "reasoning_text", "text"})
_CLIENT_TOOLS = frozenset({"local_shell", "apply_patch", "computer", "computer_use_preview"})
"""OpenAI's own tools whose work the client does: the provider only writes their prompt."""
_SENT_TOOLS = frozenset({"function", "custom", "namespace"})


class _Seen:
    """What items, parts and tools add up to."""

    __slots__ = (
        "addresses",
        "audio",
        "base64_bytes",
        "document",
        "first_user_text",
        "images",
        "most_calls",
        "system_text",
        "tools",
        "unbounded",
        "vendor_tools",
        "web_tools",
    )

    def __init__(self, most_calls: int | None) -> None:
        self.most_calls = most_calls
        """`max_tool_calls`, which limits all that the provider does by itself."""
        self.base64_bytes = 0
        self.images: list[ImageFact] = []
        self.addresses: list[str] = []
        """Of what its provider would have to fetch."""
        self.unbounded: list[str] = []
        self.audio = False
        self.document = False
        self.first_user_text = ""
        self.system_text = ""
        self.tools = 0
        self.vendor_tools = 0
        self.web_tools: list[WebTool] = []


def read_facts(body: dict[str, Any], raw_len: int) -> Facts:
    """Raises MalformedRequest naming the field. `raw_len` is the body's length in bytes."""
    model = model_name(body)
    seen = _Seen(count(body, "max_tool_calls"))
    if not RESPONSES_FIELDS.issuperset(body):
        refuse_case_variants(body, _KEYS_THAT_MATTER)
        refuse_preset(body)
        seen.unbounded += unlisted(body, RESPONSES_FIELDS)
    seen.unbounded += unlisted_responses(body)
    seen.system_text = head_text(text(body, "instructions"))
    items = _read_input(body, seen)
    _read_stored(body, seen)
    _read_tools(objects(body, "tools"), "tools", seen)
    reasoning = mapping(body, "reasoning")
    effort = None if reasoning is None else text(reasoning, "effort", "reasoning")
    temperature = number(body, "temperature")
    return Facts(
        model=model,
        stream=flag(body, "stream") is True,
        wants_stream_usage=True,
        max_tokens=count(body, "max_output_tokens"),
        text_bytes=raw_len - seen.base64_bytes,
        messages=items,
        tools=seen.tools,
        images=tuple(seen.images),
        unbounded=tuple(seen.unbounded),
        fetches=fetched_from(seen.addresses) if seen.addresses else "nothing",
        vendor_tools=seen.vendor_tools,
        web_tools=tuple(seen.web_tools),
        has_audio=seen.audio,
        has_document=seen.document,
        has_json_schema=_has_schema(body),
        has_reasoning=reasoning is not None and effort != "none",
        temperature=None if temperature is None else float(temperature),
        end_user=text(body, "user") or text(body, "safety_identifier"),
        session_hint=text(body, "prompt_cache_key"),
        first_user_text=seen.first_user_text,
        system_text=seen.system_text,
        service_tier=text(body, "service_tier"),
        openrouter={} if _OPENROUTER_KEYS.isdisjoint(body) else {k: body[k] for k in _OPENROUTER_KEYS & body.keys()},
    )


def _read_input(body: dict[str, Any], seen: _Seen) -> int:
    """The number of items. Without `input` there has to be something else to answer: a stored conversation."""
    given = body.get("input")
    if type(given) is str:
        seen.first_user_text = head_text(given)
        return 1
    if given is None and any(body.get(name) is not None for name in ("previous_response_id", "conversation", "prompt")):
        return 0
    if type(given) is not list or not given:
        raise MalformedRequest("`input` must be text, or a list with at least one item", "input")
    for at, item in enumerate(given):
        if type(item) is not dict:
            wrong("", f"input[{at}]", "an object")
        _read_item(item, f"input[{at}]", seen)
    return len(given)


def _read_item(item: dict[str, Any], where: str, seen: _Seen) -> None:
    kind = item.get("type")
    if kind is None or kind == "message":
        role = item.get("role")
        if role not in _MESSAGE_ROLES:
            wrong(where, "role", "`user`, `assistant`, `system` or `developer`")
        content = item.get("content")
        _read_content(content, f"{where}.content", seen)
        if role == "user":
            if not seen.first_user_text:
                seen.first_user_text = head_text(content)
        elif role != "assistant" and not seen.system_text:
            seen.system_text = head_text(content)
    elif type(kind) is not str:
        wrong(where, "type", "text")
    elif kind in _OUTPUTS:
        output = item.get("output")
        if type(output) is list:
            _read_parts(output, f"{where}.output", seen)
        elif type(output) is dict:
            _read_parts([output], f"{where}.output", seen)
        elif type(output) is not str:
            wrong(where, "output", "text or a list of parts")
    elif kind not in _TEXTUAL_ITEMS:
        seen.unbounded.append(kind[:40])
    else:
        if kind in TOOL_ITEMS:
            _read_tools(objects(item, "tools", where), f"{where}.tools", seen)
        if (brought := outside_body(item, kind)) is not None:
            seen.unbounded.append(brought)


def _read_content(content: Any, where: str, seen: _Seen) -> None:
    if type(content) is list:
        _read_parts(content, where, seen)
    elif type(content) is not str:
        wrong("", where, "text or a list of parts")


def _read_parts(parts: list[Any], where: str, seen: _Seen) -> None:
    for at, part in enumerate(parts):
        if type(part) is not dict:
            wrong("", f"{where}[{at}]", "an object")
        if lasts_longer(part.get("prompt_cache_breakpoint")):
            seen.unbounded.append("prompt_cache_breakpoint.ttl")
        kind = part.get("type")
        if type(kind) is not str:
            if kind is None and "stdout" in part:
                continue  # the output of a shell
            wrong(f"{where}[{at}]", "type", "text")
        if kind in _TEXTUAL_PARTS:
            name = "refusal" if kind == "refusal" else "text"
            if type(part.get(name)) is not str:
                wrong(f"{where}[{at}]", name, "text")
        elif kind in ("input_image", "computer_screenshot"):
            _read_image(part, f"{where}[{at}]", seen)
        elif kind == "input_file":
            seen.document = True
            seen.unbounded.append("file")
            seen.base64_bytes += _payload(part, "file_data")
            if (url := text(part, "file_url", f"{where}[{at}]")) is not None:
                seen.addresses.append(url)
        elif kind == "input_audio":
            seen.audio = True
            seen.unbounded.append("audio")
            seen.base64_bytes += _payload(part.get("input_audio"), "data")
        else:
            seen.unbounded.append(kind[:40])


def _read_image(part: dict[str, Any], where: str, seen: _Seen) -> None:
    detail = text(part, "detail", where)
    if text(part, "file_id", where) is not None:
        seen.images.append(ImageFact("file"))
        return
    url = part.get("image_url")
    if type(url) is not str:
        wrong(where, "image_url", "the address of an image, or its data")
    comma = url.find(",", 0, 200)
    if not url.startswith("data:image/") or comma < 0:
        seen.images.append(ImageFact("url"))
        seen.unbounded.append("image_url")
        seen.addresses.append(url)
        return
    size = len(url) - comma - 1
    seen.base64_bytes += size
    width, height = pixel_size(url, comma + 1)
    seen.images.append(ImageFact("base64", size, width, height, detail))


def _payload(holder: Any, name: str) -> int:
    """Bytes of a base64 payload, which do not become text. Only ASCII counts, so that the bound stays sound."""
    data = holder.get(name) if type(holder) is dict else None
    return len(data) if type(data) is str and data.isascii() else 0


def _read_stored(body: dict[str, Any], seen: _Seen) -> None:
    """What brings text in that does not stand in the body, or makes the provider work on by itself."""
    for name in ("previous_response_id", "conversation", "prompt"):
        if body.get(name) is not None:
            seen.unbounded.append(name)
    if flag(body, "background"):
        seen.unbounded.append("background")
    if body.get("context_management"):
        seen.unbounded.append("compaction")  # a further round over all of it, billed, of any length


def _read_tools(tools: list[dict[str, Any]], where: str, seen: _Seen) -> None:
    for at, tool in enumerate(tools):
        seen.tools += 1
        kind = tool.get("type")
        if type(kind) is not str:
            wrong(f"{where}[{at}]", "type", "text")
        if kind == "namespace":
            _read_tools(objects(tool, "tools", f"{where}[{at}]"), f"{where}[{at}].tools", seen)
        elif kind in _SENT_TOOLS:
            continue
        elif kind.startswith("web_search"):
            # Offline (`external_web_access: false`) it still is a search, and what it reads is of any length.
            seen.web_tools.append(WebTool("web_search", seen.most_calls))
        elif kind in _CLIENT_TOOLS or (kind == "tool_search" and tool.get("execution") == "client"):
            seen.vendor_tools += 1
        else:
            seen.unbounded.append(kind[:40])
            if type(url := tool.get("server_url")) is str:
                seen.addresses.append(url)


def _has_schema(body: dict[str, Any]) -> bool:
    """Its shape is checked where it is one: targets that know no schemas get it as text."""
    config = mapping(body, "text")
    wanted = None if config is None else mapping(config, "format", "text")
    if wanted is None or text(wanted, "type", "text.format") != "json_schema":
        return False
    mapping(wanted, "schema", "text.format")
    return True
