"""A user who asks again: a weak sign that the answer before was not good. Pure.

Weak it is. People also repeat themselves because they changed their mind, want a second opinion, or talk that way, and
those who are content say nothing. So it counts as a tenth of an observation, only ever against an answer, and it
is no part of the tests that promote or demote a model: those need grades of both answers. It compares models at best.
"""

import re
from typing import Literal

from msgspec import Struct

from bascule.decide.evidence.finding import Finding, Subject
from bascule.model.request import Message, Request, Text, ToolResult

WEIGHT = 0.1
"""Of an observation."""
SIMILAR = 0.7
"""Share of words of substance that two wordings must have in common, of all that either has."""
MIN_WORDS = 3
"""Of substance. Of shorter messages only exact repetitions count."""
MAX_CHARS = 600
"""Longer messages are alike for other reasons (an application's template, a pasted file), and reading their words would
cost more than this sign is worth. Of them only the very same text counts, and how it begins."""
_WORD = re.compile(r"[^\W_]+")
_CORRECTION = re.compile(
    r"(?:no[,.!]|nope\b|wrong\b|that(?:'s| is| was) (?:wrong|not (?:what|right|correct))|not what i\b|"
    r"i (?:meant|asked)\b|(?:please )?try again\b|you (?:misunderstood|didn't|did not|forgot|missed|ignored)\b)"
)

Kind = Literal["retry", "rephrase", "correction"]


class Repeat(Struct, frozen=True):
    """The last message asks again for what the one before it asked for."""

    kind: Kind
    similarity: float


def repeated(request: Request) -> Repeat | None:
    """Whether the last message of a conversation asks again for what the user asked before, with an answer between."""
    said = [
        (index, _text(message))
        for index, message in enumerate(request.messages)
        if message.role == "user" and not _brings_results(message)
    ]
    if len(said) < 2 or said[-1][0] != len(request.messages) - 1:
        return None
    (earlier, before), (later, after) = said[-2:]
    answered = any(message.role == "assistant" for message in request.messages[earlier + 1 : later])
    return compared(before, after) if answered else None


def compared(before: str, after: str) -> Repeat | None:
    """Whether a message asks again for what an earlier one asked for. English for corrections, any language else."""
    before, after = before.strip(), after.strip()
    if not before or not after:
        return None
    if before == after:
        return Repeat("retry", 1.0)
    if _CORRECTION.match(after[:200].casefold().replace("’", "'")):
        return Repeat("correction", 0.0)
    if max(len(before), len(after)) > MAX_CHARS:
        return None
    first, second = _WORD.findall(before.casefold()), _WORD.findall(after.casefold())
    if first and first == second:
        return Repeat("retry", 1.0)
    if _numbers(first) != _numbers(second):
        return None
    one, other = _substance(first), _substance(second)
    if min(len(one), len(other)) < MIN_WORDS:
        return None
    similarity = len(one & other) / len(one | other)
    return Repeat("rephrase", similarity) if similarity >= SIMILAR else None


def against(subject: Subject, at_ms: int) -> Finding:
    """What a repetition says of the model that had answered."""
    return Finding(subject=subject, source="live", mean=0.0, weight=WEIGHT, at_ms=at_ms)


def _substance(words: list[str]) -> set[str]:
    """Short words are the grammar's in most languages that have any."""
    return {word[:8] for word in words if len(word) > 3}


def _numbers(words: list[str]) -> set[str]:
    """Another number is another question."""
    return {word for word in words if word.isdigit()}


def _text(message: Message) -> str:
    return "\n".join([block.text for block in message.content if isinstance(block, Text)])


def _brings_results(message: Message) -> bool:
    return any(isinstance(block, ToolResult) for block in message.content)
