"""Which requests are the same, and what a repeated one is told.

A tenant is the virtual key: what a client sends can never reach into the keys of another. A key is used up once
something was sent that may be billed; before that nothing is remembered, so that a refused request may come again.
"""

from collections.abc import Sequence
from hashlib import blake2b

from bascule.model.errors import Refusal
from bascule.model.idempotency import KeyUse

DIGEST_BYTES = 32
MAX_KEY_BYTES = 255
RETRY_S = 1.0

MISMATCH = Refusal(
    kind="idempotency_mismatch",
    message="this Idempotency-Key was used for another request (path, body or anthropic-beta differ); "
    "take a new key for a new request",
    param="idempotency-key",
)
IN_PROGRESS = Refusal(
    kind="conflict",
    message="the first request with this Idempotency-Key is still being served; ask again soon",
    code="idempotency_in_progress",
    retry_after_s=RETRY_S,
)
FULL = Refusal(
    kind="overloaded",
    message="no further Idempotency-Key can be remembered (idempotency.max_rows, max_rows_per_key); "
    "send it without one, or later",
    retry_after_s=60.0,
)
STORE_DOWN = Refusal(
    kind="unavailable",
    message="the store of Idempotency-Keys does not answer, so a repetition could not be told from a first request; "
    "nothing was sent; try again soon",
    retry_after_s=RETRY_S,
)


def key_problem(sent: Sequence[bytes]) -> Refusal | None:
    """What is wrong with the header; `sent` are its values, in the order sent."""
    (first, *more) = sent
    if any(value != first for value in more):
        what = "was sent twice, with different values"
    elif len(first) > MAX_KEY_BYTES:
        what = f"is longer than {MAX_KEY_BYTES} bytes"
    elif not first.isascii() or not first.decode("ascii").isprintable():
        what = "holds other than printable ASCII characters"
    else:
        return None
    return Refusal(kind="malformed", message=f"Idempotency-Key {what}", param="idempotency-key")


def name_of(tenant: str, key: bytes) -> bytes:
    """What a tenant's key is remembered by."""
    return _digest((tenant.encode(), key))


def digest_of(surface: str, path: str, body: bytes, betas: str) -> bytes:
    """What tells one request from another: where it went, what of its headers changes answers, its very bytes."""
    return _digest((surface.encode(), path.encode(), betas.encode(), body))


def unreplayable(use: KeyUse, why: str) -> Refusal:
    """A repetition of what was sent, and cannot be given again; another call upstream would be billed again."""
    attempt = f", attempt {use.attempt_id}" if use.attempt_id is not None else ""
    return Refusal(
        kind="not_replayable",
        message=f"the request with this Idempotency-Key was sent ({use.request_id}{attempt}), and {why}. It is not "
        "sent again, since that may be billed twice; take a new key to do so",
        param="idempotency-key",
    )


BROKE_OFF = "no whole answer to it was seen"
NOT_KEPT = (
    "its answer is not kept: it was too large (idempotency.max_answer_bytes), had to make room, or the gateway has "
    "been restarted and may not keep content on disk (privacy.record_content)"
)


def _digest(parts: Sequence[bytes]) -> bytes:
    digest = blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
