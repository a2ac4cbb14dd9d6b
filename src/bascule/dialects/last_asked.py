"""What a user asked last, and what before that, in the turns of a request of any dialect."""

from collections.abc import Callable, Sequence
from typing import Any

MAX_CHARS = 4_000
"""Of each; what lies behind does not count."""
MIN_TURNS = 3


def last_asked(
    turns: Sequence[Any], said: Callable[[Any], str | None], answers: Callable[[Any], bool]
) -> tuple[str, str] | None:
    """(before, last): the user's last two messages, where the last turn is one of them and an answer stands between.

    `said`: a turn's text where it is a user's own message, None where it is anything else, a tool's result too.
    """
    if len(turns) < MIN_TURNS or (last := said(turns[-1])) is None:
        return None
    answered = False
    for turn in reversed(turns[:-1]):
        if answers(turn):
            answered = True
        elif (before := said(turn)) is not None:
            return (before[:MAX_CHARS], last[:MAX_CHARS]) if answered else None
    return None


def text_in(content: Any, kinds: frozenset[str]) -> str | None:
    """Text, or the text of the parts of these types; None where a part brings a tool's result."""
    if type(content) is str:
        return content
    if type(content) is not list:
        return None
    texts = []
    for part in content:
        if type(part) is not dict or part.get("type") == "tool_result":
            return None
        if part.get("type") in kinds and type(text := part.get("text")) is str:
            texts.append(text)
    return "\n".join(texts)
