"""Reading single fields of decoded bodies: checked on the client's side, forgiving on the provider's.

The typed readers take the object that holds a field, the field's name and the path of the holder (empty for the
body itself). They give None for a field that is missing or null, and raise MalformedRequest with the field's path and
what was expected for any other type: nothing that is read of a request is ever reinterpreted. What only the provider
reads is not looked at here.
"""

from collections.abc import Collection
from typing import Any, NoReturn

import msgspec
from msgspec import Raw

from bascule.model.errors import MalformedRequest, Untranslatable

NULL = Raw(b"null")
"""The default of a field that is kept as JSON text."""

_HEAD_CHARS = 2_000
_MAX_NUMBER = 1e9
_MAX_COUNT = 1_000_000_000
_SHOWN_CHARS = 40
_LEAST_WHOLE, _MOST_WHOLE = -(2**63), 2**64 - 1

Holder = dict[str, Any]


def path(where: str, name: str) -> str:
    """The path of a field from the path of its holder."""
    return f"{where}.{name}" if where else name


def wrong(where: str, name: str, expected: str) -> NoReturn:
    """Raises MalformedRequest: the field is not what was expected."""
    at = path(where, name)
    raise MalformedRequest(f"`{at}` must be {expected}", at)


def text(holder: Holder, name: str, where: str = "") -> str | None:
    """An optional text."""
    value = holder.get(name)
    if value is None or type(value) is str:
        return value
    wrong(where, name, "text")


def required_text(holder: Holder, name: str, where: str = "") -> str:
    """A text that has to be there and may not be empty."""
    value = holder.get(name)
    if type(value) is str and value:
        return value
    wrong(where, name, "text, and may not be missing or empty")


def word(holder: Holder, name: str, known: Collection[str], where: str = "") -> str | None:
    """An optional text out of a few."""
    value = holder.get(name)
    if value is None or (type(value) is str and value in known):
        return value
    wrong(where, name, f"one of {', '.join(sorted(known))}")


def flag(holder: Holder, name: str, where: str = "") -> bool | None:
    """An optional boolean."""
    value = holder.get(name)
    if value is None or type(value) is bool:
        return value
    wrong(where, name, "true or false")


def whole(holder: Holder, name: str, where: str = "") -> int | None:
    """An optional integer of any sign, of 64 bits at most, as every provider has it."""
    value = holder.get(name)
    if value is None or (type(value) is int and _LEAST_WHOLE <= value <= _MOST_WHOLE):
        return value
    wrong(where, name, "an integer of at most 64 bits")


def count(holder: Holder, name: str, where: str = "") -> int | None:
    """An optional integer from 1 to a billion."""
    value = holder.get(name)
    if value is None or (type(value) is int and 1 <= value <= _MAX_COUNT):
        return value
    wrong(where, name, "a positive integer")


def number(holder: Holder, name: str, where: str = "") -> float | None:
    """An optional number of at most a billion in size, as it was written: an integer stays one."""
    value = holder.get(name)
    if value is None or ((type(value) is float or type(value) is int) and -_MAX_NUMBER <= value <= _MAX_NUMBER):
        return value
    wrong(where, name, "a number of a sensible size")


def mapping(holder: Holder, name: str, where: str = "") -> Holder | None:
    """An optional object."""
    value = holder.get(name)
    if value is None or type(value) is dict:
        return value
    wrong(where, name, "an object")


def sequence(holder: Holder, name: str, where: str = "") -> list[Any] | None:
    """An optional list of anything."""
    value = holder.get(name)
    if value is None or type(value) is list:
        return value
    wrong(where, name, "a list")


def objects(holder: Holder, name: str, where: str = "") -> list[Holder]:
    """The objects of an optional list; none where it is missing."""
    value = holder.get(name)
    if value is None:
        return []
    if type(value) is not list:
        wrong(where, name, "a list of objects")
    for index, item in enumerate(value):
        if type(item) is not dict:
            wrong(where, f"{name}[{index}]", "an object")
    return value


def sequence_of_text(holder: Holder, name: str, where: str = "") -> tuple[str, ...]:
    """The texts of an optional list; none where it is missing. A lone text is not a list."""
    value = holder.get(name)
    if value is None:
        return ()
    if type(value) is not list:
        wrong(where, name, "a list of texts")
    for index, item in enumerate(value):
        if type(item) is not str:
            wrong(where, f"{name}[{index}]", "text")
    return tuple(value)


def numbers(holder: Holder, name: str, where: str = "") -> dict[str, float] | None:
    """An optional object whose values are numbers."""
    value = mapping(holder, name, where)
    if value is not None:
        for key in value:
            if number(value, key, path(where, name)) is None:
                wrong(path(where, name), key, "a number")
    return value


_CACHE_KINDS = frozenset({"ephemeral"})
_CACHE_TERMS = frozenset({"5m", "1h"})


def cache_mark(holder: Holder, where: str) -> Holder | None:
    """Anthropic's `cache_control` of a block or a tool, with the few words that it knows."""
    given = mapping(holder, "cache_control", where)
    if given is not None:
        word(given, "type", _CACHE_KINDS, path(where, "cache_control"))
        word(given, "ttl", _CACHE_TERMS, path(where, "cache_control"))
    return given


def untranslatable(at: str, what: str) -> NoReturn:
    """Raises Untranslatable: `what` (a sentence's beginning) at path `at` has no counterpart in the other dialect."""
    raise Untranslatable(
        f"`{at}`: {what} has no counterpart at this model's provider; leave it out or choose a model that takes it", at
    )


def model_name(body: Holder) -> str:
    """The request's `model`. Raises MalformedRequest."""
    model = body.get("model")
    if type(model) is not str or not model or len(model) > 512 or not model.isprintable():
        raise MalformedRequest("`model` must be the name of a model, 1 to 512 printable characters", "model")
    return model


def refuse_case_variants(body: Holder, known: Collection[str]) -> None:
    """Raises MalformedRequest for a top-level key that is one of `known` but for its case.

    Some providers decode keys without regard to case (Go's `encoding/json` does): what we did not read as
    `max_tokens` would be read there as just that. `known` holds lower-case names.
    """
    for key in body:
        if key in known or (key.isascii() and key.islower()):
            continue  # nearly all: neither is folded to be compared
        if (name := key.casefold()) in known:
            shown = key[:_SHOWN_CHARS]
            raise MalformedRequest(f"`{shown}` is not a field of this API; write `{name}`", shown)


def refuse_preset(body: Holder) -> None:
    """Raises MalformedRequest for OpenRouter's `preset`, whatever applies to the key: it names a model, prompts and
    searches that are kept there, so that neither the plan nor the price, nor a cached answer, would be of what runs.
    """
    if body.get("preset") is not None:
        raise MalformedRequest("`preset` is known to OpenRouter only; write what it stands for here", "preset")


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


def as_utf8(data: bytes) -> bytes:
    """`data` as it is, or with U+FFFD for what is no UTF-8.

    JSON decoders look only at the texts that they are asked for, so a wrong byte elsewhere would be met much later.
    """
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def is_json(data: bytes) -> bool:
    """True for a whole JSON document."""
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
