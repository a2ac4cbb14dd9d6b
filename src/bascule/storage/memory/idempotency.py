"""Uses of Idempotency-Keys in memory, for tests of what stands on the port."""

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import structs

from bascule.model.idempotency import KeyState, KeyUse


class MemoryIdempotency:
    """Implements `ports.IdempotencyStore`. `attempted`: the last attempts of requests, by their ids."""

    def __init__(self, *, max_rows: int, max_rows_per_key: int, attempted: Mapping[str, str] | None = None) -> None:
        self._max_rows = max_rows
        self._max_rows_per_key = max_rows_per_key
        self._attempted = attempted or {}
        self._uses: dict[bytes, KeyUse] = {}

    def claim(self, use: KeyUse) -> KeyUse | Literal["claimed", "full"]:
        found = self.find(use.name, use.started_ms)
        if found is not None:
            return found
        of_tenant = sum(other.tenant == use.tenant for other in self._uses.values())
        if len(self._uses) >= self._max_rows or of_tenant >= self._max_rows_per_key:
            return "full"
        self._uses[use.name] = use
        return "claimed"

    def find(self, name: bytes, now_ms: int) -> KeyUse | None:
        found = self._uses.get(name)
        return found if found is not None and found.until_ms > now_ms else None

    def end(self, name: bytes, request_id: str, state: KeyState, attempt_id: str | None) -> None:
        found = self._uses.get(name)
        if found is not None and found.request_id == request_id:
            self._uses[name] = structs.replace(found, state=state, attempt_id=attempt_id)

    def release(self, name: bytes, request_id: str) -> None:
        found = self._uses.get(name)
        if found is not None and found.request_id == request_id:
            del self._uses[name]

    def abandon(self, is_dead: Callable[[str], bool]) -> int:
        lost = 0
        for name, use in list(self._uses.items()):
            if use.state == "open" and is_dead(use.owner):
                attempt_id = self._attempted.get(use.request_id)
                if attempt_id is not None:
                    lost += 1
                    self._uses[name] = structs.replace(use, state="lost", attempt_id=attempt_id)
                else:
                    del self._uses[name]
        return lost

    def purge(self, now_ms: int) -> int:
        over = [name for name, use in self._uses.items() if use.until_ms <= now_ms]
        for name in over:
            del self._uses[name]
        return len(over)
