"""Call ids of the client's history without the signatures that they hold.

A session that moves from Google's models to those of others brings such ids along (`names.signed_call_id`). They are
longer than Chat Completions takes, and no other vendor's business.
"""

from typing import Any

from bascule.dialects.names import split_call_id

MARK = b"sig__"
"""Without these bytes a body holds no such id."""


def with_plain_ids(messages: list[Any]) -> list[Any]:
    """The messages of Chat Completions or of Anthropic's Messages, with plain call ids; what is none stays."""
    return [_message(message) if type(message) is dict else message for message in messages]


def _message(message: dict[str, Any]) -> dict[str, Any]:
    plain = _plain(message, "tool_call_id")
    for name in ("tool_calls", "content"):
        items = plain.get(name)
        if type(items) is list:
            plain = {**plain, name: [_item(item) if type(item) is dict else item for item in items]}
    return plain


def _item(item: dict[str, Any]) -> dict[str, Any]:
    """A call, or a block."""
    return _plain(_plain(item, "id"), "tool_use_id")


def _plain(holder: dict[str, Any], name: str) -> dict[str, Any]:
    given = holder.get(name)
    if type(given) is not str:
        return holder
    plain, signature = split_call_id(given)
    return holder if signature is None else {**holder, name: plain}
