"""The text of an answer, whole or streamed, in any dialect. Pure."""

import orjson

from bascule.dialects.registry import provider_side
from bascule.model.events import Event, RefusalDelta, TextDelta, ToolArgumentsDelta, ToolCallStarted
from bascule.model.outcome import Fault
from bascule.model.request import RefusalText, Text, ToolUse


class Unreadable(ValueError):
    """An answer that its dialect cannot read."""


def text_of(dialect: str, raw: bytes) -> tuple[str, str | None]:
    """(what the first choice says, its finish reason in canonical words). Calls of tools follow the text as one line of
    JSON each. Raises Unreadable."""
    try:
        response = provider_side(dialect).parse_response(raw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"the answer is not {dialect}'s: {error}") from error
    if not response.choices:
        return "", None
    choice = response.choices[0]
    parts = []
    for block in choice.content:
        if isinstance(block, Text | RefusalText):
            parts.append(block.text)
        elif isinstance(block, ToolUse):
            parts.append(_call(block.name, block.arguments))
    return "\n".join(parts), choice.finish_reason


def streamed_text_of(dialect: str, raw: bytes) -> str:
    """The same of a stream as it was recorded. Raises Unreadable where it is cut or broken."""
    side = provider_side(dialect)
    source, framing = side.source(True), side.framing()
    events: list[Event] = []
    seen = framing.feed(raw)
    last = framing.rest()
    for event in seen if last is None else [*seen, last]:
        if event.data is None:
            continue
        read = source.read(event.data)
        if isinstance(read, Fault):
            raise Unreadable(f"the stream is not {dialect}'s: {read.message}")
        events += read
    return _joined(events)


def _joined(events: list[Event]) -> str:
    text: list[str] = []
    names: dict[int, str] = {}
    arguments: dict[int, list[str]] = {}
    for event in events:
        match event:
            case TextDelta(choice=0) | RefusalDelta(choice=0):
                text.append(event.text)
            case ToolCallStarted(choice=0):
                names[event.call] = event.name
            case ToolArgumentsDelta(choice=0):
                arguments.setdefault(event.call, []).append(event.json)
    calls = [_call(name, "".join(arguments.get(call, []))) for call, name in names.items()]
    return "\n".join([part for part in ("".join(text), *calls) if part])


def _call(name: str, arguments: str) -> str:
    """Arguments as the model meant them: white space and the order of keys do not count."""
    try:
        given = orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        given = arguments
    return orjson.dumps({"tool": name, "arguments": given}, option=orjson.OPT_SORT_KEYS).decode()
