"""What a request asks for: its text in bytes, its cap, its tools, and whether it is a tool's turn."""

import json
import math
from typing import Any

from bascule.testing.script import Dialect, ScriptedCall

IMAGE_TOKENS = 85
_MARKER = "CALL "


def input_tokens(body: dict[str, Any], per_byte: float = 0.25) -> int:
    """Prompt tokens by rule: the UTF-8 bytes of text that a model would see, times `per_byte`, rounded up; 85 an image.

    At least 1. Encoded images do not count as text.
    """
    texts: list[str] = []
    images = 0
    for key in ("messages", "system", "instructions", "input", "prompt"):
        images += _collect(body.get(key), texts)
    shapes = (body.get(key) for key in ("tools", "functions", "response_format", "output_config", "text"))
    texts += [json.dumps(shape, ensure_ascii=False, separators=(",", ":")) for shape in shapes if shape]
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return max(1, math.ceil(size * per_byte) + IMAGE_TOKENS * images)


def _collect(value: Any, texts: list[str]) -> int:
    """Gather text below `value`; returns the number of images."""
    if isinstance(value, str):
        texts.append(value)
        return 0
    if isinstance(value, list):
        if value and all(isinstance(item, int) for item in value):  # an embedding's input as token ids
            texts.append("1234" * len(value))
            return 0
        return sum(_collect(item, texts) for item in value)
    if not isinstance(value, dict):
        return 0
    if value.get("type") in {"image", "image_url", "input_image"}:
        return 1
    images = 0
    for key in ("content", "text", "thinking", "name", "arguments", "function", "tool_calls", "output", "summary"):
        images += _collect(value.get(key), texts)
    if value.get("type") == "tool_use":
        texts.append(json.dumps(value.get("input"), ensure_ascii=False, separators=(",", ":")))
    return images


def output_cap(body: dict[str, Any]) -> int | None:
    """The smallest of the caps that the request gives, None where it gives none."""
    names = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    caps = [body[key] for key in names if isinstance(body.get(key), int)]
    return min(caps, default=None)


def asked_calls(body: dict[str, Any], scripted: tuple[ScriptedCall, ...]) -> tuple[ScriptedCall, ...]:
    """The tool calls to answer with: none without tools or after a tool's result; `CALL name {json}` wins.

    Standing instructions after the user's turn, as Claude Code sends them, do not take the turn away.
    """
    names = _tool_names(body)
    messages = body.get("messages", body.get("input"))
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if not names or not isinstance(messages, list) or _forbids_tools(body):
        return ()
    turns = [turn for turn in messages if isinstance(turn, dict) and turn.get("role") not in {"system", "developer"}]
    if not turns or turns[-1].get("role") != "user" or _has_tool_result(turns[-1]):
        return ()
    last = turns[-1]
    texts: list[str] = []
    _collect(last.get("content"), texts)
    marked = tuple(call for text in texts for call in _marked_calls(text) if call.name in names)
    return marked or scripted


def _tool_names(body: dict[str, Any]) -> set[str]:
    names = set()
    for tool in body.get("tools") or ():
        if isinstance(tool, dict) and tool.get("type") == "namespace":
            names |= {f"{tool.get('name')}__{inner.get('name')}" for inner in tool.get("tools") or ()}
        elif isinstance(tool, dict):
            function = tool.get("function")
            names.add(str((function if isinstance(function, dict) else tool).get("name")))
    return names


def _forbids_tools(body: dict[str, Any]) -> bool:
    choice = body.get("tool_choice")
    return choice == "none" or (isinstance(choice, dict) and choice.get("type") == "none")


def _has_tool_result(message: dict[str, Any]) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(
        isinstance(block, dict) and block.get("type") == "tool_result" for block in content
    )


def _marked_calls(text: str) -> list[ScriptedCall]:
    calls = []
    decoder = json.JSONDecoder()
    for piece in text.split(_MARKER)[1:]:
        name, blank, rest = piece.partition(" ")
        if not blank or not rest.lstrip().startswith("{"):
            continue
        try:
            arguments, _ = decoder.raw_decode(rest.lstrip())
        except ValueError:
            continue
        calls.append(ScriptedCall(name, arguments))
    return calls


def asked_schema(body: dict[str, Any]) -> dict[str, Any] | None:
    """The JSON schema that the answer must satisfy, `{}` for any JSON object, None for plain text."""
    wanted = body.get("response_format")
    if isinstance(wanted, dict) and wanted.get("type") == "json_schema":
        schema = (wanted.get("json_schema") or {}).get("schema")
        return schema if isinstance(schema, dict) else {}
    if isinstance(wanted, dict) and wanted.get("type") == "json_object":
        return {}
    output = body.get("output_config", body.get("text"))
    given = output.get("format") if isinstance(output, dict) else body.get("output_format")
    if isinstance(given, dict) and given.get("type") == "json_schema":
        schema = given.get("schema")
        return schema if isinstance(schema, dict) else {}
    return {} if isinstance(given, dict) and given.get("type") == "json_object" else None


def thinks(body: dict[str, Any], dialect: Dialect) -> bool:
    """Whether a request turns thinking on where its dialect shows it (of Gemini's, as `gemini_prompt` tells)."""
    thinking = body.get("thinking")
    return (
        dialect in ("anthropic", "bedrock", "gemini")
        and isinstance(thinking, dict)
        and thinking.get("type") in {"enabled", "adaptive"}
    )


_SAMPLES = {"string": "word", "integer": 7, "number": 7.5, "boolean": True, "null": None}
_SAMPLE_DEPTH = 16


def sample(schema: Any, root: Any = None, depth: int = 0) -> Any:
    """A small value that satisfies `schema`: all properties given, one item in each array.

    What is no JSON Schema, or leads nowhere or in a circle, gives a word: a scripted upstream answers all the same.
    """
    root = schema if root is None else root
    if not isinstance(schema, dict) or depth > _SAMPLE_DEPTH:
        return "word"
    if "$ref" in schema:
        return sample(_referred(root, str(schema["$ref"])), root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if isinstance(choices := schema.get("enum"), list) and choices:
        return choices[0]
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(branches := schema.get(key), list) and branches:
            return sample(branches[0], root, depth + 1)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object":
        properties = schema.get("properties")
        given = properties.items() if isinstance(properties, dict) else ()
        return {name: sample(inner, root, depth + 1) for name, inner in given}
    if kind == "array":
        least = schema.get("minItems", 1)
        length = min(max(1, least), 100) if isinstance(least, int) else 1
        return [sample(schema.get("items") or {"type": "string"}, root, depth + 1)] * length
    return _SAMPLES.get(kind, "word") if isinstance(kind, str) else "word"


def _referred(root: Any, reference: str) -> Any:
    """What a local reference leads to; None where it leads nowhere."""
    target = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        if part:
            target = target.get(part) if isinstance(target, dict) else None
    return target
