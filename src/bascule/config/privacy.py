"""`privacy`: what of requests and answers may be recorded, for how long, and under which key."""

from typing import Annotated, Literal

from msgspec import Meta

from bascule.config.scalars import SecretRef
from bascule.config.section import Count, Section


class Privacy(Section, frozen=True, kw_only=True):
    """What may be recorded. See recording.md."""

    record_content: Literal["none", "metadata", "full"] = "none"
    """What of requests and answers goes to disk: `none`, `metadata` (sizes and keyed digests), or `full`."""
    retention_days: Annotated[int, Meta(ge=1, le=3_650)] = 30
    """Recordings older than that are deleted."""
    encryption: Literal["on", "off"] = "on"
    """With `off`, `full` writes content that whoever reads the disk can read."""
    content_key: SecretRef | None = None
    """The secret from which the key for recordings is made, at least 32 random characters."""
    previous_content_keys: tuple[SecretRef, ...] = ()
    """Earlier ones, under which recordings may still be read."""
    max_recorded_bytes: Count = 1024 * 1024
    """Of one request and of one answer; the rest is cut off, and the recording says so."""
    max_queue_bytes: Count = 64 * 1024 * 1024
    """Of recordings that wait for the disk; what comes beyond is not recorded, and counted."""
