"""Proofs of reasoning on their way through clients of other dialects.

A client gives back what it was given, whoever answers next. So a signature in a field of another dialect than its
issuer's bears its issuer's name: it is given back to that dialect only, and is never taken for one of the client's own.
"""

from bascule.model.request import Signature

_MARK = "bascule:"
UNSIGNED = f"{_MARK}unsigned"
"""Of reasoning that nobody signed, where the client's dialect wants a signature."""


def signature_text(signature: Signature, own: str) -> str:
    """A signature for a field of the dialect `own`."""
    return signature.value if signature.dialect == own else f"{_MARK}{signature.dialect}:{signature.value}"


def signature_of(text: str, own: str) -> Signature | None:
    """The signature in a field of the dialect `own`; None where it is none but `UNSIGNED`."""
    if not text.startswith(_MARK):
        return Signature(own, text)
    issuer, _, value = text.removeprefix(_MARK).partition(":")
    return Signature(issuer, value) if value else None


def is_foreign(text: str) -> bool:
    """True for what this gateway wrote: no issuer of the field's own dialect knows it."""
    return text.startswith(_MARK)
