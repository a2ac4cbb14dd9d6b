"""The exact response cache: whole upstream answers in bounded memory, replayed through the same codecs.

An entry holds what the provider sent, never what a client got, so a hit is rendered for its own request. Only
complete answers without tool calls are kept; errors and partial streams never are.
"""

from collections import OrderedDict
from typing import Literal

from msgspec import Struct

from bascule.model.plan import Candidate
from bascule.model.usage import Usage


class Stored(Struct, frozen=True, kw_only=True):
    """One answer as the provider gave it. `raw` is a JSON body or a whole event stream."""

    kind: Literal["reply", "stream"]
    raw: bytes
    candidate: Candidate
    """Who gave it."""
    usage: Usage
    stored_s: float


class ExactCache:
    """Least recently used answers, bounded in number, bytes and age."""

    def __init__(self, *, ttl_s: float, max_entries: int, max_bytes: int, max_entry_bytes: int) -> None:
        self._ttl_s = ttl_s
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self.max_entry_bytes = max_entry_bytes
        self._entries: OrderedDict[bytes, Stored] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, fingerprint: bytes, now_s: float) -> Stored | None:
        entry = self._entries.get(fingerprint)
        if entry is None:
            return None
        if now_s - entry.stored_s > self._ttl_s:
            self._drop(fingerprint)
            return None
        self._entries.move_to_end(fingerprint)
        return entry

    def put(self, fingerprint: bytes, entry: Stored) -> None:
        """Keep an answer, unless it alone is too large."""
        if len(entry.raw) > self.max_entry_bytes:
            return
        if fingerprint in self._entries:
            self._drop(fingerprint)
        self._entries[fingerprint] = entry
        self._bytes += len(entry.raw)
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def clear(self) -> int:
        """Forget everything; says how many answers that were."""
        count = len(self._entries)
        self._entries.clear()
        self._bytes = 0
        return count

    def _drop(self, fingerprint: bytes) -> None:
        self._bytes -= len(self._entries.pop(fingerprint).raw)
