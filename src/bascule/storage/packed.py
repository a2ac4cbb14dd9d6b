"""An imported row in two parts: its profile, which many rows of a source share, and what is its own.

Both are MessagePack. A profile has its fields by name; a row's own part has them by place, so that it is short.
"""

from hashlib import blake2b
from operator import attrgetter
from typing import Any
from zlib import crc32

import msgspec
from msgspec import structs

from bascule.model.imported import import_id
from bascule.model.row import AttemptRow

OWN = (
    "request_id", "agent_id", "parent_id", "upstream_request_id", "idempotency_key", "attempt_no", "status",
    "error_class", "ts_first_ms", "ts_end_ms", "tokens_in", "tokens_cache_read", "tokens_cache_write_5m",
    "tokens_cache_write_1h", "tokens_out", "tokens_reasoning", "tokens_audio_in", "tokens_audio_out",
    "tokens_image_in", "tokens_image_out", "web_searches", "tool_fees_nanousd", "usage_raw", "cost_nanousd",
    "provider_cost_nanousd", "baseline_nanousd", "saved_nanousd", "decision_id", "finish_reason",
)  # fmt: skip
"""What a row has for itself, by place: a field may be added at the end, and none moved or removed."""
COLUMNS = ("attempt_id", "ts_start_ms")
"""What is in columns."""
SHARED = tuple(name for name in AttemptRow.__struct_fields__ if name not in OWN and name not in COLUMNS)

_BLANK: dict[str, Any] = {"kind": "import", "attempt_id": "", "request_id": "", "attempt_no": 0, "ts_start_ms": 0}
_DEFAULTS = structs.asdict(AttemptRow(**_BLANK, chain=""))
_encode = msgspec.msgpack.Encoder().encode
_decode_own = msgspec.msgpack.Decoder(list[Any]).decode
_own = attrgetter(*OWN)
_shared = attrgetter(*SHARED)


def shared_part(row: AttemptRow) -> bytes:
    """The same for rows of the same profile."""
    return _encode(_shared(row))


def own_part(row: AttemptRow) -> bytes:
    return _encode(_own(row))


def profile_of(row: AttemptRow) -> tuple[bytes, bytes]:
    """Digest and body of the row's profile."""
    told = {name: value for name, value in zip(SHARED, _shared(row), strict=True) if value != _DEFAULTS[name]}
    body = _encode(dict(sorted(told.items())))
    return blake2b(body, digest_size=16).digest(), body


def template_of(body: bytes) -> AttemptRow:
    """A row with what a profile says, and nothing else."""
    told = msgspec.msgpack.decode(body)
    return msgspec.convert({**_BLANK, "chain": "", **told}, AttemptRow)


def unpacked(template: AttemptRow, source_id: str, ts_start_ms: int, body: bytes) -> AttemptRow:
    """The row again."""
    return structs.replace(
        template,
        attempt_id=import_id(template.origin, source_id),
        ts_start_ms=ts_start_ms,
        **dict(zip(OWN, _decode_own(body), strict=False)),
    )


def checksum(text: str) -> int:
    """What rows are looked up by; the text itself decides."""
    return crc32(text.encode())
