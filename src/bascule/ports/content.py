"""Recordings of requests and answers."""

from typing import Protocol

from bascule.model.content import Recording, Subject


class ContentSink(Protocol):
    """Where recordings go while requests are served. Never blocks, never raises."""

    @property
    def max_recorded_bytes(self) -> int:
        """Of one request and of one answer."""
        ...

    def take(self, recording: Recording) -> None:
        """Keep it once there is time, unless too much waits already."""
        ...


class ContentStore(Protocol):
    """What was recorded. Blocking, for any thread. Raises StoreError."""

    def of_request(self, request_id: str) -> list[Recording]:
        """In the order of attempts. Raises StoreError too where the key of one of them is missing."""
        ...

    def erase(self, subject: Subject, *, at_ms: int) -> int:
        """Delete all content of a user or session, kept replies included; says how many recordings and replies those
        were. Once it returns, no byte of them is left in the store's files, and nothing that began by `at_ms` comes
        there any more."""
        ...
