"""Reading single fields of decoded bodies: checked on the client's side, forgiving on the provider's."""

from typing import Any

import msgspec
from msgspec import Raw

from bascule.model.errors import MalformedRequest

NULL = Raw(b"null")
"""The default of a field that is kept as JSON text."""

_HEAD_CHARS = 2_000


def model_name(body: dict[str, Any]) -> str:
    """The request's `model`. Raises MalformedRequest."""
    model = body.get("model")
    if type(model) is not str or not model or len(model) > 512 or not model.isprintable():
        raise MalformedRequest("`model` must be the name of a model, 1 to 512 printable characters", "model")
    return model


def flag_value(body: dict[str, Any], name: str) -> bool:
    """An optional boolean field. Raises MalformedRequest."""
    value = body.get(name)
    if value is None or type(value) is bool:
        return bool(value)
    raise MalformedRequest(f"`{name}` must be true or false", name)


def number_value(body: dict[str, Any], name: str) -> float | None:
    """An optional number. Raises MalformedRequest."""
    value = body.get(name)
    if value is None:
        return None
    if type(value) is float or type(value) is int:
        return float(value) if -1e9 <= value <= 1e9 else 0.0
    raise MalformedRequest(f"`{name}` must be a number", name)


def count_value(body: dict[str, Any], name: str) -> int | None:
    """An optional positive integer. Raises MalformedRequest."""
    value = body.get(name)
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= 1_000_000_000:
        raise MalformedRequest(f"`{name}` must be a positive integer", name)
    return value


def head_text(content: Any) -> str:
    """The beginning of a message's text, at most 2,000 characters, from text or a list of parts."""
    if type(content) is str:
        return content[:_HEAD_CHARS]
    if type(content) is not list:
        return ""
    text = ""
    for part in content:
        piece = part.get("text") if type(part) is dict else None
        if type(piece) is str:
            text = f"{text}\n{piece[:_HEAD_CHARS]}" if text else piece[:_HEAD_CHARS]
            if len(text) >= _HEAD_CHARS:
                return text[:_HEAD_CHARS]
    return text


def text_or_none(value: Any) -> str | None:
    """A provider's field, if it is the text it should be."""
    return value if type(value) is str else None


def text_bytes(text: str) -> int:
    """UTF-8 bytes of a text."""
    return len(text) if text.isascii() else len(text.encode())


def is_json(data: bytes) -> bool:
    """True for a whole JSON document."""
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
