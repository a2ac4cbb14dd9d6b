"""Requests and answers as text for those who judge them, bounded."""

import orjson

from bascule.gateway.admission import Admitted
from bascule.gateway.derived import canonical
from bascule.model.errors import Refusal
from bascule.model.request import Block, RefusalText, Request, Text, Thinking, ToolResult, ToolUse
from bascule.model.response import Response

MAX_QUESTION_BYTES = 64 * 1024
"""Of a conversation that is judged, as JSON; of a longer one the end, with the last question in it."""
MAX_ANSWER_BYTES = 64 * 1024
BYTES_PER_TOKEN = 8
"""More than tokens have on average, in any language: an answer that is longer than its cap by this is not judged."""
CUT = "[… cut here]\n"


def question_of(request: Admitted) -> str | Refusal:
    """What was asked: the turns of the conversation with their roles."""
    asked = canonical(request)
    return asked if isinstance(asked, Refusal) else conversation(asked)


def conversation(asked: Request) -> str:
    """The end of it, as far as a judge is to read."""
    return last_bytes(turns(asked), MAX_QUESTION_BYTES)


def turns(asked: Request) -> str:
    """All of it."""
    parts = [f"system: {text.text}" for text in asked.instructions]
    for message in asked.messages:
        said = "\n".join([shown for block in message.content if (shown := _shown(block))])
        parts.append(f"{message.role}: {said}")
    return "\n\n".join(parts)


def _shown(block: Block) -> str:
    match block:
        case Text() | RefusalText():
            return block.text
        case ToolUse():
            return f"(calls {block.name} with {block.arguments})"
        case ToolResult():
            return "(result: " + " ".join([_shown(inner) for inner in block.content]) + ")"
        case _:
            return f"({type(block).__name__.lower()})"


def shown_answer(answer: Response) -> str:
    """The first choice of an answer as a judge or a program reads it: its text, and what it calls."""
    blocks = answer.choices[0].content if answer.choices else ()
    return "\n".join([shown for block in blocks if not isinstance(block, Thinking) and (shown := _shown(block))])


def size_of(text: str) -> int:
    """Its bytes inside a JSON body."""
    return len(orjson.dumps(text.encode("utf-8", "replace").decode()))


def last_bytes(text: str, most: int) -> str:
    """The end of a text that has at most so many bytes inside a JSON body."""
    whole = len(text) <= most
    text = text[-most:].encode("utf-8", "replace").decode()  # a character takes a byte at least
    if whole and size_of(text) <= most:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest end that fits
        middle = (low + high + 1) // 2
        if size_of(CUT + text[len(text) - middle :]) <= most:
            low = middle
        else:
            high = middle - 1
    return CUT + text[len(text) - low :]


def first_bytes(text: str, most: int) -> str:
    """The beginning of a text, likewise."""
    whole = len(text) <= most
    text = text[:most].encode("utf-8", "replace").decode()
    if whole and size_of(text) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if size_of(text[:middle] + CUT) <= most:
            low = middle
        else:
            high = middle - 1
    return text[:low] + CUT


def judged_bytes(max_tokens: int) -> int:
    """How large an answer with this cap may be to be judged, inside a JSON body."""
    return min(MAX_ANSWER_BYTES, max_tokens * BYTES_PER_TOKEN + 1_024)


def filler(most: int) -> str:
    """A text that takes exactly so many bytes inside a JSON body: the largest that is to be held for."""
    return "x" * max(0, most - 2)
