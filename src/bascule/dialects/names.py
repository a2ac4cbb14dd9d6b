"""Tool names and call ids that every dialect takes, made from any that one dialect took.

Changes are deterministic, so that a call and its result, in one request or in later ones, go on matching.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from hashlib import sha256

from bascule.model.request import Signature

_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_WORD = _ALLOWED - {"-"}
_DIGEST_CHARS = 8

OPENAI_NAME_CHARS = 64
ANTHROPIC_NAME_CHARS = 128
CUSTOM_SCHEMA = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
"""Of a custom tool, which takes free text, where a target's tools take objects."""
GEMINI_NAME_CHARS = 64
_MARKS = {"openai_chat": "__sig__", "gemini": "__gsig__"}
"""What stands before a signature in a call id, by the dialect that issued it. Both are Google's, in two forms."""
_ID_CHARS = 40
"""OpenAI's limit for call ids in Chat Completions; Anthropic's is larger."""


def call_id(given: str) -> str:
    """A call id in letters, digits, `_` and `-`, at most 40 characters: the given one wherever it fits."""
    return _fitted(given, _ID_CHARS)


def made_call_id(response_id: str | None, choice: int, call: int) -> str:
    """An id for a call that came without one, unique as far as the response's id is."""
    return "call_" + _digest(f"{response_id}/{choice}/{call}") * 2


def signed_call_id(given: str, signature: Signature | None) -> str:
    """A call id that holds a provider's signature of the call, for clients that keep nothing else of it."""
    mark = None if signature is None else _MARKS.get(signature.dialect)
    if signature is None or mark is None:
        return call_id(given)
    return call_id(given) + mark + urlsafe_b64encode(signature.value.encode()).decode().rstrip("=")


def split_call_id(given: str) -> tuple[str, Signature | None]:
    """(the call id, the signature that it holds)."""
    for dialect, mark in _MARKS.items():
        plain, _, held = given.partition(mark)
        if held:
            try:
                return plain, Signature(dialect, urlsafe_b64decode(held + "=" * (-len(held) % 4)).decode())
            except (ValueError, UnicodeError):
                return given, None  # not one of ours
    return given, None


def tool_name(given: str, limit: int) -> str:
    """A tool name that fits the target: the given one wherever it does."""
    return _fitted(given, limit)


def word_name(given: str, limit: int) -> str:
    """The same for targets that want a word as programs have it: no hyphen, and no digit in front."""
    if given and len(given) <= limit and _WORD.issuperset(given) and not given[0].isdigit():
        return given
    clean = "".join([char if char in _WORD else "_" for char in given])
    lead = "t_" if clean[:1].isdigit() else ""
    return f"{(lead + clean)[: limit - _DIGEST_CHARS - 1]}_{_digest(given)}"


def original_names(names: Iterable[str], fit: Callable[[str], str]) -> dict[str, str]:
    """From fitted names back to the client's own; only those that had to change."""
    return {fitted: name for name in names if (fitted := fit(name)) != name}


def _fitted(given: str, limit: int) -> str:
    if given and len(given) <= limit and _ALLOWED.issuperset(given):
        return given
    clean = "".join([char if char in _ALLOWED else "_" for char in given])
    return f"{clean[: limit - _DIGEST_CHARS - 1]}_{_digest(given)}"


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]
