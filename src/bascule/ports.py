"""What the engine needs from the world. Hot ports are synchronous; only the upstream and slow paths are async."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from bascule.model.budget import Attribution, BudgetState, Hold
from bascule.model.entry import Adjustment, Decision, Intent, Settlement
from bascule.model.errors import Refusal
from bascule.model.outcome import ErrorClass
from bascule.model.policy import Budget, KeyPolicy

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
        """Send the request and wait for the response's head. Raises TransportError."""
        ...


class Journal(Protocol):
    """The append-only record that makes an attempt billable. One `write` per call; returns once the line is safe."""

    def intent(self, line: Intent) -> None:
        """Raises LedgerUnavailable; nothing may then be dispatched."""
        ...

    def settle(self, line: Settlement) -> None:
        """Raises LedgerUnavailable; the attempt then stays open and recovery settles it at its hold."""
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
