"""Thinking that Anthropic did not sign, which it would refuse.

A session that moves between models brings thinking blocks of the others along. Those this gateway wrote bear
`FOREIGN_SIGNATURE`; others come without one.
"""

from typing import Any

from bascule.dialects.signatures import is_foreign

FOREIGN_SIGNATURE = "bascule-unsigned"
"""The signature of thinking blocks that were translated from a dialect that signs nothing."""


def is_signed(block: dict[str, Any]) -> bool:
    """True for a block that is no thinking, or thinking that may have been signed by Anthropic."""
    kind = block.get("type")
    if kind != "thinking" and kind != "redacted_thinking":
        return True
    signature = block.get("signature" if kind == "thinking" else "data")
    if type(signature) is str:
        return signature != "" and signature != FOREIGN_SIGNATURE and not is_foreign(signature)
    # One of a wrong type is for the provider to refuse, not for us to leave out.
    return signature is not None or kind != "thinking"


def without_unsigned_thinking(messages: list[Any]) -> list[Any] | None:
    """The messages less their unsigned thinking, or None where there is none. Messages left empty go too."""
    found = False
    kept: list[Any] = []
    for message in messages:
        content = message["content"]
        if message["role"] == "assistant" and type(content) is list:
            signed = [block for block in content if is_signed(block)]
            if len(signed) != len(content):
                found = True
                if not signed:
                    continue
                message = {**message, "content": signed}
        kept.append(message)
    return kept if found else None


def thinking_must_go(messages: list[Any]) -> bool:
    """True where the turn that is still running called tools without leading thinking: Anthropic then refuses
    `thinking: enabled` ("Expected `thinking` or `redacted_thinking`, but found `tool_use`")."""
    for message in reversed(messages):
        content = message["content"]
        if message["role"] != "assistant":
            if type(content) is list and any(block.get("type") == "tool_result" for block in content):
                continue
            return False
        if type(content) is not list or not any(block.get("type") == "tool_use" for block in content):
            return False
        return not any(block.get("type") in ("thinking", "redacted_thinking") for block in content)
    return False
