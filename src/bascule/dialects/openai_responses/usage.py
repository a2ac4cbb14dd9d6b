"""Usage of the Responses format to disjoint buckets.

`input_tokens` includes what was read from the cache and written to it, `output_tokens` includes reasoning
(developers.openai.com/api/docs/guides/prompt-caching and /reasoning). Searches are not in the usage: they are items of
the answer, billed one by one where they searched (developers.openai.com/api/docs/pricing, "web search").
"""

from typing import Any

import msgspec
from msgspec import structs

from bascule.dialects.openai_chat.usage import read_usage as read_chat_usage
from bascule.dialects.out_of_range import decode_answer
from bascule.model.usage import NO_USAGE, Usage

_MAX_RAW = 4_096
_RENAMED = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}


def read_usage(raw: bytes, output: Any = None, service_tier: Any = None) -> Usage:
    """The canonical usage of a `usage` object's JSON text and the items of its answer. Where it is none, of source
    `none`, with the searches that can be seen.

    The counts are Chat Completions' under other names, and are as often missing, wrong or of the wrong type.
    """
    searches = sum(map(is_search, output)) if type(output) is list else 0
    if not raw.startswith(b"{") or raw == b"{}":
        return structs.replace(NO_USAGE, web_searches=searches) if searches else NO_USAGE
    renamed = {_RENAMED.get(name, name): value for name, value in decode_answer(raw).items()}
    usage = read_chat_usage(msgspec.json.encode(renamed), service_tier)
    told = raw.decode() if len(raw) <= _MAX_RAW else None
    return structs.replace(usage, raw=told, web_searches=searches or None)


def is_search(item: Any) -> bool:
    """Whether this item of an answer searched; opening a page and finding in it are not billed."""
    if type(item) is not dict or item.get("type") != "web_search_call":
        return False
    action = item.get("action")
    return type(action) is not dict or action.get("type") in (None, "search")


def render_usage(usage: Usage, cost: bytes | None) -> dict[str, Any] | None:
    """The format's inclusive counts; None where the provider reported none. `cost` is a JSON number of dollars."""
    if usage.source == "none":
        return None
    given = usage.billed_input + (usage.tokens_audio_in or 0) + (usage.tokens_image_in or 0)
    made = usage.billed_output + (usage.tokens_audio_out or 0)
    rendered: dict[str, Any] = {
        "input_tokens": given,
        "input_tokens_details": {
            "cached_tokens": usage.tokens_cache_read or 0,
            "cache_write_tokens": (usage.tokens_cache_write_5m or 0) + (usage.tokens_cache_write_1h or 0),
        },
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": usage.tokens_reasoning or 0},
        "total_tokens": given + made,
    }
    if cost is not None:
        rendered["cost"] = msgspec.Raw(cost)
    return rendered
