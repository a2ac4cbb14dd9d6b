"""JSON as the answer, said in words: for models whose API has no field for it."""

from typing import Any

import msgspec

_PLAIN = "Answer with one JSON object and nothing else."


def json_instruction(schema: dict[str, Any] | None) -> str:
    """What a system prompt says to get one JSON object, valid under `schema` where there is one."""
    if schema is None:
        return _PLAIN
    return f"{_PLAIN} It must be valid under this JSON Schema: {msgspec.json.encode(schema).decode()}"
