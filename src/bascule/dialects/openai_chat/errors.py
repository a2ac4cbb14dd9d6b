"""Refusals in OpenAI's words."""

from typing import Any

import msgspec

from bascule.dialects.sse import data_event
from bascule.model.errors import Refusal, RefusalKind
from bascule.model.money import usd_text

_WORDS: dict[RefusalKind, tuple[str, str | None]] = {
    # kind: (type, code)
    "malformed": ("invalid_request_error", None),
    "context_length": ("invalid_request_error", "context_length_exceeded"),
    "unsupported": ("invalid_request_error", "unsupported_parameter"),
    "unauthenticated": ("invalid_request_error", "invalid_api_key"),
    "budget_exhausted": ("insufficient_quota", "insufficient_quota"),
    "unpriceable": ("insufficient_quota", "unpriceable"),
    "forbidden": ("permission_error", "forbidden"),
    "model_not_found": ("invalid_request_error", "model_not_found"),
    "route_not_found": ("invalid_request_error", "unknown_url"),
    "method_not_allowed": ("invalid_request_error", "method_not_supported"),
    "conflict": ("invalid_request_error", "conflict"),
    "not_replayable": ("idempotency_error", "not_replayable"),
    "too_large": ("invalid_request_error", "request_too_large"),
    "idempotency_mismatch": ("idempotency_error", "idempotency_mismatch"),
    "rate_limited": ("rate_limit_error", "rate_limit_exceeded"),
    "upstream_rejected": ("invalid_request_error", None),
    "upstream_failed": ("server_error", "upstream_failed"),
    "upstream_timeout": ("server_error", "upstream_timeout"),
    "overloaded": ("server_error", "overloaded"),
    "unavailable": ("server_error", "unavailable"),
    "internal": ("server_error", "internal_error"),
}


def error_body(refusal: Refusal, request_id: str) -> bytes:
    """`{"error": {message, type, param, code, …}}`; clients key on `code` and on the status."""
    return msgspec.json.encode({"error": error_object(refusal), "request_id": request_id})


def error_event(refusal: Refusal) -> bytes:
    """The error as a stream event, which the official SDKs raise as APIError. No `[DONE]` may follow."""
    return data_event(msgspec.json.encode({"error": error_object(refusal)}))


def error_object(refusal: Refusal) -> dict[str, Any]:
    """`{message, type, param, code, …}`."""
    kind, code = _WORDS[refusal.kind]
    message = refusal.message
    if refusal.kind == "context_length" and "maximum context length" not in message:
        message = f"This request exceeds the model's maximum context length: {message}"
    error: dict[str, Any] = {
        "message": message,
        "type": kind,
        "param": refusal.param,
        "code": code if refusal.kind == "context_length" else refusal.code or code,
    }
    if refusal.needed_nanousd is not None:
        error["needed_usd"] = usd_text(refusal.needed_nanousd)
    if refusal.left_nanousd is not None:
        error["left_usd"] = usd_text(refusal.left_nanousd)
    if refusal.scope is not None:
        error["scope"] = refusal.scope
    return error
