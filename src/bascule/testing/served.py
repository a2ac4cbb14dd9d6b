"""What the scripted upstream did, one record per request: the other side of the ledger."""

from typing import Any

from msgspec import Struct, field

from bascule.testing.script import Bill, Dialect, Fault

TOO_DEEP = "(nested too deeply to be told)"


class Served(Struct, kw_only=True):
    """One request and what became of it. Grows while it is served; final once `ended`."""

    number: int
    """From 1, in the order of arrival."""
    dialect: Dialect
    path: str
    model: str
    stream: bool
    request_headers: dict[str, str]
    request_body: Any
    """Decoded JSON, None where it was none. `/_served` has `TOO_DEEP` for what no encoder writes again."""
    request_bytes: int
    upstream_request_id: str
    """Sent as `x-request-id` (OpenAI) or `request-id` (Anthropic)."""
    response_id: str = ""
    """The `id` in the body."""
    status: int = 0
    """0: no head was sent."""
    fault: Fault | None = None
    bill: Bill = "generated"
    """The policy in force, see `Script.bill`."""
    bills: bool = False
    """Whether this request costs something."""
    usage: dict[str, Any] | None = None
    """What is billed, in the dialect's wire form; None where nothing is."""
    reported_usage: Any = None
    """The last usage that was written, as it was written; None where none was."""
    output_tokens_written: int = 0
    """Generated before the end or the cut, thinking included."""
    bytes_written: int = 0
    completed: bool = False
    """Everything the script wanted was written."""
    cut: str | None = None
    """`client_left`, or the fault that ended it; None for a whole answer."""
    ended: bool = False
    choices: int = 1
    texts: list[str] = field(default_factory=list)
    """The visible text planned, by choice."""
