"""One pass over a Chat Completions request: what admission, routing and the hold need to know."""

from typing import Any

from bascule.dialects.fields import count_value, flag_value, head_text, model_name, number_value
from bascule.model.errors import MalformedRequest
from bascule.model.facts import Facts, ImageFact

_OPENROUTER_KEYS = frozenset({"models", "provider", "route", "transforms", "usage"})
_RARE_KEYS = _OPENROUTER_KEYS | {
    *("tools", "functions", "web_search_options", "modalities", "stream_options", "response_format", "n", "user"),
    *("prompt_cache_key", "service_tier", "reasoning_effort", "reasoning"),
}
"""What `read_facts` reads besides model, messages, stream, output cap and temperature."""
_MAX_CHOICES = 128


class _Seen:
    """What messages and their parts add up to."""

    __slots__ = ("audio", "base64_bytes", "document", "first_user_text", "images", "system_text", "unbounded")

    def __init__(self) -> None:
        self.base64_bytes = 0
        self.images: list[ImageFact] = []
        self.unbounded: list[str] = []
        self.audio = False
        self.document = False
        self.first_user_text = ""
        self.system_text = ""


def read_facts(body: dict[str, Any], raw_len: int) -> Facts:
    """Raises MalformedRequest naming the field. `raw_len` is the body's length in bytes."""
    model = model_name(body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise MalformedRequest("`messages` must be a list with at least one message", "messages")
    seen = _Seen()
    _read_messages(messages, seen)
    if not _RARE_KEYS.isdisjoint(body):
        return _rare_facts(body, model, len(messages), seen, raw_len)
    # Most requests say no more than this. One look instead of fifteen.
    return Facts(
        model=model,
        stream=flag_value(body, "stream"),
        max_tokens=_output_cap(body),
        text_bytes=raw_len - seen.base64_bytes,
        messages=len(messages),
        images=tuple(seen.images),
        unbounded=tuple(seen.unbounded),
        has_audio=seen.audio,
        has_document=seen.document,
        temperature=number_value(body, "temperature"),
        first_user_text=seen.first_user_text,
        system_text=seen.system_text,
    )


def _rare_facts(body: dict[str, Any], model: str, messages: int, seen: _Seen, raw_len: int) -> Facts:
    """The facts of a request that says more than messages, an output cap and a temperature."""
    get = body.get
    tools = get("tools")
    functions = get("functions")
    if tools is not None or functions is not None:
        tool_count = _read_tools(tools, seen) + _list_length(functions, "functions")
    else:
        tool_count = 0
    if get("web_search_options") is not None:
        seen.unbounded.append("web_search")
    if get("modalities") is not None and "audio" in get("modalities", ()):
        seen.audio = True
        seen.unbounded.append("audio")
    options = get("stream_options")
    response_format = get("response_format")
    session = get("prompt_cache_key")
    user = get("user")
    tier = get("service_tier")
    return Facts(
        model=model,
        stream=flag_value(body, "stream"),
        wants_stream_usage=type(options) is dict and options.get("include_usage") is True,
        max_tokens=_output_cap(body),
        n=_choices(get("n")),
        text_bytes=raw_len - seen.base64_bytes,
        messages=messages,
        tools=tool_count,
        images=tuple(seen.images),
        unbounded=tuple(seen.unbounded),
        has_audio=seen.audio,
        has_document=seen.document,
        has_json_schema=type(response_format) is dict and response_format.get("type") == "json_schema",
        has_reasoning=_reasons(body),
        temperature=number_value(body, "temperature"),
        end_user=user if type(user) is str else None,
        session_hint=session if type(session) is str else None,
        first_user_text=seen.first_user_text,
        system_text=seen.system_text,
        service_tier=tier if type(tier) is str else None,
        openrouter={} if _OPENROUTER_KEYS.isdisjoint(body) else {k: body[k] for k in _OPENROUTER_KEYS & body.keys()},
    )


def _read_messages(messages: list[Any], seen: _Seen) -> None:
    system_text = first_user_text = ""
    for index, message in enumerate(messages):
        if type(message) is not dict or type(message.get("role")) is not str:
            raise MalformedRequest(f"`messages[{index}]` must be an object with a `role`", f"messages[{index}].role")
        content = message.get("content")
        if type(content) is list:
            _read_parts(content, index, seen)
        elif content is not None and type(content) is not str:
            raise MalformedRequest(
                f"`messages[{index}].content` must be text or a list of parts", f"messages[{index}].content"
            )
        role = message["role"]
        if role == "user":
            if not first_user_text:
                first_user_text = head_text(content)
        elif not system_text and (role == "system" or role == "developer"):
            system_text = head_text(content)
    seen.first_user_text = first_user_text
    seen.system_text = system_text


def _read_parts(parts: list[Any], index: int, seen: _Seen) -> None:
    for part in parts:
        if type(part) is not dict:
            raise MalformedRequest(f"`messages[{index}].content` must hold objects", f"messages[{index}].content")
        kind = part.get("type")
        if kind == "text":
            continue
        if kind == "image_url":
            _read_image(part.get("image_url"), index, seen)
        elif kind == "input_audio":
            seen.audio = True
            seen.unbounded.append("audio")
            seen.base64_bytes += _payload(part.get("input_audio"), "data")
        elif kind == "file":
            seen.document = True
            seen.unbounded.append("file")
            seen.base64_bytes += _payload(part.get("file"), "file_data")
        elif kind != "refusal":
            seen.unbounded.append(str(kind)[:40])


def _read_image(image: Any, index: int, seen: _Seen) -> None:
    url = image.get("url") if type(image) is dict else image
    if type(url) is not str:
        raise MalformedRequest(
            f"`messages[{index}]` has an image without `image_url.url`", f"messages[{index}].content"
        )
    comma = url.find(",", 0, 200)
    if not url.startswith("data:image/") or comma < 0:
        seen.images.append(ImageFact("url"))
        seen.unbounded.append("image_url")
        return
    size = len(url) - comma - 1
    seen.base64_bytes += size
    seen.images.append(ImageFact("base64", size))


def _payload(holder: Any, name: str) -> int:
    """Bytes of a base64 payload, which do not become text. Only ASCII counts, so that the bound stays sound."""
    data = holder.get(name) if type(holder) is dict else None
    return len(data) if type(data) is str and data.isascii() else 0


def _read_tools(tools: Any, seen: _Seen) -> int:
    if tools is None:
        return 0
    size = _list_length(tools, "tools")
    for tool in tools:
        kind = tool.get("type", "function") if type(tool) is dict else None
        if type(kind) is not str:
            raise MalformedRequest("`tools` must hold objects with a `type`", "tools")
        if kind != "function" and kind != "custom":
            seen.unbounded.append("web_search" if "search" in kind else kind[:40])
    return size


def _list_length(value: Any, name: str) -> int:
    if value is None:
        return 0
    if type(value) is not list:
        raise MalformedRequest(f"`{name}` must be a list", name)
    return len(value)


def _output_cap(body: dict[str, Any]) -> int | None:
    """The larger where both fields are sent, since providers differ in which one they read."""
    newer = count_value(body, "max_completion_tokens")
    older = count_value(body, "max_tokens")
    if newer is None or older is None:
        return older if newer is None else newer
    return max(newer, older)


def _choices(n: Any) -> int:
    if n is None:
        return 1
    if type(n) is not int or not 1 <= n <= _MAX_CHOICES:
        raise MalformedRequest(f"`n` must be an integer from 1 to {_MAX_CHOICES}", "n")
    return n


def _reasons(body: dict[str, Any]) -> bool:
    effort = body.get("reasoning_effort")
    return (effort is not None and effort != "none") or body.get("reasoning") is not None
