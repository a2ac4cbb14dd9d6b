"""What a Gemini request asks for: its path's part of it, its body in the shape that `prompt` reads, and what is wrong
with it."""

import base64
import binascii
from typing import Any

VERBS = ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")
_FIELDS = frozenset(
    {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent"}
    | {"labels", "store", "serviceTier", "generateContentRequest"}
)
_FOREIGN = b"bascule"
"""How a gateway may mark signatures that are not Google's; none may get here."""


def of_path(path: str) -> tuple[str, str] | None:
    """(model, verb) of `…/models/{model}:verb`, None for any other path."""
    resource, colon, verb = path.rpartition(":")
    if not colon or verb not in VERBS or "/models/" not in resource:
        return None
    return resource.partition("/models/")[2], verb


def as_chat(body: dict[str, Any]) -> dict[str, Any]:
    """The body as `prompt` reads Anthropic's and OpenAI's: messages, tools, caps and schema under their names."""
    body = spelled(body)
    inner = body.get("generateContentRequest")
    body = inner if isinstance(inner, dict) else body
    config = _object(body, "generationConfig")
    asked: dict[str, Any] = {"messages": [_message(content) for content in _objects(body, "contents")]}
    if system := _texts(_object(body, "systemInstruction")):
        asked["system"] = [{"type": "text", "text": text} for text in system]
    if "maxOutputTokens" in config:
        asked["max_tokens"] = config["maxOutputTokens"]
    asked["n"] = config.get("candidateCount")
    functions = [function for tool in _objects(body, "tools") for function in _objects(tool, "functionDeclarations")]
    if functions:
        asked["tools"] = functions
    if _object(_object(body, "toolConfig"), "functionCallingConfig").get("mode") == "NONE":
        asked["tool_choice"] = "none"
    if config.get("responseMimeType") == "application/json":
        schema = config.get("responseJsonSchema") or _lower(config.get("responseSchema")) or {}
        asked["response_format"] = {"type": "json_schema", "json_schema": {"schema": schema}}
    if _object(config, "thinkingConfig").get("includeThoughts"):
        asked["thinking"] = {"type": "enabled"}
    return asked


def complaint(body: Any) -> str | None:
    """Why this body is a 400 at Google, None where it is sound."""
    if not isinstance(body, dict):
        return "Invalid JSON payload received."
    body = spelled(body)
    for name in body:
        if name not in _FIELDS:
            return f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    inner = body.get("generateContentRequest")
    contents = _objects(inner if isinstance(inner, dict) else body, "contents")
    if not contents:
        return "* GenerateContentRequest.contents: contents is not specified"
    cap = _object(body, "generationConfig").get("maxOutputTokens")
    if cap is not None and (not isinstance(cap, int) or isinstance(cap, bool) or cap < 1):
        return "max_output_tokens must be positive"
    return _turns_complaint(contents)


def _turns_complaint(contents: list[dict[str, Any]]) -> str | None:
    turns: list[tuple[str, list[dict[str, Any]]]] = []
    for content in contents:
        role, parts = content.get("role", "user"), _objects(content, "parts")
        if role not in {"user", "model"}:
            return "Please use a valid role: user, model."
        if not parts:
            return "* GenerateContentRequest.contents.parts: must include at least one parts field"
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(parts)
        else:
            turns.append((role, list(parts)))
    return _calls_complaint([parts for _, parts in turns])


def _calls_complaint(turns: list[list[dict[str, Any]]]) -> str | None:
    open_calls = 0
    for parts in turns:
        for part in parts:
            if (signature := part.get("thoughtSignature")) is not None and not _is_own(signature):
                return "Corrupted thought signature."
        if sum("functionResponse" in part for part in parts) != open_calls:
            return (
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        calls = [part for part in parts if "functionCall" in part]
        if calls and not calls[0].get("thoughtSignature"):
            return "Function call is missing a thought_signature in functionCall parts."
        open_calls = len(calls)
    return None


def _is_own(signature: Any) -> bool:
    if not isinstance(signature, str):
        return False
    plain = signature.replace("-", "+").replace("_", "/")
    try:
        return not base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).startswith(_FOREIGN)
    except binascii.Error:
        return False


def _message(content: dict[str, Any]) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    for part in _objects(content, "parts"):
        if "functionResponse" in part:
            text = str(_object(part, "functionResponse").get("response"))
            blocks.append({"type": "tool_result", "content": text})
        elif "functionCall" in part:
            blocks.append({"type": "tool_use", "input": _object(part, "functionCall").get("args")})
        elif "inlineData" in part or "fileData" in part:
            blocks.append({"type": "image"})
        else:
            blocks.append({"type": "text", "text": part.get("text")})
    return {"role": "assistant" if content.get("role") == "model" else "user", "content": blocks}


def _texts(content: dict[str, Any]) -> list[str]:
    return [part["text"] for part in _objects(content, "parts") if isinstance(part.get("text"), str)]


_FREE = frozenset({"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema"})
"""What lies in these has names of its own."""


def spelled(value: Any) -> Any:
    """A body with the names of JSON: Google's API reads those of its protocol buffers (`function_declarations`) too."""
    if isinstance(value, list):
        return [spelled(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        first, *rest = name.split("_")
        camel = first + "".join([word.capitalize() for word in rest])
        found[camel] = inner if camel in _FREE else spelled(inner)
    return found


def _lower(schema: Any) -> Any:
    """Google's schema with the types of JSON Schema."""
    if isinstance(schema, dict):
        return {
            key: value.lower() if key == "type" and isinstance(value, str) else _lower(value)
            for key, value in schema.items()
        }
    return [_lower(item) for item in schema] if isinstance(schema, list) else schema


def _object(holder: dict[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _objects(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = holder.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
