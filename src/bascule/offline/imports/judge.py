"""Whether the usage that an agent logged can be what was billed, and an estimate where it cannot.

Claude Code's logs of early 2026 hold counts from the beginning of the stream: 1 to 29 output tokens where hundreds were
produced, with `stop_reason: null`; some hold 0 or 1 input tokens, while the cache counts are right
(anthropics/claude-code#21971, #22671, #25941, #27361; ccusage#866). Later versions write the final usage with its
`stop_reason`. An answer that the user cut short looks the same as the broken ones and is judged the same.

The estimate counts the bytes of text, thinking and tool input at 3.5 bytes a token, Anthropic's own rule of thumb for
English (docs.anthropic.com, glossary, "Tokens"); the measurements in anthropics/claude-code#25941 lie on both sides of
it, prose at 4.5 and code at 2.8. It is never below what was recorded.
"""

from msgspec import Struct, structs

from bascule.model.usage import Usage
from bascule.offline.imports.observed import ESTIMATED, FINAL, PLAUSIBLE, UNKNOWN

BYTES_TIMES_TWO_PER_TOKENS_TIMES_SEVEN = (2, 7)
ANSWER_OVERHEAD_TOKENS = 4
"""What an answer of one digit is billed beyond its text (5 tokens in #25941)."""
BLOCK_OVERHEAD_TOKENS = 12
"""Around the name and input of a tool call: the markup that the model writes and the log does not show."""
LEAST_SHARE = (7, 10)
"""Unconfirmed output below this share of the estimate is not believed; the estimate itself is no better than that."""
IMPOSSIBLE_BYTES_PER_TOKEN = 16
"""Not even a confirmed count covers more text than this per token."""
SMALL_ANSWER_BYTES = 400
"""Below this, bytes say too little about tokens to doubt a confirmed count."""
UNCONFIRMED = "unconfirmed"
"""A flag: no stop reason says that the count is final."""
PLACEHOLDER_INPUT = 1
"""Input tokens, uncached, that stand for nothing."""


class Content(Struct, gc=False):
    """How much of an answer the log shows, in UTF-8 bytes. Grows line by line; the content itself is not kept."""

    shown_bytes: int = 0
    hidden_bytes: int = 0
    """Thinking of which only the encrypted form was logged: its size, decoded, which the text cannot exceed."""
    tool_calls: int = 0


class Judged(Struct, frozen=True, gc=False):
    usage: Usage
    quality: int
    recorded_out: int | None = None
    """The recorded output where it was replaced."""


def estimated_output(content: Content) -> int:
    """Billed output tokens of an answer with this content."""
    two, seven = BYTES_TIMES_TWO_PER_TOKENS_TIMES_SEVEN
    text = -(-(content.shown_bytes + content.hidden_bytes) * two // seven)
    return text + ANSWER_OVERHEAD_TOKENS + BLOCK_OVERHEAD_TOKENS * content.tool_calls


def judge(usage: Usage, stop_reason: str | None, content: Content) -> Judged:
    """The usage to book. An estimate is flagged `estimated_output`, an input that cannot be right `input_unknown`
    (its count is then None, and so is the cost); a doubtful but harmless one `input_placeholder`."""
    usage = _input(usage)
    recorded = None if usage.tokens_out is None else usage.tokens_out + (usage.tokens_reasoning or 0)
    if recorded is not None:
        if stop_reason is not None:
            if content.shown_bytes < SMALL_ANSWER_BYTES or recorded * IMPOSSIBLE_BYTES_PER_TOKEN >= content.shown_bytes:
                return Judged(usage, FINAL if usage.tokens_in is not None else UNKNOWN)
        elif recorded * LEAST_SHARE[1] >= estimated_output(content) * LEAST_SHARE[0]:
            return Judged(_flagged(usage, UNCONFIRMED), PLAUSIBLE if usage.tokens_in is not None else UNKNOWN)
    estimate = max(estimated_output(content), recorded or 0)
    made = structs.replace(
        usage,
        tokens_out=estimate,
        tokens_reasoning=None,
        source="estimated",
        flags=(*usage.flags, "estimated_output"),
    )
    return Judged(made, ESTIMATED if made.tokens_in is not None else UNKNOWN, recorded or 0)


def _input(usage: Usage) -> Usage:
    """Uncached input of 0 or 1 is next to nothing beside a cached prompt, and impossible without one."""
    if usage.tokens_in is None or usage.tokens_in > PLACEHOLDER_INPUT:
        return usage
    if usage.tokens_cache_read or usage.tokens_cache_write_5m or usage.tokens_cache_write_1h:
        return _flagged(usage, "input_placeholder")
    return structs.replace(_flagged(usage, "input_unknown"), tokens_in=None)


def _flagged(usage: Usage, flag: str) -> Usage:
    return structs.replace(usage, flags=(*usage.flags, flag))
