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


def audit_body(entry: AuditEntry) -> bytes:
    """What is hashed of an entry: all but its link."""
    return msgspec.json.encode(structs.replace(entry, chain=""))


def linked(entry: AuditEntry, previous: str) -> AuditEntry:
    """The entry with its link, after an entry whose link is `previous` (AUDIT_START for the first)."""
    return structs.replace(entry, chain=next_chain(previous, audit_body(entry)))
