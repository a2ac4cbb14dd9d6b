"""Items of a history that bring more than stands in the body: content which the provider keeps.

OpenAI looks an item up by its `id` where its content is not sent along (hence its error "Item with id 'rs_…' not found"
for those who do not store), so that such an item is an `item_reference` under another name.
"""

from typing import Any

from bascule.dialects.openai_responses.signature import is_ours

_HOLDING = {
    "reasoning": ("encrypted_content",),
    "compaction": ("encrypted_content",),
    "web_search_call": (),
    "file_search_call": ("results",),
    "code_interpreter_call": ("outputs",),
    "mcp_call": ("output", "error"),
    "mcp_list_tools": ("tools", "error"),
    "tool_search_output": ("tools",),
}
"""The fields that may hold what an item of this type brings. What a web search found is in none."""
_TEXT_OF = {"results": "text", "outputs": "logs"}
"""Lists of parts, of which the text is in this field. An image that was plotted is an address."""


def outside_body(item: dict[str, Any], kind: str) -> str | None:
    """The field of an item by which more comes in than stands in the body; None where nothing does.

    Reasoning of other vendors is not among it: the relay leaves it out.
    """
    for name, inner in _TEXT_OF.items():
        if name in _HOLDING.get(kind, ()) and not _all_text(item.get(name), inner):
            return f"{kind}.{name}"
    if kind not in _HOLDING or item.get("id") is None or any(item.get(name) for name in _HOLDING[kind]):
        return None
    return None if kind == "reasoning" and is_ours(item) else f"{kind}.id"


def _all_text(parts: Any, name: str) -> bool:
    """No part holds anything but text; nothing at all is none."""
    if not parts:
        return True
    return type(parts) is list and all(type(part) is dict and type(part.get(name)) is str for part in parts)
