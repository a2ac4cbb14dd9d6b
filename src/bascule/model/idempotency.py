"""What is remembered of a request that came with an Idempotency-Key, and the answer that is given again."""

from typing import Literal

from msgspec import Struct

from bascule.model.errors import Refusal

KeyState = Literal["open", "done", "lost"]
"""`open`: being served, as far as anyone has said. `done`: answered whole. `lost`: something was sent that may be
billed, and no whole answer came of it."""


class KeyUse(Struct, frozen=True, kw_only=True):
    """The one use of an Idempotency-Key by a tenant."""

    name: bytes
    """What stands for tenant and key: 32 bytes."""
    digest: bytes
    """What stands for the request, so that another one under the same key is seen: 32 bytes."""
    tenant: str
    """The name of the virtual key."""
    request_id: str
    owner: str
    """The journal chain of the process that serves it."""
    started_ms: int
    until_ms: int
    """Forgotten from then on."""
    state: KeyState = "open"
    attempt_id: str | None = None
    """The last attempt that was made for it."""


class KeptReply(Struct, frozen=True, kw_only=True):
    """A whole answer as its client got it."""

    digest: bytes
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    streamed: bool
    until_ms: int


Outcome = KeptReply | Refusal
"""What those get who repeat a request."""
