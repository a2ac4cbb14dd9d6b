"""The probabilities of an answer's tokens, where a provider was asked for them (`logprobs: true`)."""

from typing import Any

import orjson

from bascule.dialects.fields import is_json
from bascule.dialects.sse import SseParser


def logprobs_in(raw: bytes, *, streamed: bool) -> tuple[float, ...] | None:
    """Natural logarithms, of the first choice, in order; None where none were told or the bytes cannot be read."""
    found: list[float] = []
    for chunk in _chunks(raw, streamed=streamed):
        for choice in chunk.get("choices") or ():
            told = choice.get("logprobs") if isinstance(choice, dict) and not choice.get("index") else None
            for token in (told.get("content") or ()) if isinstance(told, dict) else ():
                value = token.get("logprob") if isinstance(token, dict) else None
                if not isinstance(value, int | float):
                    return None
                found.append(min(0.0, float(value)))
    return tuple(found) or None


def _chunks(raw: bytes, *, streamed: bool) -> list[dict[str, Any]]:
    texts = [event.data for event in SseParser().feed(raw)] if streamed else [raw]
    decoded = [orjson.loads(text) for text in texts if text is not None and is_json(text)]
    return [one for one in decoded if isinstance(one, dict)]
