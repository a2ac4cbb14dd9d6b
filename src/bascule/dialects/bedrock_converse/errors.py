"""Bedrock's exceptions, as an error status and inside a stream, to faults.

An error status names its exception in the header `x-amzn-errortype`, a stream in the event's type
(docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html).
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from bascule.dialects.classify import ErrorWords, bounded, classify, fault_of
from bascule.model.outcome import ErrorClass, Fault

_CLASSES: dict[str, ErrorClass] = {
    "throttlingexception": "rate_limited",
    "servicequotaexceededexception": "quota_exhausted",
    "modelnotreadyexception": "overloaded",
    "serviceunavailableexception": "overloaded",
    "internalserverexception": "server_error",
    "modelerrorexception": "server_error",
    "modelstreamerrorexception": "server_error",
    "modeltimeoutexception": "server_error",
    "accessdeniedexception": "auth",
    "expiredtokenexception": "auth",
    "incompletesignatureexception": "auth",
    "invalidsignatureexception": "auth",
    "unrecognizedclientexception": "auth",
    "resourcenotfoundexception": "not_found",
}
_PROCESSED: frozenset[ErrorClass] = frozenset({"server_error", "bad_request", "content_filter"})
"""After which the model may have been at work."""
_UNKNOWN_MODEL = "model identifier is invalid"
_SIGNED_PARTS = ("The Canonical String", "The String-to-Sign")
"""What an error about a signature goes on with: the signed headers, a session's token among them."""


def is_exception(kind: str) -> bool:
    """Whether an event's type is that of an exception."""
    return kind.endswith("Exception")


def exception_fault(kind: str, payload: Any, after_content: bool) -> Fault:
    """An exception inside a stream. Its bill is unknown unless it came first and says that nothing was taken up."""
    told = payload if isinstance(payload, dict) else {}
    message = told.get("originalMessage") or told.get("message")
    message = message if isinstance(message, str) else kind
    error_class = _class_of(kind, None, message)
    return Fault(
        error_class=error_class,
        message=bounded(message),
        code=kind,
        maybe_billed=after_content or error_class in _PROCESSED,
    )


def status_fault(status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
    """An error status. Header names are lower-case."""
    fault = fault_of(status, headers, raw)
    kind = headers.get("x-amzn-errortype", "").partition(":")[0] or fault.code
    message = fault.message
    for part in _SIGNED_PARTS:
        message = message.partition(part)[0].rstrip()
    if not kind:
        return replace(fault, message=message)
    return replace(fault, error_class=_class_of(kind, status, message), message=message, code=kind)


def _class_of(kind: str, status: int | None, message: str) -> ErrorClass:
    known = _CLASSES.get(kind.lower())
    if known is not None:
        return known
    if kind.lower() == "validationexception" and _UNKNOWN_MODEL in message.lower():
        return "not_found"
    if kind.lower() == "validationexception":
        return classify(400, ErrorWords(message=message))
    return classify(status, ErrorWords(message=message, type=kind))
