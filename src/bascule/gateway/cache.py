"""The exact response cache: whole upstream answers in bounded memory, replayed through the same codecs.

An entry holds what the provider sent, never what a client got, so a hit is rendered for its own request. Only
complete answers without tool calls are kept; errors and partial streams never are.
"""

from collections import OrderedDict
from typing import Literal

from msgspec import Struct

from bascule.decide.fingerprint import Fingerprint
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
    """Least recently used answers, bounded in number, bytes (with what was asked for them) and age."""

    def __init__(self, *, ttl_s: float, max_entries: int, max_bytes: int, max_entry_bytes: int) -> None:
        self._ttl_s = ttl_s
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self.max_entry_bytes = max_entry_bytes
        self._entries: OrderedDict[bytes, tuple[bytes, Stored]] = OrderedDict()
        """What was asked, and its answer."""
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, asked: Fingerprint, now_s: float) -> Stored | None:
        found = self._entries.get(asked.digest)
        if found is None:
            return None
        content, entry = found
        if now_s - entry.stored_s > self._ttl_s:
            self._drop(asked.digest)
            return None
        if content != asked.content:
            return None  # another request with the same digest
        self._entries.move_to_end(asked.digest)
        return entry

    def put(self, asked: Fingerprint, entry: Stored) -> None:
        """Keep an answer, unless it alone is too large."""
        size = len(asked.content) + len(entry.raw)
        if len(entry.raw) > self.max_entry_bytes or size > self._max_bytes:
            return
        if asked.digest in self._entries:
            self._drop(asked.digest)
        self._entries[asked.digest] = (asked.content, entry)
        self._bytes += size
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def clear(self) -> int:
        """Forget everything; says how many answers that were."""
        count = len(self._entries)
        self._entries.clear()
        self._bytes = 0
        return count

    def _drop(self, digest: bytes) -> None:
        content, entry = self._entries.pop(digest)
        self._bytes -= len(content) + len(entry.raw)
