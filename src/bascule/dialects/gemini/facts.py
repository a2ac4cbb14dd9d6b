"""One pass over a `generateContent` request: what admission, routing and the hold need to know.

`model` and `stream`, which this API has in the path, have been put into the body before.
"""

from typing import Any

from bascule.decide.addresses import fetched_from
from bascule.dialects.bounded import GEMINI_FIELDS, GEMINI_GENERATION_FIELDS, GEMINI_PART_FIELDS, unlisted
from bascule.dialects.fields import (
    Holder,
    count,
    flag,
    mapping,
    model_name,
    number,
    objects,
    required_text,
    sequence_of_text,
    text,
    whole,
    wrong,
)
from bascule.dialects.gemini.spelling import camel, refuse_lookalikes
from bascule.dialects.pixels import pixel_size
from bascule.model.errors import MalformedRequest
from bascule.model.facts import Facts, ImageFact

_HEAD_CHARS = 2_000
_MAX_CHOICES = 128
_SEARCHES = frozenset({"googleSearch", "googleSearchRetrieval", "enterpriseWebSearch"})


class _Seen:
    __slots__ = ("addresses", "audio", "base64_bytes", "document", "images", "unbounded")

    def __init__(self) -> None:
        self.base64_bytes = 0
        self.images: list[ImageFact] = []
        self.addresses: list[str] = []
        """Of what its provider would have to fetch."""
        self.unbounded: list[str] = []
        self.audio = False
        self.document = False


def read_facts(body: Holder, raw_len: int) -> Facts:
    """Raises MalformedRequest naming the field. `raw_len` is the body's length in bytes."""
    body = camel(body)
    model = model_name(body)
    refuse_lookalikes(body, GEMINI_FIELDS)
    contents = objects(body, "contents")
    if not contents:
        raise MalformedRequest("`contents` must be a list with at least one content", "contents")
    seen = _Seen()
    seen.unbounded += unlisted(body, GEMINI_FIELDS)
    first_user_text = _read_contents(contents, seen)
    system = mapping(body, "systemInstruction")
    system_text = "" if system is None else _read_content(system, "systemInstruction", seen)
    tools = _read_tools(body, seen)
    config = camel(mapping(body, "generationConfig") or {}, "generationConfig")
    refuse_lookalikes(config, GEMINI_GENERATION_FIELDS, "generationConfig")
    seen.unbounded += [f"generationConfig.{name}" for name in unlisted(config, GEMINI_GENERATION_FIELDS)]
    for modality in sequence_of_text(config, "responseModalities", "generationConfig"):
        if modality.upper() not in ("TEXT", "MODALITY_UNSPECIFIED"):
            seen.unbounded.append(modality[:40].lower())
    temperature = number(config, "temperature", "generationConfig")
    tier = text(body, "serviceTier")
    return Facts(
        model=model,
        stream=flag(body, "stream") is True,
        wants_stream_usage=True,
        max_tokens=count(config, "maxOutputTokens", "generationConfig"),
        n=_choices(config),
        text_bytes=raw_len - seen.base64_bytes,
        messages=len(contents),
        tools=tools,
        images=tuple(seen.images),
        unbounded=tuple(seen.unbounded),
        fetches=fetched_from(seen.addresses) if seen.addresses else "nothing",
        has_audio=seen.audio,
        has_document=seen.document,
        has_json_schema=any(config.get(name) is not None for name in SCHEMAS),
        has_reasoning=_reasons(config),
        temperature=None if temperature is None else float(temperature),
        first_user_text=first_user_text,
        system_text=system_text,
        service_tier=None if tier is None else tier.lower(),
    )


SCHEMAS = ("responseSchema", "responseJsonSchema", "_responseJsonSchema")
"""Where the schema of an answer may stand; the last is the older name of the second."""


def _read_contents(contents: list[Holder], seen: _Seen) -> str:
    """The beginning of what the user said first; what all contents hold goes to `seen`."""
    first_user_text = ""
    for at, content in enumerate(contents):
        head = _read_content(content, f"contents[{at}]", seen)
        if not first_user_text and content.get("role") in (None, "", "user"):
            first_user_text = head
    return first_user_text


def _read_content(content: Holder, where: str, seen: _Seen) -> str:
    """The beginning of its text."""
    text(content, "role", where)
    head = ""
    for at, part in enumerate(objects(content, "parts", where)):
        place = f"{where}.parts[{at}]"
        part = camel(part, place)
        given = text(part, "text", place)
        if given and len(head) < _HEAD_CHARS:
            head = f"{head}\n{given[:_HEAD_CHARS]}" if head else given[:_HEAD_CHARS]
        if len(part) > 1 or given is None:
            _read_part(part, place, seen)
    return head[:_HEAD_CHARS]


def _read_part(part: Holder, where: str, seen: _Seen) -> None:
    seen.unbounded += [f"parts[].{name}" for name in unlisted(part, GEMINI_PART_FIELDS)]
    _read_data(part, where, seen)
    response = mapping(part, "functionResponse", where)
    if response is not None:
        for at, inner in enumerate(objects(response, "parts", f"{where}.functionResponse")):
            place = f"{where}.functionResponse.parts[{at}]"
            _read_data(camel(inner, place), place, seen)


def _read_data(part: Holder, where: str, seen: _Seen) -> None:
    """Bytes in the request, or the address of some."""
    blob = mapping(part, "inlineData", where)
    if blob is not None:
        place = f"{where}.inlineData"
        blob = camel(blob, place)
        _read_blob(required_text(blob, "mimeType", place), required_text(blob, "data", place), seen)
    file = mapping(part, "fileData", where)
    if file is not None:
        place = f"{where}.fileData"
        file = camel(file, place)
        seen.addresses.append(required_text(file, "fileUri", place))
        if (text(file, "mimeType", place) or "").startswith("image/"):
            seen.images.append(ImageFact("url"))
            seen.unbounded.append("image_url")
        else:
            seen.document = True
            seen.unbounded.append("file")


def _read_blob(mime_type: str, data: str, seen: _Seen) -> None:
    kind = mime_type.partition("/")[0].lower()
    if kind == "text":
        seen.document = True  # it becomes text, of fewer bytes than its base64 has
        return
    size = len(data) if data.isascii() else 0
    seen.base64_bytes += size
    if kind == "image":
        width, height = pixel_size(data)
        seen.images.append(ImageFact("base64", size, width, height))
        return
    seen.audio = seen.audio or kind == "audio"
    seen.document = seen.document or kind == "application"
    seen.unbounded.append(kind if kind in ("audio", "video") else "file")


def _read_tools(body: Holder, seen: _Seen) -> int:
    """How many functions there are. Whatever else a tool is, Google runs it: prompts, results and fees unseen."""
    functions = 0
    for at, given in enumerate(objects(body, "tools")):
        where = f"tools[{at}]"
        tool = camel(given, where)
        refuse_lookalikes(tool, ("functionDeclarations",), where)
        functions += len(objects(tool, "functionDeclarations", where))
        for name, value in tool.items():
            if name != "functionDeclarations" and value is not None:
                seen.unbounded.append("web_search" if name in _SEARCHES else name[:40])
    return functions


def _choices(config: Holder) -> int:
    n = whole(config, "candidateCount", "generationConfig")
    if n is None:
        return 1
    if not 1 <= n <= _MAX_CHOICES:
        wrong("generationConfig", "candidateCount", f"an integer from 1 to {_MAX_CHOICES}")
    return n


def _reasons(config: Holder) -> bool:
    """The client wants to see thoughts, or has said how much there is to be thought."""
    given = mapping(config, "thinkingConfig", "generationConfig")
    if given is None:
        return False
    where = "generationConfig.thinkingConfig"
    thinking: dict[str, Any] = camel(given, where)
    budget = whole(thinking, "thinkingBudget", where)
    level = text(thinking, "thinkingLevel", where)
    return flag(thinking, "includeThoughts", where) is True or bool(budget) or level is not None
