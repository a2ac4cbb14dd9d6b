"""Request bodies from bytes to objects. The tools of agents, which come again with every turn, are decoded once.

They are most of an agent's body. The same bytes give the same list, which the bodies then share, so that what is made
of it can be found again too (`dialects.remembered`). Nobody changes a decoded body.
"""

from typing import Any

import msgspec
import orjson
from msgspec import Raw

from bascule.dialects.remembered import MAX_JSON_BYTES, MAX_REMEMBERED
from bascule.dialects.values import most_values
from bascule.model.errors import Refusal

LEAST_SHARING_BYTES = 2 * 1024
"""Smaller bodies are decoded in one go."""
MAX_FIELDS = 1_000
"""Of a body itself: each is looked at by name."""
_EDGE_BYTES = 64

_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_Key = tuple[int, bytes, bytes]


class Bodies:
    """Decodes bodies. Remembers the last `MAX_REMEMBERED` lists of tools at most and none whose text is above
    `MAX_JSON_BYTES`, the oldest going first.
    """

    __slots__ = ("_lists", "max_values")

    def __init__(self, max_values: int = 1_000_000) -> None:
        """`max_values`: of one body; one that may hold more is refused undecoded."""
        self.max_values = max_values
        self._lists: dict[_Key, tuple[bytes, Any]] = {}

    def decode(self, raw: bytes) -> dict[str, Any] | Refusal:
        """The JSON object of a request, or why it is none."""
        if len(raw) > self.max_values and most_values(raw) > self.max_values:
            return Refusal(
                kind="too_large",
                message=f"the body has more than {self.max_values} commas and opening brackets, which may be as many "
                "values to decode (server.limits.max_body_values); send fewer items at once",
                code="too_many_values",
            )
        try:
            body = self._shared(raw) if len(raw) >= LEAST_SHARING_BYTES and b'"tools"' in raw else orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            return Refusal(kind="malformed", message=f"the body is not JSON: {error}", code="invalid_json")
        if not isinstance(body, dict):
            return Refusal(kind="malformed", message="the body must be a JSON object", code="invalid_json")
        if len(body) > MAX_FIELDS:
            return Refusal(
                kind="malformed",
                message=f"the body has {len(body)} fields of its own; no API knows more than {MAX_FIELDS}",
                code="too_many_fields",
            )
        return body

    def _shared(self, raw: bytes) -> Any:
        """Raises JSONDecodeError."""
        try:
            members = _MEMBERS.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return orjson.loads(raw)  # whose words about it are better
        if "tools" not in members:
            return orjson.loads(raw)
        return {
            name: self._tools(bytes(text)) if name == "tools" else orjson.loads(memoryview(text))
            for name, text in members.items()
        }

    def _tools(self, text: bytes) -> Any:
        """Looked for by its length and both ends, and then compared whole."""
        key = (len(text), text[:_EDGE_BYTES], text[-_EDGE_BYTES:])
        found = self._lists.get(key)
        if found is not None and found[0] == text:
            return found[1]
        tools = orjson.loads(text)
        if type(tools) is list and len(text) <= MAX_JSON_BYTES:
            if len(self._lists) >= MAX_REMEMBERED:
                del self._lists[next(iter(self._lists))]
            self._lists[key] = (text, tools)
        return tools
