"""Refusals in Google's words (cloud.google.com/apis/design/errors): `{"error": {code, message, status, details}}`."""

from typing import Any

import msgspec

from bascule.dialects.sse import data_event
from bascule.model.errors import Refusal, RefusalKind
from bascule.model.money import usd_text

_STATUS: dict[RefusalKind, str] = {
    "malformed": "INVALID_ARGUMENT",
    "context_length": "INVALID_ARGUMENT",
    "unsupported": "INVALID_ARGUMENT",
    "unauthenticated": "UNAUTHENTICATED",
    "budget_exhausted": "FAILED_PRECONDITION",
    "unpriceable": "FAILED_PRECONDITION",
    "forbidden": "PERMISSION_DENIED",
    "model_not_found": "NOT_FOUND",
    "route_not_found": "NOT_FOUND",
    "method_not_allowed": "INVALID_ARGUMENT",
    "conflict": "ABORTED",
    "not_replayable": "FAILED_PRECONDITION",
    "too_large": "INVALID_ARGUMENT",
    "idempotency_mismatch": "INVALID_ARGUMENT",
    "rate_limited": "RESOURCE_EXHAUSTED",
    "upstream_rejected": "INVALID_ARGUMENT",
    "upstream_failed": "INTERNAL",
    "upstream_timeout": "DEADLINE_EXCEEDED",
    "overloaded": "UNAVAILABLE",
    "unavailable": "UNAVAILABLE",
    "internal": "INTERNAL",
}
"""Google has no word for 402. `RESOURCE_EXHAUSTED` would be tried again by clients, which no money comes from."""

_BY_HTTP_STATUS = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
}
"""Of a provider's own 4xx, which keeps its status."""

_TYPE = "type.googleapis.com/google.rpc."


def error_body(refusal: Refusal, request_id: str) -> bytes:
    """The body of an error status; what Google has no field for is an ErrorInfo among the details."""
    return msgspec.json.encode({"error": _error(refusal, request_id)})


def error_event(refusal: Refusal) -> bytes:
    """The error as a stream event, which the official SDKs raise as APIError. No candidate may follow."""
    return data_event(msgspec.json.encode({"error": _error(refusal, None)}))


def _error(refusal: Refusal, request_id: str | None) -> dict[str, Any]:
    message = refusal.message
    if refusal.kind == "context_length" and "input token count" not in message.lower():
        message = f"The input token count exceeds the maximum number of tokens allowed: {message}"
    details: list[dict[str, Any]] = [_info(refusal)]
    if refusal.param is not None:
        violation = {"field": refusal.param, "description": refusal.message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if refusal.retry_after_s is not None:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{max(1, -int(-refusal.retry_after_s // 1))}s"})
    if request_id is not None:
        details.append({"@type": f"{_TYPE}RequestInfo", "requestId": request_id})
    status = _STATUS[refusal.kind]
    if refusal.kind == "upstream_rejected":
        status = _BY_HTTP_STATUS.get(refusal.http_status, status)
    return {
        "code": refusal.http_status,
        "message": message,
        "status": status,
        "details": details,
    }


def _info(refusal: Refusal) -> dict[str, Any]:
    metadata: dict[str, str] = {}
    if (needed := usd_text(refusal.needed_nanousd)) is not None:
        metadata["needed_usd"] = needed
    if (left := usd_text(refusal.left_nanousd)) is not None:
        metadata["left_usd"] = left
    if refusal.scope is not None:
        metadata["scope"] = refusal.scope
    reason = (refusal.code or refusal.kind).upper()
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": "bascule", "metadata": metadata}
