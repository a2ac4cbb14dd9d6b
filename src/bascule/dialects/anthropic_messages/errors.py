"""Refusals in Anthropic's words (docs.anthropic.com/en/api/errors)."""

from typing import Any

import msgspec

from bascule.dialects.sse import named_event
from bascule.model.errors import Refusal, RefusalKind
from bascule.model.money import usd_text

_TYPES: dict[RefusalKind, str] = {
    "malformed": "invalid_request_error",
    "context_length": "invalid_request_error",
    "unsupported": "invalid_request_error",
    "unauthenticated": "authentication_error",
    "budget_exhausted": "billing_error",
    "unpriceable": "billing_error",
    "forbidden": "permission_error",
    "model_not_found": "not_found_error",
    "route_not_found": "not_found_error",
    "method_not_allowed": "invalid_request_error",
    "conflict": "invalid_request_error",
    "not_replayable": "invalid_request_error",
    "too_large": "request_too_large",
    "idempotency_mismatch": "invalid_request_error",
    "rate_limited": "rate_limit_error",
    "upstream_rejected": "invalid_request_error",
    "upstream_failed": "api_error",
    "upstream_timeout": "timeout_error",
    "overloaded": "overloaded_error",
    "unavailable": "api_error",
    "internal": "api_error",
}


def error_body(refusal: Refusal, request_id: str) -> bytes:
    """`{"type": "error", "error": {type, message, …}, "request_id": …}`."""
    return msgspec.json.encode({"type": "error", "error": _error(refusal), "request_id": request_id})


def error_event(refusal: Refusal) -> bytes:
    """`event: error`, after which a client expects nothing more. No `message_stop` may follow."""
    return named_event(b"error", msgspec.json.encode({"type": "error", "error": _error(refusal)}))


def _error(refusal: Refusal) -> dict[str, Any]:
    message = refusal.message
    if refusal.kind == "context_length" and not message.startswith("prompt is too long"):
        message = f"prompt is too long: {message}"
    error: dict[str, Any] = {"type": _TYPES[refusal.kind], "message": message}
    if refusal.code is not None:
        error["code"] = refusal.code
    if refusal.needed_nanousd is not None:
        error["needed_usd"] = usd_text(refusal.needed_nanousd)
    if refusal.left_nanousd is not None:
        error["left_usd"] = usd_text(refusal.left_nanousd)
    if refusal.scope is not None:
        error["scope"] = refusal.scope
    return error
