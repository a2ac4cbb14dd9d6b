"""What an import found: its summary, in exact sums."""

from operator import attrgetter

from msgspec import Struct, field

from bascule.model.row import AttemptRow
from bascule.offline.imports.booking import output_cost_nanousd
from bascule.offline.imports.lines import BadLine
from bascule.offline.imports.observed import Observed
from bascule.offline.sums import TOKENS

MAX_BAD_LINES = 10_000
"""Named in full; more are counted."""
_counts = attrgetter(*TOKENS)
MAX_NAMES = 1_000
NO_MODEL = "(no model named)"


class Share(Struct, frozen=True, gc=False):
    """What one row adds to the sums, so that a better reading can take its place."""

    tokens: int
    cost_nanousd: int | None
    estimated_nanousd: int
    """The cost, where the row's usage is estimated."""
    guessed_nanousd: int
    """Of it, what the estimate adds to the recorded counts."""
    unknown: str | None
    """The model of a row without a cost."""
    priceless: bool
    """Without a cost because the price is unknown, not a count."""
    version: str | None


class Tally(Struct, kw_only=True):
    files: int = 0
    files_older: int = 0
    """Last written before the period began, so not opened."""
    bytes_read: int = 0
    lines: int = 0
    bad_lines: int = 0
    bad: list[BadLine] = field(default_factory=list)
    unreadable: list[BadLine] = field(default_factory=list)
    rows: int = 0
    """Different calls in the period."""
    copies: int = 0
    """Readings of a call that had been read as well before."""
    outside: int = 0
    """Calls before or after the period."""
    through_gateway: int = 0
    """Calls that the ledger has already, from the gateway that they went through."""
    taken_over: int = 0
    """Rows of providers' usage reports that restate these calls and do not count any more."""
    api_errors: int = 0
    new: int = 0
    replaced: int = 0
    same: int = 0
    tokens: int = 0
    cost_nanousd: int = 0
    estimated_rows: int = 0
    estimated_unpriced_rows: int = 0
    """Of the estimated ones, those without a known cost."""
    estimated_nanousd: int = 0
    guessed_nanousd: int = 0
    estimated_versions: dict[str, int] = field(default_factory=dict)
    unknown_rows: int = 0
    """Rows without a known cost."""
    unknown_prices: dict[str, int] = field(default_factory=dict)
    """Of them, those of models without a known price."""
    unknown_counts: dict[str, int] = field(default_factory=dict)
    """And those whose log leaves a count unknown that matters."""
    first_ms: int | None = None
    last_ms: int | None = None

    @property
    def known_cost_nanousd(self) -> int | None:
        """None where no call has a known cost."""
        return None if self.rows and self.unknown_rows == self.rows else self.cost_nanousd

    @property
    def known_estimated_nanousd(self) -> int | None:
        """None where calls were estimated and no cost of theirs is known."""
        none_known = self.estimated_rows and self.estimated_unpriced_rows == self.estimated_rows
        return None if none_known else self.estimated_nanousd

    @property
    def is_unreadable(self) -> bool:
        """There was something to read, nothing came of it, and that is the files' fault."""
        if self.rows or self.copies or self.outside or self.through_gateway:
            return False
        return bool(self.unreadable and not self.files) or (self.bad_lines > 0 and 2 * self.bad_lines >= self.lines)

    def complain(self, bad: BadLine) -> None:
        self.bad_lines += 1
        if len(self.bad) < MAX_BAD_LINES:
            self.bad.append(bad)

    def add(self, share: Share, row: AttemptRow) -> None:
        self.rows += 1
        self._count(share, 1)
        at_ms = row.ts_start_ms
        self.first_ms = at_ms if self.first_ms is None else min(self.first_ms, at_ms)
        self.last_ms = at_ms if self.last_ms is None else max(self.last_ms, at_ms)

    def exchange(self, old: Share, new: Share) -> None:
        self._count(old, -1)
        self._count(new, 1)

    def _count(self, share: Share, sign: int) -> None:
        self.tokens += sign * share.tokens
        self.cost_nanousd += sign * (share.cost_nanousd or 0)
        self.guessed_nanousd += sign * share.guessed_nanousd
        if share.version is not None:
            self.estimated_rows += sign
            self.estimated_unpriced_rows += sign * (share.cost_nanousd is None)
            self.estimated_nanousd += sign * share.estimated_nanousd
            _bump(self.estimated_versions, share.version, sign)
        if share.unknown is not None:
            self.unknown_rows += sign
            _bump(self.unknown_prices if share.priceless else self.unknown_counts, share.unknown, sign)


def share_of(row: AttemptRow, seen: Observed | None, *, has_price: bool) -> Share:
    """What `row` adds. `seen` is what it was booked from, where it was."""
    tokens = sum(filter(None, _counts(row)))
    estimated = row.usage_source == "estimated"
    cost = row.cost_nanousd
    guessed = 0
    if estimated and cost is not None and seen is not None and seen.recorded_out is not None:
        guessed = cost - (output_cost_nanousd(row, seen.recorded_out) or 0)
    version = (seen.version if seen is not None else row.tags.get("version")) or "unknown"
    return Share(
        tokens,
        cost,
        (cost or 0) if estimated else 0,
        guessed,
        None if cost is not None else row.model or row.model_reported or NO_MODEL,
        not has_price,
        version if estimated else None,
    )


def _bump(counts: dict[str, int], name: str, by: int) -> None:
    if name not in counts and len(counts) >= MAX_NAMES:
        name = "(others)"
    counts[name] = counts.get(name, 0) + by
    if not counts[name]:
        del counts[name]
