"""The answer of a provider as a canonical value, whether it came whole or as a stream."""

from msgspec import Struct

from bascule.dialects.registry import provider_side
from bascule.dialects.translate import EventSource
from bascule.gateway.admission import UNREADABLE, Admitted
from bascule.gateway.effects import Answered
from bascule.gateway.surfaces import provider_dialect
from bascule.model.errors import Refusal
from bascule.model.events import (
    Event,
    Finished,
    RedactedThinkingSeen,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingDelta,
    ThinkingSigned,
    ToolArgumentsDelta,
    ToolCallStarted,
)
from bascule.model.outcome import Fault
from bascule.model.request import Block, RedactedThinking, RefusalText, Signature, Text, Thinking, ToolUse
from bascule.model.response import Choice, Response

NOT_READ = "an answer could not be read in full, so nothing can be said of it"


class _Piece(Struct):
    """A block that is being put together from its deltas."""

    kind: type[Text | Thinking | RefusalText | ToolUse | RedactedThinking]
    parts: list[str] = []
    signature: Signature | None = None
    call: ToolCallStarted | None = None


def whole_response(request: Admitted, answered: Answered) -> Response | Refusal:
    """What was answered to a chat request. A Refusal where its bytes cannot be read back."""
    endpoint = answered.candidate.endpoint
    side = provider_side(provider_dialect(request.surface, endpoint) or endpoint.dialect)
    try:
        if not answered.streamed:
            return side.parse_response(answered.raw)
        framing, source = side.framing(), side.source(True)
        events: list[Event] = []
        for one in framing.feed(answered.raw):
            if one.data is None:
                continue
            found = _read(source, one.data)
            if isinstance(found, Fault):
                return Refusal(kind="upstream_failed", message=f"{NOT_READ}: {found.message}")
            events += found
        return response_of(events)
    except UNREADABLE as error:
        return Refusal(kind="upstream_failed", message=f"{NOT_READ}: {error}")


def _read(source: EventSource, data: bytes) -> list[Event] | Fault:
    if source.terminal:
        return []
    return source.read(data)


def response_of(events: list[Event]) -> Response:
    """A stream's events put together."""
    identifier = model = None
    pieces: dict[int, list[_Piece]] = {}
    calls: dict[tuple[int, int], _Piece] = {}
    reasons: dict[int, tuple[str, str | None]] = {}
    for event in events:
        match event:
            case Started():
                identifier, model = event.id, event.model
            case TextDelta():
                _last(pieces, event.choice, Text).parts.append(event.text)
            case ThinkingDelta():
                _last(pieces, event.choice, Thinking).parts.append(event.text)
            case RefusalDelta():
                _last(pieces, event.choice, RefusalText).parts.append(event.text)
            case ThinkingSigned():
                _last(pieces, event.choice, Thinking).signature = event.signature
            case RedactedThinkingSeen():
                pieces.setdefault(event.choice, []).append(_Piece(RedactedThinking, [], event.signature))
            case ToolCallStarted():
                piece = _Piece(ToolUse, [], event.signature, event)
                calls[event.choice, event.call] = piece
                pieces.setdefault(event.choice, []).append(piece)
            case ToolArgumentsDelta():
                calls[event.choice, event.call].parts.append(event.json)
            case Finished():
                reasons[event.choice] = (event.reason, event.stop_sequence)
    choices = [
        Choice(
            content=tuple([_block(piece) for piece in pieces.get(at, ())]),
            finish_reason=reasons.get(at, (None, None))[0],
            stop_sequence=reasons.get(at, (None, None))[1],
        )
        for at in sorted({*pieces, *reasons})
    ]
    return Response(id=identifier, model=model, choices=tuple(choices))


def _last(pieces: dict[int, list[_Piece]], choice: int, kind: type[Text | Thinking | RefusalText]) -> _Piece:
    """The block that a delta belongs to: the last one, or a new one where that is of another kind or sealed."""
    found = pieces.setdefault(choice, [])
    if not found or found[-1].kind is not kind or found[-1].signature is not None:
        found.append(_Piece(kind, []))
    return found[-1]


def _block(piece: _Piece) -> Block:
    text = "".join(piece.parts)
    if piece.call is not None:
        call = piece.call
        return ToolUse(id=call.id, name=call.name, arguments=text, kind=call.kind, signature=piece.signature)
    if piece.kind is Thinking:
        return Thinking(text=text, signature=piece.signature)
    if piece.kind is RefusalText:
        return RefusalText(text=text)
    if piece.signature is not None:
        return RedactedThinking(signature=piece.signature)
    return Text(text=text)


def text_of(response: Response, choice: int = 0) -> str:
    """What a reader sees of an answer: its text, or the model's own refusal."""
    if len(response.choices) <= choice:
        return ""
    blocks = response.choices[choice].content
    return "".join([block.text for block in blocks if isinstance(block, Text | RefusalText)])
