"""Response headers and error answers."""

from functools import lru_cache
from urllib.parse import quote

from bascule.dialects.registry import dialect
from bascule.gateway.surfaces import SURFACES, Surface
from bascule.model.errors import Refusal, RefusalKind
from bascule.model.money import usd_text
from bascule.ports import Header

PRIVATE: Header = (b"cache-control", b"private, no-store")
JSON: Header = (b"content-type", b"application/json")
EVENT_STREAM: Header = (b"content-type", b"text/event-stream; charset=utf-8")
UNBUFFERED: Header = (b"x-accel-buffering", b"no")


NEVER_MENDED: frozenset[RefusalKind] = frozenset(
    (
        "malformed", "context_length", "unsupported", "unauthenticated", "budget_exhausted", "unpriceable",
        "forbidden", "model_not_found", "route_not_found", "method_not_allowed", "too_large", "idempotency_mismatch",
        "not_replayable",
    )
)  # fmt: skip
"""What the same request gets again however often it is sent."""


@lru_cache(maxsize=4096)
def header_text(text: str) -> bytes:
    """Any text as a header value: printable ASCII as it is, all else percent-encoded."""
    if text.isascii() and text.isprintable():
        return text.encode("ascii")
    return quote(text, safe=" !\"#$&'()*+,/:;<=>?@[]^`{|}~").encode("ascii")


def answer_headers(
    *, request_id: str, model: str, provider: str | None, reason: str, cache: str, content_type: Header
) -> list[Header]:
    """The headers of a served answer, without its cost."""
    request_id_bytes = request_id.encode("ascii")
    headers = [
        content_type,
        PRIVATE,
        (b"x-bascule-request-id", request_id_bytes),
        (b"x-request-id", request_id_bytes),
        (b"request-id", request_id_bytes),
        (b"x-bascule-model", header_text(model)),
        (b"x-bascule-cache", cache.encode("ascii")),
        (b"x-bascule-reason", header_text(reason)),
    ]
    if provider is not None:
        headers.append((b"x-bascule-provider", header_text(provider)))
    return headers


def cost_header(cost_nanousd: int | None) -> Header | None:
    """`x-bascule-cost-usd`, or None where the cost is unknown."""
    text = usd_text(cost_nanousd)
    return None if text is None else (b"x-bascule-cost-usd", text.encode("ascii"))


def error_answer(surface: Surface, refusal: Refusal, request_id: str) -> tuple[int, list[Header], bytes]:
    """Status, headers and body of a refusal in the client's dialect. Every one has an id to ask about."""
    status, body = dialect(SURFACES[surface].chat_dialect).error(refusal, request_id)
    request_id_bytes = request_id.encode("ascii")
    headers = [JSON, PRIVATE, (b"x-bascule-request-id", request_id_bytes), (b"request-id", request_id_bytes)]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % max(1, -int(-refusal.retry_after_s // 1))))
    if refusal.spent or refusal.kind in NEVER_MENDED:
        headers.append((b"x-should-retry", b"false"))
    return status, headers, body
