"""From a provider's error to an error class: what its status, codes and wording mean.

Wordings are those of public API references and issue threads of the named providers. Codes decide before words, and
words only where a status leaves several meanings open.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from bascule.model.outcome import ErrorClass, Fault

MAX_MESSAGE = 500

_CONTEXT_CODES = frozenset(
    {"context_length_exceeded", "context_window_exceeded", "input_too_long", "tokens_limit_reached"}
    | {"model_context_window_exceeded", "max_tokens_exceeded", "exceed_context_size_error"}
)
_CONTEXT_WORDS = (
    "maximum context length",  # OpenAI, vLLM, DeepSeek
    "context length",  # Azure, Ollama, SGLang
    "context window",  # Codex, Groq
    "prompt is too long",  # Anthropic
    "exceed context limit",  # Anthropic: input length and `max_tokens`
    "input is too long",  # Bedrock
    "input token count",  # Gemini
    "context size",  # llama.cpp
    "range of input length",  # DashScope
    "maximum input length",
    "too many tokens",
    "prompt too long",
    "reduce the length of the messages",
)
_FILTER_CODES = frozenset(
    {"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "data_inspection_failed"}
    | {"datainspectionfailed", "moderation_blocked", "content_filter_error", "sensitive", "1301"}
)
_FILTER_WORDS = ("content management policy", "content exists risk", "flagged by", "moderation", "safety policy")
_QUOTA_CODES = frozenset(
    {"insufficient_quota", "quota_exceeded", "billing_hard_limit_reached", "exceeded_current_quota_error"}
    | {"insufficient_balance", "arrearage", "billing_error", "payment_required", "1113", "1308"}
)
_QUOTA_WORDS = ("credit balance is too low", "insufficient balance", "exceeded your current quota", "out of credits")
_PER_TIME_WORDS = ("per minute", "perminute", "per day per", "retry in", "try again in")
_MISSING_CODES = frozenset({"model_not_found", "not_found_error", "deploymentnotfound", "invalid_model"})
_UNSUPPORTED_CODES = frozenset({"unsupported_parameter", "unsupported_value", "unsupported_model"})
_OVERLOAD_CODES = frozenset({"overloaded_error", "overloaded", "engine_overloaded", "engine_overloaded_error"})

_NOTHING_PROCESSED = frozenset(
    {"rate_limited", "overloaded", "quota_exhausted", "auth", "not_found", "unsupported", "bad_request"}
    | {"context_length", "too_large"}
)
"""Classes that say why a request was not taken up: by its form, its sender's account, or for want of capacity."""

_BY_STATUS: dict[int, ErrorClass] = {
    400: "bad_request",
    401: "auth",
    402: "quota_exhausted",
    403: "auth",
    404: "not_found",
    405: "unsupported",
    408: "server_error",
    409: "bad_request",
    413: "too_large",
    415: "unsupported",
    422: "bad_request",
    424: "server_error",
    429: "rate_limited",
    498: "overloaded",  # Groq: flex capacity exceeded
    501: "unsupported",
    503: "overloaded",
    529: "overloaded",
}
_BY_TYPE: dict[str, ErrorClass] = {
    "invalid_request_error": "bad_request",
    "badrequesterror": "bad_request",
    "authentication_error": "auth",
    "permission_error": "auth",
    "invalid_api_key": "auth",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "resource_exhausted": "rate_limited",
    "request_too_large": "too_large",
    "timeout_error": "server_error",
    "api_error": "server_error",
    "server_error": "server_error",
}
_SECRETS = re.compile(
    r"(?i)\b(?:bearer\s+\S{6,}|(?:sk|pk|rk|gsk|xai|aiza|hf|nvapi|pplx|fw|csk|akia|asia|absk|key)[-_]?[a-z0-9_\-*.]{10,})"
)


class ErrorWords(Struct, frozen=True):
    """What an error body says, whatever its shape."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str | None = None
    status: int | None = None
    retry_after_s: float | None = None


def read_error_body(raw: bytes) -> ErrorWords | None:
    """The words of a JSON error body of any known shape; None where it is not JSON (HTML, empty, cut)."""
    try:
        return read_error_value(msgspec.json.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def read_error_value(value: Any) -> ErrorWords:
    """OpenAI's, Anthropic's and OpenRouter's `{"error": {…}}`, Ollama's `{"error": "…"}`, vLLM's flat
    `{"object": "error", …}`, FastAPI's `{"detail": …}`, Gemini's list around the first."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return ErrorWords(message=value)
    if not isinstance(value, dict):
        return ErrorWords()
    inner = value.get("error")
    if isinstance(inner, str):
        return ErrorWords(message=inner, code=_text(value.get("code")))
    body = inner if isinstance(inner, dict) else value
    message = _text(body.get("message")) or _text(value.get("detail")) or _text(value.get("message"))
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("raw"), str):
        message = f"{message}: {metadata['raw']}"  # OpenRouter: the provider's own words
    code = body.get("code")
    inner_code = body["innererror"].get("code") if isinstance(body.get("innererror"), dict) else None
    numeric = code if isinstance(code, int) and not isinstance(code, bool) and 300 <= code < 600 else None
    param = body.get("param")
    return ErrorWords(
        message=message,
        type=_text(body.get("type")) or _text(body.get("status")),
        code=_text(inner_code) or ("" if numeric else _text(code)),
        param=param if isinstance(param, str) else None,
        status=numeric,
        retry_after_s=_retry_delay(body.get("details")),
    )


def classify(status: int | None, words: ErrorWords) -> ErrorClass:
    """The class of an error with this HTTP status (None: it came inside a 200)."""
    status = words.status if status in (None, 200) else status
    code = words.code.lower()
    kind = words.type.lower()
    text = words.message.lower()
    if status in (None, 400, 413, 422):
        if code in _CONTEXT_CODES or kind in _CONTEXT_CODES or _says(text, _CONTEXT_WORDS):
            return "context_length"
        if code in _FILTER_CODES or kind in _FILTER_CODES or _says(text, _FILTER_WORDS):
            return "content_filter"
    if status == 403 and (_says(text, _FILTER_WORDS) or "flagged" in text):
        return "content_filter"
    if code in _OVERLOAD_CODES or kind in _OVERLOAD_CODES:
        return "overloaded"
    if status in (None, 400, 402, 403, 429) and _is_quota(code, kind, text):
        return "quota_exhausted"
    if status in (None, 400, 404) and (code in _MISSING_CODES or kind in _MISSING_CODES):
        return "not_found"
    if status in (None, 400, 422) and code in _UNSUPPORTED_CODES:
        return "unsupported"
    if status is None:
        return _BY_TYPE.get(kind) or _BY_TYPE.get(code) or "server_error"
    return _BY_STATUS.get(status) or (
        "server_error" if status >= 500 else "bad_request" if status >= 400 else "protocol"
    )


def fault_of(status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
    """An error status as a Fault. Header names are lower-case."""
    words = read_error_body(raw)
    if words is None:
        html = b"<html" in raw[:1000].lower() or b"<!doctype" in raw[:1000].lower()
        shape = "an HTML page" if html else "a body that is not JSON" if raw else "an empty body"
        words = ErrorWords(message=f"HTTP {status} with {shape}")
    retry_after_s = read_retry_after(headers)
    return Fault(
        error_class=classify(status, words),
        message=bounded(words.message or f"HTTP {status} without a message"),
        status=status,
        code=words.code or words.type or None,
        param=words.param,
        retry_after_s=words.retry_after_s if retry_after_s is None else retry_after_s,
    )


def fault_inside_200(words: ErrorWords, after_content: bool) -> Fault:
    """An error object in a 200 body or stream.

    It is no error status, so its bill is unknown and counts as the hold (INTERFACE, "Hold"), unless it comes first
    and its class says that nothing was processed. `overloaded` does: Anthropic documents the event as the stream's
    form of status 529, of which nothing is billed. `server_error` does not: the model may have been at work.
    Usage that was reported before is billed as reported in any case.
    """
    error_class = classify(None, words)
    return Fault(
        error_class=error_class,
        message=bounded(words.message or "the provider sent an error without a message"),
        status=words.status,
        code=words.code or words.type or None,
        param=words.param,
        retry_after_s=words.retry_after_s,
        maybe_billed=after_content or error_class not in _NOTHING_PROCESSED,
    )


def not_the_dialect(raw: bytes, expected: str, after_content: bool) -> Fault:
    """A 200 body or event that did not decode as expected: an error object of any shape, other JSON, or none."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return unreadable(raw, problem)
    first = value[0] if type(value) is list and value else value
    if type(first) is dict and (first.get("error") or first.get("type") == "error" or first.get("object") == "error"):
        return fault_inside_200(read_error_value(first), after_content)
    return protocol_fault(f"the provider's answer is JSON, but not {expected}")


def protocol_fault(message: str) -> Fault:
    """A 200 whose body is not the dialect."""
    return Fault(error_class="protocol", message=bounded(message), maybe_billed=True)


def truncated_fault(message: str) -> Fault:
    """A 200 that ended before the provider said that it was complete."""
    return Fault(error_class="truncated", message=message, maybe_billed=True)


def unreadable(raw: bytes, problem: Exception) -> Fault:
    """A 200 body that is not JSON: cut off, HTML, or something else."""
    if not raw.strip() or "truncated" in str(problem):
        return truncated_fault("the provider's answer ends in the middle" if raw.strip() else "the answer is empty")
    shape = "an HTML page" if raw.lstrip()[:1] == b"<" else "not JSON"
    return protocol_fault(f"the provider's answer is {shape}")


def bounded(message: str) -> str:
    """A provider's message without anything that looks like a credential, at most `MAX_MESSAGE` characters."""
    return _SECRETS.sub("[redacted]", message[: 4 * MAX_MESSAGE])[:MAX_MESSAGE]


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `retry-after-ms`, or `retry-after` as seconds or as a date (which needs `date`)."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if (seconds := _number(value)) is not None:
        return seconds
    until = _http_date_s(value)
    now = _http_date_s(headers.get("date"))
    return None if until is None or now is None else float(max(0, until - now))


def _is_quota(code: str, kind: str, text: str) -> bool:
    if code in _QUOTA_CODES or kind in _QUOTA_CODES:
        return True
    return _says(text, _QUOTA_WORDS) and not _says(text, _PER_TIME_WORDS)


def _says(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return ""
    return msgspec.json.encode(value).decode()


def _retry_delay(details: Any) -> float | None:
    """Google's RetryInfo: `{"retryDelay": "34s"}` among the details."""
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str):
            return _number(delay.removesuffix("s"))
    return None


def _number(text: str | None) -> float | None:
    """A non-negative finite decimal number, or None."""
    if text is None or len(text) > 20 or not text.strip().replace(".", "", 1).isdecimal():
        return None
    return float(text)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _http_date_s(text: str | None) -> int | None:
    """An IMF-fixdate (RFC 9110, 5.6.7) as seconds since the epoch. Days after H. Hinnant's days_from_civil."""
    parts = (text or "").replace(":", " ").split()
    if len(parts) != 8 or parts[7] != "GMT" or parts[2] not in _MONTHS:
        return None
    fields = [parts[1], *parts[3:7]]
    if not all(field.isdecimal() and len(field) <= 4 for field in fields):
        return None
    day, year, hour, minute, second = (int(field) for field in fields)
    month = _MONTHS.index(parts[2]) + 1
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468
    return ((days * 24 + hour) * 60 + minute) * 60 + second
