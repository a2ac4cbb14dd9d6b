"""Token counts as providers really send them: absent, null, as text, negative, or absurdly large."""

from typing import Any

MAX_COUNT = 1_000_000_000
"""A count above this is not believed and is cut to it."""


def count(value: Any, flags: list[str]) -> int | None:
    """A wire value as a token count; what was odd about it is added to `flags`.

    None stays None. Text of digits counts but is flagged `not_a_number`, as is what cannot be read at all (None).
    A negative number is 0 and `negative`; one above `MAX_COUNT` is cut to it and `clamped`.
    """
    if value is None or (type(value) is int and 0 <= value <= MAX_COUNT):
        return value
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 32:
        flag(flags, "not_a_number")
        value = int(value)
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        flag(flags, "not_a_number")
        return None
    if value < 0:
        flag(flags, "negative")
        return 0
    if value > MAX_COUNT:
        flag(flags, "clamped")
        return MAX_COUNT
    return value


def flag(flags: list[str], name: str) -> None:
    """Note an oddity once."""
    if name not in flags:
        flags.append(name)


def take(part: int | None, left: int | None, flags: list[str], name: str) -> tuple[int | None, int | None]:
    """Move a subset out of an inclusive count: (the subset, what is left). A subset larger than the whole is cut
    and flagged `name`; without a whole it stands alone."""
    if part is None or left is None:
        return part, left
    if part > left:
        flag(flags, name)
        return left, 0
    return part, left - part
