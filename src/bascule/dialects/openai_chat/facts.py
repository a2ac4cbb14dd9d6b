"""One pass over a Chat Completions request: what admission, routing and the hold need to know."""

from typing import Any, Literal

from bascule.decide.addresses import fetched_from
from bascule.dialects.bounded import CHAT_FIELDS, MESSAGE_FIELDS, unlisted, unlisted_inside
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
    sequence_of_text,
    text,
    text_bytes,
    whole,
    wrong,
)
from bascule.dialects.pixels import pixel_size
from bascule.model.errors import MalformedRequest
from bascule.model.facts import Facts, ImageFact

_OPENROUTER_KEYS = frozenset({"models", "provider", "route", "transforms", "usage"})
_RARE_KEYS = _OPENROUTER_KEYS | {
    *("tools", "functions", "web_search_options", "modalities", "stream_options", "response_format", "n", "user"),
    *("prompt_cache_key", "service_tier", "reasoning_effort", "reasoning", "prediction", "thinking_budget"),
    "enable_thinking",
    *("options", "extra_body"),
}
"""What `read_facts` reads besides model, messages, stream, output cap and temperature."""
_KEYS_THAT_MATTER = _RARE_KEYS | {
    *("model", "messages", "stream", "max_tokens", "max_completion_tokens", "temperature", "tool_choice", "audio"),
    *("best_of", "logprobs", "top_logprobs", "stop", "preset"),
}
"""What decides on money or policy, so that it must not come under a name that only the provider understands."""
_PLAIN_KEYS = CHAT_FIELDS - _RARE_KEYS
"""Where there are no others, nothing but messages, an output cap and a temperature is read."""
_FUNCTION_FIELDS = frozenset({"type", "function", "name", "description", "parameters", "input_schema", "strict"})
"""Of a tool that says no type and still is a function. Google's own tools have none either: `{"googleSearch": {}}`."""
_MAX_CHOICES = 128
_MAX_THINKING_TOKENS = 1_000_000_000
_THINKING: dict[bool | None, Literal["on", "off"] | None] = {None: None, True: "on", False: "off"}


class _Seen:
    """What messages and their parts add up to."""

    __slots__ = (
        "addresses",
        "audio",
        "base64_bytes",
        "document",
        "first_user_text",
        "images",
        "system_text",
        "unbounded",
    )

    def __init__(self) -> None:
        self.base64_bytes = 0
        self.images: list[ImageFact] = []
        self.addresses: list[str] = []
        """Of what its provider would have to fetch."""
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
    if not _PLAIN_KEYS.issuperset(body):
        refuse_case_variants(body, _KEYS_THAT_MATTER)
        return _rare_facts(body, model, len(messages), seen, raw_len)
    # Most requests say no more than this. One look instead of fifteen.
    return Facts(
        model=model,
        stream=flag(body, "stream") is True,
        max_tokens=_output_cap(body),
        text_bytes=raw_len - seen.base64_bytes,
        messages=len(messages),
        images=tuple(seen.images),
        unbounded=tuple(seen.unbounded),
        fetches=fetched_from(seen.addresses) if seen.addresses else "nothing",
        has_audio=seen.audio,
        has_document=seen.document,
        temperature=_temperature(body),
        first_user_text=seen.first_user_text,
        system_text=seen.system_text,
    )


def _rare_facts(body: dict[str, Any], model: str, messages: int, seen: _Seen, raw_len: int) -> Facts:
    """The facts of a request that says more than messages, an output cap and a temperature."""
    get = body.get
    tools = get("tools")
    functions = get("functions")
    refuse_preset(body)
    seen.unbounded += unlisted(body, CHAT_FIELDS)
    seen.unbounded += unlisted_inside(body)
    tool_count = 0
    if tools is not None or functions is not None:
        tool_count = _read_tools(tools, seen) + len(objects(body, "functions"))
    if mapping(body, "web_search_options") is not None:
        seen.unbounded.append("web_search")
    _read_modalities(body, seen)
    prediction_bytes = _prediction_bytes(body, seen)
    thinking_tokens = whole(body, "thinking_budget")
    if thinking_tokens is not None and thinking_tokens > _MAX_THINKING_TOKENS:
        wrong("", "thinking_budget", f"an integer up to {_MAX_THINKING_TOKENS:,}")
    if thinking_tokens is not None and thinking_tokens < 0:
        seen.unbounded.append("thinking_budget")  # "as much as you like", where it is taken at all
    options = mapping(body, "stream_options")
    return Facts(
        model=model,
        stream=flag(body, "stream") is True,
        wants_stream_usage=options is not None and flag(options, "include_usage", "stream_options") is True,
        max_tokens=_output_cap(body),
        n=_choices(get("n")),
        text_bytes=raw_len - seen.base64_bytes,
        messages=messages,
        tools=tool_count,
        images=tuple(seen.images),
        unbounded=tuple(seen.unbounded),
        fetches=fetched_from(seen.addresses) if seen.addresses else "nothing",
        has_audio=seen.audio,
        has_document=seen.document,
        has_json_schema=_has_schema(body),
        has_reasoning=_reasons(body),
        thinking_tokens=thinking_tokens,
        thinking=_THINKING[flag(body, "enable_thinking")],
        prediction_bytes=prediction_bytes,
        temperature=_temperature(body),
        end_user=text(body, "user"),
        session_hint=text(body, "prompt_cache_key"),
        first_user_text=seen.first_user_text,
        system_text=seen.system_text,
        service_tier=text(body, "service_tier"),
        openrouter={} if _OPENROUTER_KEYS.isdisjoint(body) else {k: body[k] for k in _OPENROUTER_KEYS & body.keys()},
    )


def _read_messages(messages: list[Any], seen: _Seen) -> None:
    system_text = first_user_text = ""
    at = -1
    for message in messages:
        at += 1
        if type(message) is not dict or type(role := message.get("role")) is not str:
            raise MalformedRequest(f"`messages[{at}]` must be an object with a `role`", f"messages[{at}].role")
        content = message.get("content")
        if (len(message) > 2 or content is None) and not MESSAGE_FIELDS.issuperset(message):
            seen.unbounded += [f"messages[].{name}" for name in unlisted(message, MESSAGE_FIELDS)]
        if type(content) is not str and content is not None:
            if type(content) is not list:
                wrong(f"messages[{at}]", "content", "text or a list of parts")
            _read_parts(content, f"messages[{at}].content", seen)
        if role == "user":
            if not first_user_text:
                first_user_text = head_text(content)
        elif not system_text and (role == "system" or role == "developer"):
            system_text = head_text(content)
    seen.first_user_text = first_user_text
    seen.system_text = system_text


def _read_parts(parts: list[Any], where: str, seen: _Seen) -> None:
    for at, part in enumerate(parts):
        if type(part) is not dict:
            wrong("", f"{where}[{at}]", "an object")
        kind = part.get("type")
        if kind == "text":
            if type(part.get("text")) is not str:
                wrong(f"{where}[{at}]", "text", "text")
        elif type(kind) is not str:
            wrong(f"{where}[{at}]", "type", "text")
        elif kind == "image_url":
            _read_image(part.get("image_url"), f"{where}[{at}].image_url", seen)
        elif kind == "input_audio":
            seen.audio = True
            seen.unbounded.append("audio")
            seen.base64_bytes += _payload(part.get("input_audio"), "data")
        elif kind == "file":
            seen.document = True
            seen.unbounded.append("file")
            seen.base64_bytes += _payload(part.get("file"), "file_data")
            _note_address(part.get("file"), seen)
        elif kind != "refusal":
            seen.unbounded.append(kind[:40])
            _note_address(part.get(kind), seen)


def _read_image(image: Any, where: str, seen: _Seen) -> None:
    url, detail = image, None
    if type(image) is dict:
        url = image.get("url")
        detail = text(image, "detail", where)
    if type(url) is not str:
        wrong(where, "url", "the address of an image, or its data")
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


def _note_address(held: Any, seen: _Seen) -> None:
    """Of a video, a sound or whatever kind of part comes next: they all name it like an image's."""
    given = (held.get("url") or held.get("file_url")) if type(held) is dict else held
    if type(given) is str:
        seen.addresses.append(given)


def _payload(holder: Any, name: str) -> int:
    """Bytes of a base64 payload, which do not become text. Only ASCII counts, so that the bound stays sound."""
    data = holder.get(name) if type(holder) is dict else None
    return len(data) if type(data) is str and data.isascii() else 0


def _read_tools(tools: Any, seen: _Seen) -> int:
    if tools is None:
        return 0
    if type(tools) is not list:
        raise MalformedRequest("`tools` must be a list", "tools")
    for tool in tools:
        kind = tool.get("type", "") if type(tool) is dict else None
        if type(kind) is not str:
            raise MalformedRequest("`tools` must hold objects with a `type`", "tools")
        if not kind:
            seen.unbounded += [name[:40] for name in sorted(tool.keys() - _FUNCTION_FIELDS)]
        elif kind != "function" and kind != "custom":
            seen.unbounded.append("web_search" if "search" in kind else kind[:40])
    return len(tools)


def _read_modalities(body: dict[str, Any], seen: _Seen) -> None:
    for kind in sequence_of_text(body, "modalities"):
        if kind == "audio":
            seen.audio = True
        if kind != "text":
            seen.unbounded.append(kind[:40])


def _prediction_bytes(body: dict[str, Any], seen: _Seen) -> int:
    """Bytes of `prediction.content`: rejected tokens of it are billed as output (OpenAI, "Predicted Outputs")."""
    prediction = mapping(body, "prediction")
    if prediction is None:
        return 0
    content = prediction.get("content")
    pieces = [content] if type(content) is str else content if type(content) is list else [None]
    size = 0
    for piece in pieces:
        given = piece.get("text") if type(piece) is dict else piece
        if type(given) is not str or prediction.get("type", "content") != "content":
            seen.unbounded.append("prediction")
            return 0
        size += text_bytes(given)
    return size


def _output_cap(body: dict[str, Any]) -> int | None:
    """The larger where both fields are sent, since providers differ in which one they read."""
    newer = count(body, "max_completion_tokens")
    older = count(body, "max_tokens")
    if newer is None or older is None:
        return older if newer is None else newer
    return max(newer, older)


def _temperature(body: dict[str, Any]) -> float | None:
    value = number(body, "temperature")
    return None if value is None else float(value)


def _choices(n: Any) -> int:
    if n is None:
        return 1
    if type(n) is not int or not 1 <= n <= _MAX_CHOICES:
        raise MalformedRequest(f"`n` must be an integer from 1 to {_MAX_CHOICES}", "n")
    return n


def _has_schema(body: dict[str, Any]) -> bool:
    """Its shape is checked where it is one: targets that know no schemas get it as text."""
    given = mapping(body, "response_format")
    if given is None or text(given, "type", "response_format") != "json_schema":
        return False
    wrapped = mapping(given, "json_schema", "response_format")
    if wrapped is not None:
        mapping(wrapped, "schema", "response_format.json_schema")
    return True


def _reasons(body: dict[str, Any]) -> bool:
    effort = text(body, "reasoning_effort")
    return (effort is not None and effort != "none") or mapping(body, "reasoning") is not None
