"""Which application asks: a fingerprint of its system prompt and its tools."""

import re
from collections.abc import Iterable
from hashlib import blake2b

_CHANGING = re.compile(r"[0-9a-fA-F]*[0-9][0-9a-fA-F]*")
"""Dates, times, counts and identifiers that an application writes into its prompt anew each time."""


def prompt_fingerprint(system_text: str, tool_names: Iterable[str]) -> str:
    """16 hexadecimal digits. Equal where the prompts differ in white space and in words with digits alone, and the same
    tools are offered in whatever order: descriptions of tools do not count."""
    prompt = " ".join(_CHANGING.sub("0", system_text).split())
    digest = blake2b(prompt.encode("utf-8", "replace"), digest_size=8, person=b"bascule-prompt")
    for name in sorted(set(tool_names)):
        digest.update(b"\0" + name.encode("utf-8", "replace"))
    return digest.hexdigest()
