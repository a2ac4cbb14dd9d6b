"""What may follow each class of upstream failure: the whole table."""

from typing import Literal

from msgspec import Struct

from bascule.model.errors import RefusalKind
from bascule.model.outcome import ErrorClass

Next = Literal["again", "endpoint", "credential", "larger_window", "stop"]
"""What may follow a failure:

again          another candidate, and if there is none, the same one after a pause
endpoint       another candidate, never this endpoint
credential     another credential of the provider, else another provider: it is our account that was turned away
larger_window  a candidate whose context window is known to be larger
stop           nothing: it is the request itself, or nobody waits for the answer
"""


class Behaviour(Struct, frozen=True):
    next: Next
    kind: RefusalKind
    """What the client is told if nothing else worked."""


BEHAVIOUR: dict[ErrorClass, Behaviour] = {
    "rate_limited": Behaviour("again", "rate_limited"),
    "quota_exhausted": Behaviour("credential", "upstream_failed"),
    "overloaded": Behaviour("again", "overloaded"),
    "server_error": Behaviour("again", "upstream_failed"),
    "timeout_connect": Behaviour("again", "upstream_timeout"),
    "timeout_first_byte": Behaviour("again", "upstream_timeout"),
    "timeout_idle": Behaviour("again", "upstream_timeout"),
    "timeout_total": Behaviour("endpoint", "upstream_timeout"),
    "connect": Behaviour("again", "upstream_failed"),
    "reset": Behaviour("again", "upstream_failed"),
    "truncated": Behaviour("again", "upstream_failed"),
    # What cannot be read was answered and billed; asked again, the same endpoint would bill the same once more.
    "protocol": Behaviour("endpoint", "upstream_failed"),
    "too_large": Behaviour("stop", "upstream_failed"),
    "bad_request": Behaviour("stop", "upstream_rejected"),
    "context_length": Behaviour("larger_window", "context_length"),
    # A provider's refusal of content is an answer; going on until somebody says yes would be getting round it. A route
    # may want just that (`Plan.filtered_elsewhere`).
    "content_filter": Behaviour("stop", "upstream_rejected"),
    "auth": Behaviour("credential", "upstream_failed"),
    "not_found": Behaviour("endpoint", "model_not_found"),
    "unsupported": Behaviour("endpoint", "unsupported"),
    "cancelled": Behaviour("stop", "overloaded"),
    "client_gone": Behaviour("stop", "upstream_failed"),
}
