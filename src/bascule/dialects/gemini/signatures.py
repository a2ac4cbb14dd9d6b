"""Thought signatures: whose they are, and what stands where there is none.

Google's come with any part, and clients of this dialect send them back with the part. That makes them a way for what
other vendors sign as well: their signatures travel in `thoughtSignature` under a mark of ours, go back to whoever
issued them, and are taken out of a request that goes to Google.
"""

from base64 import b64decode, b64encode
from typing import Any

from bascule.model.request import RedactedThinking, Signature

NAME = "gemini"
_MARK = b"bascule:"
_REDACTED = "*"
MARKED = b64encode(_MARK)[:-2]
"""How every marked signature begins: the base64 of the mark's whole groups of three bytes."""
UNCHECKED = "skip_thought_signature_validator"
"""What Google documents for calls that its models did not make (ai.google.dev/gemini-api/docs/thought-signatures)."""
GOOGLES = frozenset({NAME, "openai_chat"})
"""Dialects in which Google signs calls; in Chat Completions nobody else does."""


def written(signature: Signature, *, redacted: bool = False) -> str:
    """A signature as `thoughtSignature`; `redacted`: of reasoning that is all in it."""
    if signature.dialect in GOOGLES:
        return signature.value
    issuer = signature.dialect + _REDACTED if redacted else signature.dialect
    return b64encode(_MARK + f"{issuer}:{signature.value}".encode()).decode()


def read(value: str) -> Signature | RedactedThinking:
    """What a `thoughtSignature` holds, with its issuer."""
    if value.startswith(MARKED.decode()):
        plain = value.rstrip("=").replace("-", "+").replace("_", "/")  # SDKs write bytes in either alphabet
        try:
            held = b64decode(plain + "=" * (-len(plain) % 4), validate=True)
            dialect, _, signed = held[len(_MARK) :].decode().partition(":")
        except ValueError:
            return Signature(NAME, value)  # not one of ours, though it begins so
        if held.startswith(_MARK):
            if dialect.endswith(_REDACTED):
                return RedactedThinking(signature=Signature(dialect.removesuffix(_REDACTED), signed))
            return Signature(dialect, signed)
    return Signature(NAME, value)


def without_foreign(contents: Any) -> Any:
    """The contents of a request as Google may see them: no signature of others, and no thoughts that they signed."""
    if type(contents) is not list:
        return contents
    return [_own_parts(content) if type(content) is dict else content for content in contents]


def _own_parts(content: dict[str, Any]) -> dict[str, Any]:
    parts = content.get("parts")
    if type(parts) is not list:
        return content
    kept = [own for part in parts if (own := _own(part)) is not None]
    return {**content, "parts": kept or [{"text": ""}]}


def _is_googles(value: str) -> bool:
    held = read(value)
    return isinstance(held, Signature) and held.dialect in GOOGLES


def _own(part: Any) -> Any:
    if type(part) is not dict:
        return part
    for name in ("thoughtSignature", "thought_signature"):
        value = part.get(name)
        if type(value) is str and not _is_googles(value):
            if part.get("thought") is True:
                return None
            rest = {key: item for key, item in part.items() if key != name}
            return {**rest, "thoughtSignature": UNCHECKED} if "functionCall" in part else rest
    return part
