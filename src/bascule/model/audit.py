"""The audit trail: who changed what, each entry linked to the one before."""

from typing import Any

import msgspec
from msgspec import Struct, structs

from bascule.model.chain import chain_start, next_chain

AUDIT_START = chain_start("audit")
"""What the first entry hangs on."""


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One act of government: who did what to which thing. Never holds a secret."""

    seq: int
    ts_ms: int
    by: str
    action: str
    """`key.create`, `key.revoke`, `budget.set`, …"""
    target: str
    detail: dict[str, Any] = {}
    chain: str = ""
    """The link: over the link before and everything else that the entry says."""


_decode = msgspec.json.Decoder(AuditEntry).decode

UNREADABLE = "unreadable"
"""Stands as the action of an entry of which no more can be told."""


def stored_entry(seq: int, body: bytes, chain: str) -> AuditEntry:
    """An entry as it lies in a store, not yet trusted: where its bytes are not what an entry with this number would
    be written as, it has no link, so that the chain says so there.
    """
    try:
        entry = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return AuditEntry(seq=seq, ts_ms=0, by="", action=UNREADABLE, target="")
    if entry.seq != seq or entry.chain or audit_body(entry) != body:
        return structs.replace(entry, seq=seq, chain="")
    return structs.replace(entry, chain=chain)


def audit_body(entry: AuditEntry) -> bytes:
    """What is hashed of an entry: all but its link."""
    return msgspec.json.encode(structs.replace(entry, chain=""))


def linked(entry: AuditEntry, previous: str) -> AuditEntry:
    """The entry with its link, after an entry whose link is `previous` (AUDIT_START for the first)."""
    return structs.replace(entry, chain=next_chain(previous, audit_body(entry)))
