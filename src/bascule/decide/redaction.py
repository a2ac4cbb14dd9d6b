"""Secrets are cut out of whatever is about to be written: known ones in every form and from their beginning on, and
what looks like one.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"
HEAD_CHARS = 12
"""So much of a long form is enough to be cut out, with what follows of it: messages shorten what they quote."""
LONG_CHARS = 20
SHORTEST_CHARS = 4
"""What is shorter is part of too many words."""
LEAST_BASE64_CHARS = 8

_PATTERNS = re.compile(
    r"(?i)(bearer\s+)[a-z0-9._~+/=-]{8,}|\b(sk-|bsk-|AIza|xai-|gsk_|hf_)[A-Za-z0-9_-]{8,}|([?&]key=)[^&\s\"']+"
)


def forms(secret: str) -> Iterator[str]:
    """As it is, as Python, JSON and URLs write it, in base64 (wherever it stands in what was encoded) and in hex."""
    raw = secret.encode("utf-8", "replace")
    for text in (secret, repr(secret)[1:-1], repr(raw)[2:-1]):
        yield text
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield json.dumps(text)[1:-1]
    for escaped in (quote(raw, safe=""), quote_plus(raw)):
        yield escaped
        yield re.sub("%..", lambda escape: escape[0].lower(), escaped)
    yield raw.hex()
    yield raw.hex().upper()
    yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """What stays the same whatever stands before and after it."""
    for before, unsure in ((0, 0), (1, 2), (2, 3)):
        data = b"\0" * before + raw
        encoded = base64.b64encode(data).decode().rstrip("=")
        core = encoded[unsure : len(encoded) - (1 if len(data) % 3 else 0)]
        if len(core) >= LEAST_BASE64_CHARS:
            yield core
            yield core.replace("+", "-").replace("/", "_")


class Redactor:
    """Removes registered secrets, and what looks like one, from text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._whole: tuple[str, ...] = ()
        self._by_head: dict[str, tuple[str, ...]] = {}
        self._known: set[str] = set()
        self.register(secrets)

    def register(self, secrets: Iterable[str]) -> None:
        """Add values, in every form in which a line may show them."""
        fresh = {form for secret in secrets if len(secret) >= SHORTEST_CHARS for form in forms(secret)}
        self._known |= {form for form in fresh if len(form) >= SHORTEST_CHARS}
        short = [form for form in self._known if len(form) < HEAD_CHARS]
        self._whole = tuple(sorted(short, key=len, reverse=True))
        by_head: dict[str, list[str]] = {}
        for form in self._known:
            if len(form) >= HEAD_CHARS:
                by_head.setdefault(form[:HEAD_CHARS], []).append(form)
        # The longest first: what is cut out of a longer one must not be the middle of it.
        ordered = sorted(by_head.items(), key=lambda pair: -max(map(len, pair[1])))
        self._by_head = {head: tuple(found) for head, found in ordered}

    def clean(self, text: str) -> str:
        for head, whole in self._by_head.items():
            if head in text:
                text = _cut(text, head, whole)
        for secret in self._whole:  # longest first: one may hold another
            if secret in text:
                text = text.replace(secret, REDACTED)
        return _PATTERNS.sub(lambda m: f"{m[1] or m[3] or ''}{REDACTED}", text)


def _cut(text: str, head: str, with_it: tuple[str, ...]) -> str:
    """`text` without what begins with `head` as one of the forms `with_it` does, as far as that goes on."""
    parts = []
    start = 0
    while (at := text.find(head, start)) >= 0:
        length = max([_shown(text, at, form) for form in with_it])
        parts.append(text[start:at] + (REDACTED if length else head))
        start = at + (length or len(head))
    return "".join([*parts, text[start:]])


def _shown(text: str, at: int, form: str) -> int:
    """How many characters of `form` stand at `at`; of one that is not long, all or none."""
    for length in range(HEAD_CHARS, len(form)):
        if text[at + length : at + length + 1] != form[length]:
            return length if len(form) >= LONG_CHARS else 0
    return len(form)
