"""Canonical messages as Converse's turns."""

from base64 import b64decode
from collections.abc import Iterable, Sequence

from bascule.dialects.anthropic_messages.render_request import arguments_object
from bascule.dialects.base import Body, Target
from bascule.dialects.bedrock_converse.documents import DocumentNames, document_block, image_block
from bascule.dialects.bedrock_converse.family import CACHES, RESULTS_WITH_STATUS, Family
from bascule.dialects.bedrock_converse.parse_response import ISSUER
from bascule.dialects.names import OPENAI_NAME_CHARS, call_id, tool_name
from bascule.dialects.openai_chat.quirks import system_element
from bascule.model.errors import Untranslatable
from bascule.model.request import (
    Audio,
    Block,
    Carried,
    Document,
    Image,
    Message,
    RedactedThinking,
    RefusalText,
    Request,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)

NAME_CHARS = OPENAI_NAME_CHARS
_PLACEHOLDER: Body = {"text": "."}
"""Where a turn must not be empty, or a document needs a text beside it."""
_NO_OUTPUT: Body = {"text": "(no output)"}


class ContentWriter:
    """Writes the blocks of one request."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._names = DocumentNames()

    def conversation(self, request: Request, target: Target) -> tuple[list[Body], list[Body]]:
        """(system blocks, turns): turns alternate, begin with the user, and none is empty. Raises Untranslatable."""
        system = [block for text in request.instructions for block in self._text(text)]
        turns: list[Body] = []
        for message in request.messages:
            role, blocks = self._turn(message, target)
            if not blocks:
                continue
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"] += blocks
            else:
                turns.append({"role": role, "content": blocks})
        if not turns:
            # A system prompt alone is a request elsewhere; here it has to be said by the user.
            return [], [{"role": "user", "content": system or [_PLACEHOLDER]}]
        if turns[0]["role"] == "assistant":
            turns.insert(0, {"role": "user", "content": [_PLACEHOLDER]})
        for turn in turns:
            if any("document" in block for block in turn["content"]) and not any("text" in b for b in turn["content"]):
                turn["content"].append(_PLACEHOLDER)
        _trim_prefill(turns[-1])
        return system, turns

    def cache_point(self, carried: Carried) -> list[Body]:
        """The cache point behind what a client of Anthropic's has marked; none where the model knows none."""
        mark = carried.get("anthropic_messages", {}).get("cache_control")
        if mark is None or self._family not in CACHES:
            return []
        point = {"type": "default"}
        if mark.get("ttl") == "1h" and self._family == "claude":
            point["ttl"] = "1h"
        return [{"cachePoint": point}]

    def tool_cache_point(self, carried: Carried) -> list[Body]:
        """The same behind a tool, which only Claude caches."""
        return self.cache_point(carried) if self._family == "claude" else []

    def _turn(self, message: Message, target: Target) -> tuple[str, list[Body]]:
        if message.role == "system" and "mid_system" not in target.quirks:
            text = "\n".join([block.text for block in message.content if isinstance(block, Text)])
            return "user", [{"text": system_element(text)}] if text else []
        results = [block for block in message.content if isinstance(block, ToolResult)]
        rest = [block for block in message.content if not isinstance(block, ToolResult)]
        written = [part for block in results for part in self._result(block)]
        if self._family not in RESULTS_WITH_STATUS:
            written += [part for block in results for part in self._pictures(block)]
        return message.role, written + [part for block in rest for part in self._block(block)]

    def _block(self, block: Block) -> list[Body]:
        """Nothing for what the model must not or cannot see: empty text, reasoning of others, foreign blocks."""
        if isinstance(block, Text):
            return self._text(block)
        if isinstance(block, Image):
            return [image_block(block), *self.cache_point(block.carried)]
        if isinstance(block, Document):
            return [document_block(block, self._names, self._family), *self.cache_point(block.carried)]
        if isinstance(block, ToolUse):
            return [_call(block), *self.cache_point(block.carried)]
        if isinstance(block, RefusalText):
            return [{"text": block.text}] if block.text.strip() else []
        if isinstance(block, Thinking | RedactedThinking):
            return self._reasoning(block)
        if isinstance(block, Audio):
            raise Untranslatable("this model's provider takes no audio here", "messages")
        return []

    def _text(self, block: Text) -> list[Body]:
        return [{"text": block.text}, *self.cache_point(block.carried)] if block.text.strip() else []

    def _reasoning(self, block: Thinking | RedactedThinking) -> list[Body]:
        """Claude's own only: others refuse to be shown reasoning."""
        signature = block.signature
        if self._family != "claude" or signature is None or signature.dialect != ISSUER:
            return []
        if isinstance(block, RedactedThinking):
            redacted = {"reasoningContent": {"redactedContent": signature.value}}
            return [redacted] if _is_base64(signature.value) else []
        return [{"reasoningContent": {"reasoningText": {"text": block.text, "signature": signature.value}}}]

    def _result(self, block: ToolResult) -> list[Body]:
        with_status = self._family in RESULTS_WITH_STATUS
        content = [part for part in self._result_parts(block.content) if with_status or "image" not in part]
        result: Body = {"toolUseId": call_id(block.tool_use_id)}
        if block.is_error and with_status:
            result["status"] = "error"
        elif block.is_error:
            content = _as_error(content)
        result["content"] = content or [_NO_OUTPUT]
        marks = [part.carried for part in block.content if isinstance(part, Text | Image | Document)]
        point = next((point for carried in (block.carried, *marks) if (point := self.cache_point(carried))), [])
        return [{"toolResult": result}, *point]

    def _result_parts(self, blocks: Iterable[Block]) -> list[Body]:
        """A result's own blocks; a cache point may not stand among them."""
        return [part for block in blocks for part in self._block(block) if "cachePoint" not in part]

    def _pictures(self, block: ToolResult) -> list[Body]:
        """A result's images beside it, where the model takes none inside."""
        images = [image_block(part) for part in block.content if isinstance(part, Image)]
        return [{"text": f"Result of the tool call {call_id(block.tool_use_id)}:"}, *images] if images else []


def _is_base64(text: str) -> bool:
    """Bedrock refuses a whole request for one field of bytes that are none."""
    try:
        b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _as_error(content: list[Body]) -> list[Body]:
    """That a result is an error, said in its text."""
    if not content or "text" not in content[0]:
        return [{"text": "Error"}, *content]
    text: str = content[0]["text"]
    return content if text.lower().startswith("error") else [{"text": f"Error: {text}"}, *content[1:]]


def _call(block: ToolUse) -> Body:
    given = {"input": block.arguments} if block.kind == "custom" else arguments_object(block.arguments)
    return {"toolUse": {"toolUseId": call_id(block.id), "name": tool_name(block.name, NAME_CHARS), "input": given}}


def _trim_prefill(last: Body) -> None:
    """An answer to be continued may not end in whitespace."""
    block = last["content"][-1]
    if last["role"] == "assistant" and "text" in block:
        block["text"] = block["text"].rstrip() or "."


def called(turns: Sequence[Body]) -> list[str]:
    """The names of the tools that the history calls, each once."""
    names = [block["toolUse"]["name"] for turn in turns for block in turn["content"] if "toolUse" in block]
    return list(dict.fromkeys(names))


def thinking_must_go(turns: Sequence[Body]) -> bool:
    """True where the turn that is still running called tools without leading reasoning, which Claude refuses while
    thinking is on."""
    for turn in reversed(turns):
        kinds = {key for block in turn["content"] for key in block}
        if turn["role"] != "assistant":
            if "toolResult" in kinds:
                continue
            return False
        return "toolUse" in kinds and "reasoningContent" not in kinds
    return False
