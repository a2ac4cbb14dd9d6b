"""The answer a script gives to a request: tokens, cut at the request's cap, and the usage they cost."""

import base64
import hashlib
import json
import random
import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from bascule.testing.prompt import asked_calls, asked_schema, input_tokens, output_cap, sample, thinks
from bascule.testing.script import Dialect, ProviderRequest, Script

_WORDS = (
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "flint",
    "grove",
    "hazel",
    "inlet",
    "jade",
    "knoll",
    "larch",
    "maple",
    "north",
    "ocean",
    "pine",
    "quill",
    "river",
    "slate",
    "tidal",
    "umber",
    "vale",
    "willow",
    "xenon",
    "yarrow",
    "zinc",
)
_TOKEN = re.compile(r"\s*\S+(?:\s+\Z)?|\s+\Z")
_THINKING_WORDS = 8
_ID_PREFIXES: dict[Dialect, str] = {
    "openai": "chatcmpl-",
    "anthropic": "msg_",
    "responses": "resp_",
    "gemini": "",
    "cohere": "",
    "bedrock": "",
}
_CALL_PREFIXES: dict[Dialect, str] = {"anthropic": "toolu_", "bedrock": "tooluse_"}


class PlannedCall(Struct, frozen=True):
    """A tool call in the answer. `pieces` joined are the arguments' JSON, possibly cut by the cap."""

    id: str
    name: str
    arguments: dict[str, Any]
    pieces: tuple[str, ...]


class PlannedChoice(Struct, frozen=True, kw_only=True):
    """One alternative. Each element of `thinking`, `text` and of a call's `pieces` is one token."""

    hidden: int
    thinking: tuple[str, ...]
    text: tuple[str, ...]
    calls: tuple[PlannedCall, ...]
    cut_by_cap: bool

    @property
    def reasoning_tokens(self) -> int:
        return self.hidden + len(self.thinking)

    @property
    def output_tokens(self) -> int:
        """Reasoning included."""
        return self.reasoning_tokens + len(self.text) + sum(len(call.pieces) for call in self.calls)


class Answer(Struct, frozen=True, kw_only=True):
    """All of an answer, before it meets a wire or a fault."""

    model: str
    response_id: str
    signature: str
    choices: tuple[PlannedChoice, ...]
    input_tokens: int
    """All of the prompt, cached and written parts included."""
    cached_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int

    @property
    def output_tokens(self) -> int:
        return sum(choice.output_tokens for choice in self.choices)

    @property
    def reasoning_tokens(self) -> int:
        return sum(choice.reasoning_tokens for choice in self.choices)


def plan_answer(request: ProviderRequest, script: Script, seed: int) -> Answer:
    """The answer to `request`. The same request number and seed give the same words."""
    body = request.body
    count = body.get("n") if request.dialect != "anthropic" else 1
    tokens_in = script.input_tokens
    if tokens_in is None:
        tokens_in = input_tokens(body, script.input_tokens_per_byte)
    cached = min(script.cached_tokens, tokens_in)
    write_5m = min(script.cache_write_5m_tokens, tokens_in - cached)
    write_1h = min(script.cache_write_1h_tokens, tokens_in - cached - write_5m)
    name = f"{seed:x}{request.number:08x}"
    return Answer(
        model=script.model_reported or request.model,
        response_id=script.response_id or f"{_ID_PREFIXES[request.dialect]}{name}",
        signature=base64.b64encode(hashlib.sha256(name.encode()).digest()).decode(),
        choices=tuple(
            _plan_choice(request, script, f"{seed}:{request.number}:{index}", index)
            for index in range(count if isinstance(count, int) and count > 0 else 1)
        ),
        input_tokens=tokens_in,
        cached_tokens=cached,
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
    )


def _plan_choice(request: ProviderRequest, script: Script, seed: str, index: int) -> PlannedChoice:
    dice = random.Random(seed)  # noqa: S311 - words, not secrets
    cap = output_cap(request.body)
    left = cap if cap is not None else 1 << 60
    hidden = min(script.reasoning_tokens, left)
    wanted = script.reasoning_tokens
    left -= hidden
    thinking_text = _thinking(request.body, request.dialect, script, dice)
    calls = asked_calls(request.body, script.tool_calls)
    text_tokens = () if calls and script.text is None else _text(request.body, script, dice)
    thinking, text = thinking_text[:left], text_tokens[: max(0, left - len(thinking_text))]
    left -= len(thinking) + len(text)
    wanted += len(thinking_text) + len(text_tokens)
    planned = []
    for place, call in enumerate(calls):
        arguments = json.dumps(call.arguments, ensure_ascii=False)
        pieces = tuple(arguments[at : at + 4] for at in range(0, len(arguments), 4))
        wanted += len(pieces)
        kept = pieces[:left]
        left -= len(kept)
        if kept:
            identifier = f"{_CALL_PREFIXES.get(request.dialect, 'call_')}{request.number:06d}{index}{place}"
            planned.append(PlannedCall(identifier, call.name, call.arguments, kept))
    cut = cap is not None and wanted > cap
    return PlannedChoice(hidden=hidden, thinking=thinking, text=text, calls=tuple(planned), cut_by_cap=cut)


def _thinking(body: dict[str, Any], dialect: Dialect, script: Script, dice: random.Random) -> tuple[str, ...]:
    if script.thinking is not None:
        return tokens_of(script.thinking)
    return _made_up(_THINKING_WORDS, dice) if thinks(body, dialect) else ()


def _text(body: dict[str, Any], script: Script, dice: random.Random) -> tuple[str, ...]:
    if script.text is not None:
        return tokens_of(script.text)
    schema = asked_schema(body)
    if schema is not None:
        document = json.dumps(sample(schema), ensure_ascii=False)
        return tuple(document[at : at + 4] for at in range(0, len(document), 4))
    return _made_up(script.output_tokens, dice) if script.plain_text is None else tokens_of(script.plain_text)


def _made_up(count: int, dice: random.Random) -> tuple[str, ...]:
    words = dice.choices(_WORDS, k=count)
    return tuple(word if place == 0 else f" {word}" for place, word in enumerate(words))


def tokens_of(text: str) -> tuple[str, ...]:
    """A text in tokens: each a word with the blanks before it. Joined they are the text."""
    return tuple(_TOKEN.findall(text))


def joined(tokens: Sequence[str]) -> str:
    return "".join(tokens)
