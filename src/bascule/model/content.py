"""What is recorded of an upstream exchange."""

from msgspec import Struct


class Recording(Struct, frozen=True, kw_only=True):
    """One attempt: what was sent to the provider and what came back, as far as the bound allows."""

    attempt_id: str
    request_id: str
    ts_ms: int
    key: str | None = None
    user: str | None = None
    session_id: str | None = None
    status: int | None = None
    """None: nothing came back."""
    request: bytes | None = None
    """None where sizes alone are recorded."""
    answer: bytes | None = None
    request_bytes: int = 0
    answer_bytes: int = 0
    """As they came, up to where reading stopped."""
    request_digest: str | None = None
    answer_digest: str | None = None
    """Keyed by the store's pepper, where content is not recorded: the same content has the same digest."""
    cut: bool = False
    """Request or answer were longer than what is kept."""


class Subject(Struct, frozen=True, kw_only=True):
    """Whose content. To erase, exactly one of the two."""

    user: str | None = None
    session_id: str | None = None

    def __str__(self) -> str:
        return f"user:{self.user}" if self.user is not None else f"session:{self.session_id}"
