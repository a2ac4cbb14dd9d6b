"""The items of a Responses conversation to canonical messages.

Neighbouring items of the assistant are one turn, as are neighbouring results. A call may be answered later than the
next item here, which no other dialect allows: what stands between a call and its result comes after the result.
"""

from collections import deque
from typing import Any

from bascule.dialects.fields import objects, required_text, text, untranslatable, word, wrong
from bascule.dialects.names import split_call_id
from bascule.dialects.openai_responses.names import flat_name
from bascule.dialects.openai_responses.parse_content import parse_content
from bascule.dialects.openai_responses.signature import item_signature
from bascule.dialects.openai_responses.tool_items import TOOL_ITEMS
from bascule.model.errors import Untranslatable
from bascule.model.request import (
    Block,
    Carried,
    Message,
    RedactedThinking,
    RefusalText,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)

NAME = "openai_responses"
Item = tuple[str, dict[str, Any]]
"""(where it stands, the item)."""

_MOST_ROUNDS = 200
"""How often items may be put off, so that no conversation takes longer than its length."""
_CALLS = ("function_call", "custom_tool_call")
_RESULTS = ("function_call_output", "custom_tool_call_output")
_ROLES = frozenset({"user", "assistant", "system", "developer"})
_SYSTEM_ROLES = ("system", "developer")
_TRACES = frozenset(
    {"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "tool_search_call"}
    | {"mcp_list_tools", "mcp_call", "compaction_trigger"}
)
"""Traces of what OpenAI did by itself in an earlier turn. The answer that came of it stands in its own item."""


def parse_items(body: dict[str, Any]) -> tuple[tuple[Text, ...], tuple[Message, ...]]:
    """(the leading system prompt, all other messages) of `instructions` and `input`. Raises MalformedRequest naming
    the place, or Untranslatable."""
    instructions: list[Text] = []
    if given := text(body, "instructions"):
        instructions.append(Text(text=given))
    if type(body.get("input")) is str:
        return tuple(instructions), (Message(role="user", content=parse_content(body, "input", "")),)
    turns = _Turns()
    leading = True
    for where, item in answered_first([(f"input[{at}]", item) for at, item in enumerate(objects(body, "input"))]):
        kind = _kind(item, where)
        if kind in _TRACES or kind in TOOL_ITEMS:  # `parse_tools` reads the tools
            continue
        if kind == "message" and item.get("role") in _SYSTEM_ROLES:
            content = _system_content(item, where)
            if leading:
                instructions += content
                continue
            carried: Carried = {"openai_chat": {"role": "developer"}} if item["role"] == "developer" else {}
            turns.add(Message(role="system", content=tuple(content), carried=carried))
            continue
        leading = False
        turns.take(kind, item, where)
    return tuple(instructions), tuple(turns.messages)


def answered_first(items: list[Item]) -> list[Item]:
    """The items in an order in which each call is answered before anything else is said."""
    ordered: list[Item] = []
    coming = deque(items)
    waiting: list[Item] = []
    unanswered: set[str] = set()
    called = False  # the items of the turn that made the calls still come
    rounds = 0
    while (coming or waiting) and rounds < _MOST_ROUNDS:
        if not coming:
            # What is still unanswered stays so. Nothing waits for it any longer.
            unanswered.clear()
            coming, waiting, rounds = deque(waiting), [], rounds + 1
        place = coming.popleft()
        _, item = place
        kind, call = item.get("type"), item.get("call_id")
        if kind in _RESULTS and type(call) is str and call in unanswered:
            unanswered.discard(call)
            called = False
            ordered.append(place)
            if not unanswered and waiting:
                coming.extendleft(reversed(waiting))
                waiting, rounds = [], rounds + 1
        elif unanswered and not (called and _is_assistants(item)):
            waiting.append(place)
        else:
            ordered.append(place)
            if kind in _CALLS and type(call) is str:
                unanswered.add(call)
                called = True
    return [*ordered, *waiting, *coming]


def _is_assistants(item: dict[str, Any]) -> bool:
    kind = item.get("type", "message")
    return kind in _CALLS or kind == "reasoning" or (kind == "message" and item.get("role") == "assistant")


class _Turns:
    """Messages, growing."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._results = False
        """The last message holds results, and more of them belong to it."""

    def add(self, message: Message) -> None:
        self.messages.append(message)
        self._results = False

    def take(self, kind: str, item: dict[str, Any], where: str) -> None:
        """One item of the user or the assistant."""
        if kind == "message":
            role: Any = word(item, "role", _ROLES, where)
            content = parse_content(item, "content", where)
            if role == "assistant":
                self._say(content)
            elif role == "user":
                self.add(Message(role="user", content=content))
            else:
                wrong(where, "role", "`user`, `assistant`, `system` or `developer`")
        elif kind == "reasoning":
            if (block := _reasoning(item, where)) is not None:
                self._extend("assistant", (block,))
        elif kind in _CALLS:
            self._extend("assistant", (_call(item, kind, where),))
        elif kind in _RESULTS:
            call = split_call_id(required_text(item, "call_id", where))[0]
            result = ToolResult(tool_use_id=call, content=parse_content(item, "output", where))
            if self._results:
                self._extend("user", (result,))
            else:
                self.add(Message(role="user", content=(result,)))
            self._results = True
        elif kind == "item_reference":
            raise Untranslatable(
                f"`{where}`: no item {str(item.get('id'))[:64]!r} is kept here. Send the item itself (clients do with "
                "`store: false`), choose a model of OpenAI's, or switch `responses.store` on in the gateway's "
                "configuration",
                f"{where}.id",
            )
        else:
            untranslatable(f"{where}.type", f"an item of type {kind[:40]!r}")

    def _say(self, content: tuple[Block, ...]) -> None:
        """What was said in two messages stays two, unless the calls of the turn tie them together."""
        if not content:
            return
        last = self.messages[-1] if self.messages else None
        said = last is not None and last.role == "assistant" and isinstance(last.content[-1], Text | RefusalText)
        if last is not None and said and not any(isinstance(block, ToolUse) for block in last.content):
            self.add(Message(role="assistant", content=content))
        else:
            self._extend("assistant", content)

    def _extend(self, role: Any, content: tuple[Block, ...]) -> None:
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == role:
            self.messages[-1] = Message(role=role, content=last.content + content)
        else:
            self.add(Message(role=role, content=content))


def _kind(item: dict[str, Any], where: str) -> str:
    return "message" if item.get("type") is None else required_text(item, "type", where)


def _system_content(item: dict[str, Any], where: str) -> list[Text]:
    content = parse_content(item, "content", where)
    texts = [block for block in content if isinstance(block, Text)]
    if len(texts) < len(content):
        untranslatable(f"{where}.content", "a system prompt with more than text in it")
    return texts


def _call(item: dict[str, Any], kind: str, where: str) -> ToolUse:
    given, signature = split_call_id(required_text(item, "call_id", where))
    custom = kind == "custom_tool_call"
    return ToolUse(
        id=given,
        name=flat_name(text(item, "namespace", where), required_text(item, "name", where)),
        arguments=text(item, "input" if custom else "arguments", where) or "",
        kind="custom" if custom else "function",
        signature=signature,
    )


def _reasoning(item: dict[str, Any], where: str) -> Thinking | RedactedThinking | None:
    """`summary`, or where that is empty the raw `content`; with whose proof it is. None where it says nothing."""
    thoughts: list[str] = []
    for name in ("summary", "content"):
        if not thoughts:
            parts = enumerate(objects(item, name, where))
            thoughts = [required_text(part, "text", f"{where}.{name}[{at}]") for at, part in parts]
    signature, redacted = item_signature(text(item, "id", where), text(item, "encrypted_content", where))
    if redacted and signature is not None and not thoughts:
        return RedactedThinking(signature=signature)
    if signature is None and not thoughts:
        return None
    return Thinking(text="\n\n".join(thoughts), signature=signature)
