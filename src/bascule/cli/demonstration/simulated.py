"""The simulated side: how each model behaves, and which of them has a bad minute."""

from importlib import resources
from typing import Any

import msgspec

BAD_MINUTE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("503 overloaded", {"status": 503, "error_message": "scripted: overloaded", "bill": "none"}),
    ("500", {"status": 500, "error_message": "scripted: internal error", "bill": "none"}),
    ("no answer", {"fault": "hang_before", "bill": "none"}),
    ("error in a 200 stream", {"fault": "error_first", "status": 529, "error_message": "scripted: overloaded"}),
)
"""What goes wrong, by name; the traffic says which request meets which, see `trouble_mark`."""
UNREPORTED = "no usage"
"""A trouble of its own: the answer is sound, and its usage is missing."""

TROUBLED_MODEL = "deepseek-flash"

MODELS: dict[str, dict[str, Any]] = {
    "deepseek-flash": {"verbosity": 1.0, "ttft_s": 0.06},
    "gemini-3.8-flash": {"verbosity": 0.7, "ttft_s": 0.03, "reasoning_tokens": 24},
    "gpt-6.1-sol": {"verbosity": 0.6, "ttft_s": 0.05, "reasoning_tokens": 48, "caches_from_tokens": 1024},
    "claude-sonnet-5-5": {"verbosity": 0.9, "ttft_s": 0.05, "caches_from_tokens": 1024},
    "claude-opus-5-5": {"verbosity": 1.2, "ttft_s": 0.09, "caches_from_tokens": 1024},
    "lab-model": {"verbosity": 1.0, "ttft_s": 0.02},
}
"""By the provider's name: the share of an answer that it says, its pace, its hidden reasoning, its prompt cache.

Pauses are a tenth of real ones or less, so that the demo is short.
"""


def trouble_mark(name: str) -> str:
    """The words in a request that call for this trouble; requests without them are answered."""
    return f"[{name}]"


def simulation() -> bytes:
    """The file that `python -m bascule.testing.simulation` reads."""
    answers = resources.files(__package__).joinpath("answers.json").read_bytes()
    troubles = [{"model": TROUBLED_MODEL, "when": trouble_mark(name), "script": script} for name, script in BAD_MINUTE]
    unreported = {"text": "The export fails for long orders. The fix is in review.", "usage_fault": "none"}
    troubles.append({"model": TROUBLED_MODEL, "when": trouble_mark(UNREPORTED), "script": unreported})
    return msgspec.json.encode({"models": MODELS, "answers": msgspec.json.decode(answers), "troubles": troubles})
