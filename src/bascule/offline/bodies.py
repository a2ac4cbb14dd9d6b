"""Requests out of files: which dialect a body is in, and what it asks for."""

from typing import Any

import orjson
from msgspec import Struct

from bascule.dialects.registry import dialect
from bascule.model.errors import MalformedRequest
from bascule.model.facts import Facts

MAX_LINE_BYTES = 64 * 1024 * 1024
_ANTHROPIC_ONLY = ("system", "thinking", "stop_sequences", "top_k", "mcp_servers", "container", "anthropic_version")

_RESPONSES_ONLY = ("instructions", "max_output_tokens", "previous_response_id", "reasoning", "store", "stream", "text")


class Asked(Struct, frozen=True, kw_only=True):
    """One request of a file."""

    line: int
    id: str | None
    """Its `custom_id` (OpenAI's batch format), if any."""
    dialect: str
    body: dict[str, Any]
    facts: Facts


class BadLine(Struct, frozen=True):
    line: int
    problem: str


def dialect_of(body: dict[str, Any], url: str | None = None) -> str:
    """`openai_embeddings`, `openai_responses`, `anthropic_messages`, `gemini` or `openai_chat`: by the URL that it was
    meant for, else by fields that only one of them has. A body that several could read counts as OpenAI's Chat."""
    if url is not None:
        if url.partition("?")[0].endswith((":generateContent", ":streamGenerateContent")):
            return "gemini"
        if "embeddings" in url:
            return "openai_embeddings"
        if "/responses" in url:
            return "openai_responses"
        return "anthropic_messages" if "/messages" in url else "openai_chat"
    if "messages" not in body and "contents" in body:
        return "gemini"
    if "messages" not in body and ("input" in body or "previous_response_id" in body):
        return "openai_responses" if any(name in body for name in _RESPONSES_ONLY) else "openai_embeddings"
    if any(name in body for name in _ANTHROPIC_ONLY):
        return "anthropic_messages"
    tools = body.get("tools")
    if isinstance(tools, list) and any(isinstance(tool, dict) and "input_schema" in tool for tool in tools):
        return "anthropic_messages"
    messages = body.get("messages")
    if isinstance(messages, list) and any(map(_has_anthropic_block, messages)):
        return "anthropic_messages"
    return "openai_chat"


def _has_anthropic_block(message: Any) -> bool:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return False
    kinds = {block.get("type") for block in content if isinstance(block, dict)}
    cached = any(isinstance(block, dict) and "cache_control" in block for block in content)
    return cached or not kinds.isdisjoint({"tool_use", "tool_result", "thinking", "redacted_thinking", "document"})


def read_line(number: int, raw: bytes, model: str | None = None) -> Asked | BadLine:
    """One line of JSON: a body, or a line of OpenAI's batch format with a body in it. `model` replaces the body's."""
    if len(raw) > MAX_LINE_BYTES:
        return BadLine(number, f"longer than {MAX_LINE_BYTES} bytes")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return BadLine(number, f"not JSON: {error}")
    if not isinstance(document, dict):
        return BadLine(number, "not a JSON object")
    body, url, identifier = document, None, None
    if isinstance(document.get("body"), dict):
        body, url, identifier = document["body"], document.get("url"), document.get("custom_id")
    if model is not None:
        body = {**body, "model": model}
    name = dialect_of(body, url if isinstance(url, str) else None)
    try:
        facts = dialect(name).read_facts(body, len(orjson.dumps(body)))
    except MalformedRequest as error:
        where = f"{error.param}: " if error.param and error.param not in str(error) else ""
        return BadLine(number, f"{where}{error}")
    return Asked(line=number, id=None if identifier is None else str(identifier), dialect=name, body=body, facts=facts)
