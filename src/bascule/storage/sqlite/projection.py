"""Lines to columns of the `attempts` table, and its columns back to what they say."""

from operator import attrgetter
from typing import Any

import msgspec

from bascule.model.entry import HeldScope, Intent
from bascule.model.row import IndexedAttempt

Columns = tuple[Any, ...]

_plain = attrgetter(
    "attempt_id", "request_id", "ts_start_ms", "session_id", "key", "org", "team", "project", "user", "model",
    "hold_nanousd",
)  # fmt: skip
_encode = msgspec.json.Encoder().encode
_decode_tags = msgspec.json.Decoder(dict[str, str]).decode
_decode_held = msgspec.json.Decoder(list[tuple[str, str]]).decode


def intent_columns(intent: Intent) -> Columns:
    """From `attempt_id` to `held`, in the order of `insert_attempts`."""
    held = intent.held
    return (
        *_plain(intent),
        _encode(intent.tags).decode() if intent.tags else None,
        _encode([(each.scope, each.window_id) for each in held]).decode() if held else None,
    )


def indexed_of(columns: Columns) -> IndexedAttempt:
    """What `joined` read: from `attempt_id` to `held`, then settle_line, cost_nanousd and charged_nanousd."""
    tags, held, settle_line, cost_nanousd, charged_nanousd = columns[11:]
    names = IndexedAttempt.__struct_fields__[:11]
    return IndexedAttempt(
        **dict(zip(names, columns[:11], strict=True)),
        tags={} if tags is None else _decode_tags(tags),
        held=() if held is None else tuple(HeldScope(*pair) for pair in _decode_held(held)),
        settled=settle_line is not None,
        cost_nanousd=cost_nanousd,
        charged_nanousd=charged_nanousd,
    )
