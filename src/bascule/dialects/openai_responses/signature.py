"""The proof that a reasoning item holds: OpenAI's encrypted content, or another issuer's signature under our mark.

OpenAI refuses encrypted content under another item's id, so that the two are one signature: `id#content`.
"""

from typing import Any

from bascule.dialects.openai_responses.names import FOREIGN_REASONING
from bascule.dialects.signatures import UNSIGNED, is_foreign, signature_of, signature_text
from bascule.model.request import Signature

NAME = "openai_responses"
_MOST_ID_CHARS = 128
_REDACTED = "redacted"


def item_signature(item_id: str | None, encrypted: str | None) -> tuple[Signature | None, bool]:
    """(whose proof a reasoning item bears, whether it stands for reasoning that only its issuer can read). No proof
    where nobody signed it."""
    if not encrypted:
        return None, False
    if not is_foreign(encrypted):
        return Signature(NAME, f"{item_id or ''}#{encrypted}"), True
    signature = signature_of(encrypted, NAME)
    if signature is None or signature.dialect != _REDACTED:
        return signature, False
    issuer, _, value = signature.value.partition(":")
    return (Signature(issuer, value) if value else None), True


def encrypted_content(signature: Signature | None, *, redacted: bool = False) -> str:
    """The field of an item for a client: never empty, so that what comes back is known to be from here."""
    if signature is None:
        return UNSIGNED
    if redacted and signature.dialect != NAME:
        signature = Signature(_REDACTED, f"{signature.dialect}:{signature.value}")
    return signature_text(signature, NAME)


def own_item(signature: Signature) -> dict[str, Any] | None:
    """The id (where it had one) and encrypted content of an item that OpenAI wrote; None for any other issuer's."""
    if signature.dialect != NAME:
        return None
    given, mark, encrypted = signature.value.partition("#")
    if not mark or len(given) > _MOST_ID_CHARS:
        return None
    return {"id": given, "encrypted_content": encrypted} if given else {"encrypted_content": encrypted}


def is_ours(item: dict[str, Any]) -> bool:
    """True for a reasoning item that came from another dialect's provider: OpenAI would refuse it."""
    given, encrypted = item.get("id"), item.get("encrypted_content")
    if type(given) is str and given.startswith(FOREIGN_REASONING):
        return True
    return type(encrypted) is str and is_foreign(encrypted)
