"""Lines to what the `attempts` table and those beside it keep of them, and its columns back to what they say."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Struct, field

from bascule.model.chain import KIND_OF, ChainedLine
from bascule.model.entry import Adjustment, Decision, HeldScope, Intent, Settlement
from bascule.model.row import IndexedAttempt
from bascule.ports import HOUR_MS

Columns = tuple[Any, ...]

SEQ_BITS = 40
"""A line's number is that of its chain, shifted by as many bits, plus its place in the chain."""

_plain = attrgetter(
    "attempt_id", "request_id", "ts_start_ms", "session_id", "key", "org", "team", "project", "user", "model",
    "hold_nanousd",
)  # fmt: skip
_encode = msgspec.json.Encoder().encode
_decode_tags = msgspec.json.Decoder(dict[str, str]).decode
_decode_held = msgspec.json.Decoder(list[tuple[str, str]]).decode
_OPEN = (None, None, None)


class Projection(Struct):
    """Rows that a group of lines makes, in the order of the columns of the statements that insert them."""

    lines: list[Columns] = field(default_factory=list)
    """line_no, kind, attempt_id, body, chain."""
    attempts: list[Columns] = field(default_factory=list)
    """intent_line, attempt_id … held, then settle_line, cost_nanousd and charged_nanousd where that is here too."""
    settlements: dict[str, Columns] = field(default_factory=dict)
    """By attempt_id: settle_line, cost_nanousd, charged_nanousd. The first of an attempt stands."""
    adjustments: list[Columns] = field(default_factory=list)
    decisions: list[Columns] = field(default_factory=list)
    begun_hours: dict[str, int] = field(default_factory=dict)
    """By attempt_id, of those that begin here."""
    changed_elsewhere: set[str] = field(default_factory=set)
    """Attempts that began in an earlier group."""

    def late_settlements(self, *, all_new: bool) -> list[Columns]:
        """Those that no inserted row had in it already: of all attempts where not all of them were new."""
        begun = self.begun_hours if all_new else {}
        return [(attempt_id, *one) for attempt_id, one in self.settlements.items() if attempt_id not in begun]


def projected(chain_no: int, lines: Sequence[ChainedLine]) -> Projection:
    """What a group of lines of one chain makes."""
    found = Projection()
    base = chain_no << SEQ_BITS
    intents: list[tuple[int, Intent]] = []
    changed: set[str] = set()
    for each in lines:
        line_no, line = base + each.seq, each.line
        attempt_id = getattr(line, "attempt_id", None)
        found.lines.append((line_no, KIND_OF[type(line)], attempt_id, each.body, each.chain))
        match line:
            case Intent():
                intents.append((line_no, line))
                found.begun_hours[line.attempt_id] = line.ts_start_ms // HOUR_MS
            case Settlement():
                settled = (line_no, line.cost_nanousd, line.charged_nanousd)
                found.settlements.setdefault(line.attempt_id, settled)
                changed.add(line.attempt_id)
            case Adjustment():
                made = (line.adjustment_id, line.attempt_id, line.ts_ms, line.delta_nanousd, line.reason, line.by)
                found.adjustments.append(made)
                changed.add(line.attempt_id)
            case Decision():
                found.decisions.append((line.request_id, line_no))
    found.attempts = [
        (line_no, *intent_columns(line), *found.settlements.get(line.attempt_id, _OPEN)) for line_no, line in intents
    ]
    found.changed_elsewhere = changed - found.begun_hours.keys()
    return found


def intent_columns(intent: Intent) -> Columns:
    """From `attempt_id` to `held`."""
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
