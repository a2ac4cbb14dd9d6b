"""Personal data and credentials in the text of a request: found, counted, and replaced by a word where that is asked.

Pure. What is looked for is an argument (`Recogniser`), so that the search needs no package of its own. A body is never
changed in place: parts of it may be shared with other requests.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal

from msgspec import Struct

from bascule.model.policy import NO_PROTECTION, Protect, ProtectAction

Kind = Literal["personal", "secrets"]
_STRONGER: tuple[ProtectAction, ...] = ("redact", "force_local", "block")

OPAQUE_NAMES = frozenset(
    {"id", "call_id", "tool_call_id", "tool_use_id", "item_id", "signature", "thoughtSignature", "thought_signature",
     "encrypted_content", "model", "type", "role", "status", "media_type", "mimeType", "mime_type", "file_data",
     "prompt_cache_key", "session_id"}
)  # fmt: skip
"""Fields that are not text, or must come back as they are."""
FREE_NAMES = frozenset({"input", "args", "response"})
"""Objects of tools: what their fields are called is the tool's own affair, and says nothing of what is in them."""
OPAQUE_TYPES = frozenset({"thinking", "redacted_thinking", "reasoning"})
"""Blocks that their issuer signed: they came from a provider, and a changed one is refused there."""
_DATA_URL = re.compile(r"data:[^,]{0,100};base64,[A-Za-z0-9+/_=-]*+", re.ASCII)
"""Whole: a text that only begins so is a text."""


class Recogniser(Struct, frozen=True):
    """One thing that is looked for. `holds` judges a candidate, by its check digits where it has any."""

    name: str
    kind: Kind
    pattern: re.Pattern[str]
    holds: Callable[[str], bool]
    hints: tuple[str, ...] = ()
    """Where none of these is in a text, the pattern is not either: far quicker to see. Empty: always look."""


class TooMuchText(Exception):
    """More than may be searched."""


class Searched(Struct):
    """What a search found: how often, by name. Never what."""

    counts: dict[str, int]
    kinds: set[Kind]
    body: Any
    """With words in the place of what was to be redacted; the very same object where that was nothing."""


def combined(*policies: Protect) -> Protect:
    """All of them at once: of two actions the stronger."""
    found = [policy for policy in policies if policy != NO_PROTECTION]
    if not found:
        return NO_PROTECTION
    return Protect(
        personal=_strongest([policy.personal for policy in found]),
        secrets=_strongest([policy.secrets for policy in found]),
    )


def weakened(parent: Protect, child: Protect) -> bool:
    """Whether the child lets something through that its parent does not; redaction and locality are two things."""
    pairs = ((parent.personal, child.personal), (parent.secrets, child.secrets))
    return any(most is not None and given not in (most, "block") for most, given in pairs)


def search(body: Any, recognisers: Iterable[Recogniser], redact: frozenset[Kind], max_chars: int) -> Searched:
    """Look through every text of a decoded body. Raises TooMuchText."""
    walk = _Walk(tuple(recognisers), redact, max_chars)
    return Searched(walk.counts, walk.kinds, walk.of(body)) if body is not None else Searched({}, set(), None)


class _Walk:
    def __init__(self, recognisers: tuple[Recogniser, ...], redact: frozenset[Kind], max_chars: int) -> None:
        self._recognisers = recognisers
        self._redact = redact
        self._left = max_chars
        self.counts: dict[str, int] = {}
        self.kinds: set[Kind] = set()

    def of(self, value: Any, *, free: bool = False) -> Any:
        """`free`: inside what a tool made or is given, where no name or type is known to be opaque."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            changed = [self.of(one, free=free) for one in value]
            return changed if any(new is not old for new, old in zip(changed, value, strict=True)) else value
        if isinstance(value, dict):
            return self._free(value) if free else self._object(value)
        return value

    def _free(self, value: dict[str, Any]) -> dict[str, Any]:
        changed = {name: self.of(one, free=True) for name, one in value.items()}
        return changed if any(changed[name] is not value[name] for name in value) else value

    def _object(self, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("type") in OPAQUE_TYPES or value.get("type") == "base64":
            return value
        binary = _is_binary(value)
        changed = {
            name: one
            if name in OPAQUE_NAMES or (binary and name == "data")
            else self.of(one, free=name in FREE_NAMES and isinstance(one, dict))
            for name, one in value.items()
        }
        return changed if any(changed[name] is not value[name] for name in value) else value

    def _text(self, text: str) -> str:
        if _DATA_URL.fullmatch(text):
            return text
        self._left -= len(text)
        if self._left < 0:
            raise TooMuchText
        for recogniser in self._recognisers:
            text = self._replaced(recogniser, text)
        return text

    def _replaced(self, recogniser: Recogniser, text: str) -> str:
        if recogniser.hints and not any(hint in text for hint in recogniser.hints):
            return text
        parts = []
        start = 0
        for found in recogniser.pattern.finditer(text):
            if recogniser.holds(found[0]):
                self.counts[recogniser.name] = self.counts.get(recogniser.name, 0) + 1
                self.kinds.add(recogniser.kind)
                parts += [text[start : found.start()], f"[redacted {recogniser.name}]"]
                start = found.end()
        return "".join([*parts, text[start:]]) if parts and recogniser.kind in self._redact else text


def _is_binary(value: dict[str, Any]) -> bool:
    kind = value.get("media_type") or value.get("mimeType") or value.get("mime_type") or value.get("format")
    return isinstance(kind, str) and not kind.startswith("text/")


def _strongest(actions: list[ProtectAction | None]) -> ProtectAction | None:
    return max([action for action in actions if action is not None], key=_STRONGER.index, default=None)
