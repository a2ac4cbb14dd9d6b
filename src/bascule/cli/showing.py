"""Names as they may be shown. Branches, models and tags were written elsewhere, and some in order to be shown."""

from typing import Any


def showable(text: str) -> str:
    """On one line, without what a terminal would obey or XML cannot bear; what is left out leaves a mark."""
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text])


def showable_values(value: Any) -> Any:
    """The same for every text of a JSON-like value."""
    if isinstance(value, str):
        return showable(value)
    if isinstance(value, dict):
        return {key: showable_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [showable_values(item) for item in value]
    return value
