"""What the engine needs from the world. Hot ports are synchronous; only the upstream and slow paths are async."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from msgspec import Struct

from bascule.model.audit import AuditEntry
from bascule.model.billed import BilledPeriod
from bascule.model.budget import Attribution, BudgetState, Hold
from bascule.model.chain import ChainedLine, ChainHead, StoredLine
from bascule.model.cost_cell import CostCell, Cover
from bascule.model.entry import Adjustment, Decision, Intent, Settlement
from bascule.model.errors import BasculeError, Refusal
from bascule.model.imported import ImportCounts, Imported
from bascule.model.outcome import ErrorClass
from bascule.model.policy import Budget, BudgetWindow, KeyPolicy, RateLimit
from bascule.model.report import TERMS, Cell, Report, Sort, Terms
from bascule.model.row import EVERY_ROW, AttemptRow, IndexedAttempt, RowFilter
from bascule.model.session import Sessions
from bascule.model.session_outcome import SessionOutcome

Header = tuple[bytes, bytes]


class Clock(Protocol):
    """Wall and monotonic time."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds of a clock that never goes back."""
        ...


class Timeouts(Struct, frozen=True, kw_only=True):
    """Limits of one upstream exchange, in seconds."""

    connect_s: float = 5.0
    first_byte_s: float = 120.0
    idle_s: float = 60.0
    total_s: float = 900.0


class UpstreamCall(Struct, frozen=True, kw_only=True):
    """One HTTP exchange to make. `origin` is `https://host[:port]`, `target` path with query, as sent."""

    origin: str
    method: str
    target: str
    headers: tuple[Header, ...]
    """Without Host, Content-Length, Connection and Transfer-Encoding: the transport sets those."""
    body: bytes
    timeouts: Timeouts = Timeouts()
    max_body_bytes: int = 64 * 1024 * 1024
    """Of a decoded response body that is read whole."""


class TransportError(Exception):
    """The exchange broke below the dialect. `request_sent`: at least a byte of it reached the socket."""

    def __init__(self, error_class: ErrorClass, message: str, *, request_sent: bool) -> None:
        self.error_class = error_class
        self.request_sent = request_sent
        super().__init__(message)


class UpstreamReply(Protocol):
    """A response whose head has arrived. Exactly one of `read` or repeated `read_chunk`, then `close`."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Sequence[Header]:
        """Names lower-cased."""
        ...

    async def read(self) -> bytes:
        """The whole body, decoded. Raises TransportError (`too_large`, `reset`, `truncated`, timeouts)."""
        ...

    async def read_chunk(self) -> bytes:
        """The next bytes as they arrive, b"" at the clean end. Raises TransportError. Reading drives backpressure."""
        ...

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else cut it. Idempotent, never blocks."""
        ...


class Upstream(Protocol):
    async def send(self, call: UpstreamCall) -> UpstreamReply:
        """Send the request and wait for the response's head. Raises TransportError, and LedgerUnavailable where the
        request did not leave because its intent could not be written."""
        ...


class Journal(Protocol):
    """The append-only record that makes an attempt billable.

    A line is safe when the call returns, or, where the journal writes in groups, before anything leaves that is sent
    in the same round of the event loop. Should that write fail, `Upstream.send` says so and nothing has left.
    """

    def intent(self, line: Intent) -> None:
        """Raises LedgerUnavailable; nothing may then be dispatched."""
        ...

    def begin(self, decision: Decision, intent: Intent) -> None:
        """Both in one line. Raises LedgerUnavailable; neither is then in the journal."""
        ...

    def settle(self, line: Settlement) -> None:
        """Raises LedgerUnavailable; the line then waits in memory and goes before the next one. Should the process
        end first, the attempt is open and recovery settles it at its hold."""
        ...

    def adjust(self, line: Adjustment) -> None: ...

    def decision(self, line: Decision) -> None: ...


class Authority(Protocol):
    """Who may spend. Reserves in all matching budgets or in none; lease-shaped, so that more workers can follow."""

    def applicable(self, attribution: Attribution, now_ms: int) -> tuple[BudgetState, ...]:
        """The budgets that match, with what is left in each; empty where none applies."""
        ...

    def reserve(
        self, attribution: Attribution, attempt_id: str, amount_nanousd: int | None, now_ms: int
    ) -> Hold | Refusal:
        """Hold `amount_nanousd` in every matching budget, or say why not (`budget_exhausted` with both figures).

        None is an unknown amount: refused (`unpriceable`) where a strict or expected budget applies.
        """
        ...

    def settle(self, hold: Hold, cost_nanousd: int | None) -> None:
        """Replace the hold by what was spent, in the windows of the hold. None settles at the hold."""
        ...

    def states(self, now_ms: int) -> tuple[BudgetState, ...]:
        """Every counter of a current window, for `budgets show`."""
        ...

    def configure(self, budgets: tuple[Budget, ...]) -> None:
        """Take a new set of budgets; counters of those that stay are kept."""
        ...


class KeyStore(Protocol):
    """Virtual keys by their secret."""

    def lookup(self, secret: bytes) -> KeyPolicy | None:
        """The key whose secret this is, or None. Constant time in the secret; never logs it."""
        ...

    @property
    def is_open(self) -> bool:
        """True where no key is configured at all: loopback's open mode."""
        ...


class RateLimiter(Protocol):
    """Rate limits of keys. Every `take` that lets a request in is followed by one `finish` or `give_back`."""

    def take(self, key: str, limit: RateLimit, tokens: int, now_s: float) -> Refusal | None:
        """None lets the request in; a 429 has `retry_after_s` and leaves everything as it was."""
        ...

    def finish(self, key: str, limit: RateLimit, taken_tokens: int, actual_tokens: int | None, now_s: float) -> None:
        """The request has ended. `actual_tokens` None: unknown, what was taken stands."""
        ...

    def give_back(self, key: str, limit: RateLimit, tokens: int, now_s: float) -> None:
        """The request was refused for another reason, so it has not counted."""
        ...


HOUR_MS = 3_600_000

HourOf = tuple[str, int]
"""Origin and number of an hour (UTC, from the Unix epoch): what is compacted as one, and stale as one."""


class StoredKey(Struct, frozen=True, kw_only=True):
    """A virtual key that a command made. `digest` is the keyed hash of its secret; the secret is nowhere."""

    key_id: str
    policy: KeyPolicy
    digest: bytes
    created_ms: int
    revoked_ms: int | None = None
    """Good for nothing from then on; may lie ahead, after a rotation with grace."""


class Spent(Struct, frozen=True):
    """What the ledger says of one counter: settled (an unknown cost as its hold), and held by open attempts."""

    settled_nanousd: int
    held_nanousd: int


class Damage(Struct, frozen=True):
    """Something in a journal that cannot be read as it should: where, and what is wrong with it."""

    where: str
    what: str


class OpenAttempt(Struct, frozen=True):
    """An intent without a settlement, and the chain whose writer owes it."""

    chain_id: str
    intent: Intent


class JoinedAttempt(Struct, frozen=True):
    """One attempt twice: as the store keeps it to select and sum by, and the lines that it was made from."""

    kept: IndexedAttempt
    intent: Intent | None
    settlement: Settlement | None


class LedgerStore(Protocol):
    """Where the drainer puts lines. All calls raise StoreError; every one of them may be repeated."""

    def append(self, chain_id: str, lines: Sequence[ChainedLine]) -> None:
        """Take lines of one chain, in order, in one transaction. Lines that are already there change nothing."""
        ...

    def heads(self) -> dict[str, ChainHead]:
        """The last line taken of every chain."""
        ...

    def open_attempts(self, chain_id: str | None = None, up_to_seq: int | None = None) -> list[OpenAttempt]:
        """Attempts without a settlement, of all chains or of one (there up to and with line `up_to_seq`)."""
        ...

    def make_durable(self) -> None:
        """Return once everything taken so far survives loss of power, so that its journal may be deleted."""
        ...

    def spent(self, budgets: Sequence[Budget], now_ms: int) -> dict[tuple[str, str], Spent]:
        """As `LedgerSnapshot.spent`, of what the store holds now."""
        ...

    def snapshot(self) -> AbstractContextManager["LedgerSnapshot"]:
        """One consistent view of all rows, however long it is read."""
        ...


class LedgerSnapshot(Protocol):
    """What a store held at one moment. Rows carry their adjustments."""

    def attempts(self, where: RowFilter, *, by_request: bool = False) -> Iterator[AttemptRow]:
        """Rows in the order of (ts_start_ms, attempt_id), or with `by_request` of (request_id, attempt_id)."""
        ...

    def spent(self, budgets: Sequence[Budget], now_ms: int) -> dict[tuple[str, str], Spent]:
        """What has been spent and held in the current window of each budget, by (concrete scope, window_id).

        A row counts in the window that its hold was taken from; where it holds nothing in that scope (the budget is
        younger than the row) in the window that it started in. Counters at zero are left out.
        """
        ...

    def imported(self, where: RowFilter, *, by_request: bool = False) -> Iterator[AttemptRow]:
        """Imported rows in the order of (ts_start_ms, attempt_id), or with `by_request` those of a request together."""
        ...

    def import_counts(self) -> dict[str, int]:
        """Imported rows by source."""
        ...

    def identity(self) -> str:
        """Tells this store from every other one."""
        ...

    def open_hours(self) -> set[int]:
        """Hours in which attempts began that are not settled."""
        ...

    def hours_of(self, attempt_ids: Collection[str]) -> set[int]:
        """Hours in which these attempts of the ledger began; unknown ones are left out."""
        ...

    def hour_versions(self, since_hour: int | None = None, until_hour: int | None = None) -> dict[HourOf, int]:
        """How often each hour from `since_hour` up to `until_hour` was written to; hours without rows are left out."""
        ...

    def known_attempts(self, attempt_ids: Collection[str]) -> set[str]: ...

    def known_adjustments(self, adjustment_ids: Collection[str]) -> set[str]: ...

    def adjusted(self, attempt_ids: Collection[str]) -> dict[str, int]:
        """The sum of the adjustments of each of these attempts that has any, known here or not."""
        ...

    def decisions(self, request_id: str) -> list[Decision]: ...

    def heads(self) -> dict[str, ChainHead]: ...

    def chain(self, chain_id: str) -> Iterator[StoredLine]:
        """All lines of one chain in order."""
        ...

    def joined(self) -> Iterator[JoinedAttempt]:
        """Every attempt twice, for `ledger verify`."""
        ...

    def strays(self) -> list[Damage]:
        """Lines that belong to no chain or no attempt, and attempts that point at other lines than their own."""
        ...


class ImportStore(Protocol):
    """Where rows that others recorded are kept, apart from the ledger's own."""

    def put(self, rows: Iterable[Imported]) -> ImportCounts:
        """Take readings in groups, each of them whole or not at all, so that everything may be repeated; the same
        readings again change nothing. Whoever reads is not held up, and several may put at once.

        Raises StoreError, and BasculeError for a row that is not one of its source.
        """
        ...


class OutcomeStore(Protocol):
    """What became of sessions' work, as it was said. Append-only. Raises StoreError."""

    def add(self, outcomes: Sequence[SessionOutcome]) -> None:
        """Take statements, all or none. Each names a session or a request."""
        ...

    def all(self, session_id: str | None = None) -> list[SessionOutcome]:
        """Everything that was ever said, in that order."""
        ...

    def current(self) -> list[SessionOutcome]:
        """The last statement of each source about each thing, in the order said; what was taken back is left out."""
        ...


class LedgerReader(Protocol):
    """Rows of the whole ledger, what the store has not taken yet and what was imported included. Raises StoreError."""

    def attempts(self, where: RowFilter = EVERY_ROW, *, by_request: bool = False) -> Iterator[AttemptRow]:
        """As `LedgerSnapshot.attempts`, over the store, the journals' tails and the imports together; `by_request`
        the imports come last.
        """
        ...

    def decisions(self, request_id: str) -> list[Decision]:
        """The decision records of a request, oldest first."""
        ...


class AnalyticsMissing(BasculeError):
    """The extra `analytics` is not installed."""


class Analytics(Protocol):
    """Rows of the whole ledger and of imports, summed. Raises StoreError; AnalyticsMissing where its extra is not
    installed.

    Dimensions are the names of `offline.dimensions`, checked there. Any thread may call it; each call reads anew.
    """

    def report(
        self,
        by: Sequence[str],
        where: RowFilter = EVERY_ROW,
        *,
        terms: Terms = TERMS,
        sort: Sort = "cost",
        top: int | None = None,
    ) -> Report:
        """Figures in total and by group; `top` takes the first of the groups alone, the total stays of all."""
        ...

    def cells(
        self,
        by: Sequence[str],
        where: RowFilter = EVERY_ROW,
        *,
        rates: bool = False,
        distinct: bool = True,
        times: bool = False,
        terms: Terms = TERMS,
    ) -> list[Cell]:
        """Sums by group without percentiles, in no order.

        `rates` divides them by what they were priced at too, `distinct` counts users and sessions (which takes about
        as long as the rest), `times` tells when each began and ended. Without dimensions one cell, or none where
        there are no rows.
        """
        ...

    def costs(
        self,
        by: Sequence[str],
        where: RowFilter = EVERY_ROW,
        *,
        covers: Sequence[Cover] = (),
        terms: Terms = TERMS,
    ) -> list[CostCell]:
        """What settled attempts cost by group, in no order, divided by which of `covers` admit it, by user where one
        of them asks, and by whether it was used on a plan."""
        ...

    def on_plan(self, where: RowFilter) -> bool:
        """Whether anything was used on a plan: whether `costs` would tell such a cell."""
        ...

    def held(self, where: RowFilter) -> "AbstractContextManager[Analytics]":
        """The same for several questions about rows that are read once; each may ask for a part of `where`."""
        ...

    def billed(self, where: RowFilter) -> BilledPeriod:
        """What settled attempts with a known cost were billed for, as a bridge between two periods needs it."""
        ...

    def sessions(self, where: RowFilter = EVERY_ROW, *, sort: Literal["start", "cost"] = "start", top: int) -> Sessions:
        """The latest or the dearest sessions; what belongs to none is one session without an id."""
        ...

    def rows(self, where: RowFilter) -> list[AttemptRow]:
        """Rows themselves, oldest first, for one session or one attempt: all are held in memory.

        They have what reports need; raw usage, holds and links stay in the ledger.
        """
        ...


class LedgerEvidence(Protocol):
    """What `ledger verify` checks."""

    def snapshot(self) -> AbstractContextManager[LedgerSnapshot]: ...

    def filed(self) -> dict[str, list[StoredLine]]:
        """Lines that lie in journal files, by chain, in order. Read before `snapshot`."""
        ...

    def damages(self) -> list[Damage]:
        """What `filed` could not read."""
        ...


class Governance(Protocol):
    """Keys and budgets that commands made, and the audit trail of every change. Raises StoreError."""

    def revision(self) -> int:
        """Grows with every change, whoever made it; cheap to ask."""
        ...

    def keys(self) -> list[StoredKey]:
        """All, revoked and expired ones too, oldest first."""
        ...

    def add_key(self, key: StoredKey, *, by: str, action: str = "key.create") -> None: ...

    def end_key(self, key_id: str, *, at_ms: int, by: str, now_ms: int, action: str = "key.revoke") -> bool:
        """The key is good for nothing from `at_ms` on. False where there is no such key, or it ends sooner."""
        ...

    def budgets(self) -> tuple[Budget, ...]: ...

    def set_budget(self, budget: Budget, *, by: str, now_ms: int) -> None:
        """Make or replace the budget of this scope and window."""
        ...

    def remove_budget(self, scope: str, window: BudgetWindow, *, by: str, now_ms: int) -> bool:
        """False where there is none."""
        ...

    def record(self, *, ts_ms: int, by: str, action: str, target: str, detail: dict[str, Any]) -> None:
        """An audit entry for an act that changes nothing here."""
        ...

    def audit(self) -> Iterator[AuditEntry]:
        """Oldest first."""
        ...

    def audit_head(self) -> ChainHead | None:
        """The last entry, as it was anchored outside the trail itself."""
        ...

    def setting(self, name: str) -> str | None: ...

    def set_setting(self, name: str, value: str) -> None: ...
