"""Output items of an answer that another dialect's provider gave."""

from typing import Any

from bascule.dialects.names import signed_call_id
from bascule.dialects.openai_responses.names import FOREIGN_REASONING, Known, custom_input, item_id
from bascule.dialects.openai_responses.signature import encrypted_content
from bascule.model.request import Block, RedactedThinking, RefusalText, Signature, Text, Thinking, ToolUse

Item = dict[str, Any]


class Items:
    """Items of one answer: its id makes theirs, and the request's tools say how its calls are named."""

    __slots__ = ("_names", "_response", "_tools")

    def __init__(self, response: str, tools: dict[str, Known], names: dict[str, str]) -> None:
        """`names` leads from fitted tool names back to the flat ones of `tools`."""
        self._response = response
        self._tools = tools
        self._names = names

    def known(self, name: str) -> Known:
        """A called tool as the client knows it."""
        flat = self._names.get(name, name)
        return self._tools.get(flat) or Known(flat)

    def message_id(self, index: int) -> str:
        return item_id("msg_", self._response, index)

    def reasoning_id(self, index: int) -> str:
        return item_id(FOREIGN_REASONING, self._response, index)

    def call_item_id(self, index: int, tool: Known) -> str:
        return item_id("ctc_" if tool.custom else "fc_", self._response, index)

    def message(self, index: int, parts: list[Item], status: str) -> Item:
        return {
            "id": self.message_id(index),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": parts,
        }

    def reasoning(self, index: int, text: str, signature: Signature | None, *, redacted: bool = False) -> Item:
        """Always with what it takes to get it back: clients drop what they do not understand, but not this field."""
        return {
            "id": self.reasoning_id(index),
            "type": "reasoning",
            "summary": [summary_part(text)] if text else [],
            "encrypted_content": encrypted_content(signature, redacted=redacted),
        }

    def call(self, index: int, tool: Known, call: str, written: str, status: str) -> Item:
        """`written`: the arguments, or a custom tool's text."""
        item: Item = {
            "id": self.call_item_id(index, tool),
            "type": "custom_tool_call" if tool.custom else "function_call",
            "status": status,
            "call_id": call,
            "name": tool.name,
            "input" if tool.custom else "arguments": written,
        }
        if tool.namespace is not None:
            item["namespace"] = tool.namespace
        return item

    def of(self, content: tuple[Block, ...], status: str, logprobs: list[Any]) -> list[Item]:
        """A whole answer's items; texts side by side are parts of one message. The last has the answer's status."""
        items: list[Item] = []
        for block in content:
            index = len(items)
            if isinstance(block, Text | RefusalText):
                part = text_part(block.text, logprobs) if isinstance(block, Text) else refusal_part(block.text)
                if items and items[-1]["type"] == "message":
                    items[-1]["content"].append(part)
                else:
                    items.append(self.message(index, [part], "completed"))
            elif isinstance(block, Thinking):
                items.append(self.reasoning(index, block.text, block.signature))
            elif isinstance(block, RedactedThinking):
                items.append(self.reasoning(index, "", block.signature, redacted=True))
            elif isinstance(block, ToolUse):
                items.append(self._tool_use(index, block))
        if items and "status" in items[-1]:
            items[-1]["status"] = status
        return items

    def _tool_use(self, index: int, block: ToolUse) -> Item:
        tool = self.known(block.name)
        return self.call(
            index,
            tool,
            signed_call_id(block.id, block.signature),
            custom_input(block.arguments) if tool.custom else block.arguments or "{}",
            "completed",
        )


def text_part(text: str, logprobs: list[Any]) -> Item:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}


def refusal_part(text: str) -> Item:
    return {"type": "refusal", "refusal": text}


def summary_part(text: str) -> Item:
    return {"type": "summary_text", "text": text}
