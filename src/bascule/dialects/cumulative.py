"""Usage that a stream tells more than once: every count is cumulative, so the last one said is the count.

One that is less than what was said before contradicts that. The larger is then kept, since the provider has said it
and may bill it, and the line is flagged `shrunk`. Input and output are compared as sums: tokens that an earlier event
called input and a later one cache are no contradiction, and a maximum of each bucket would count them twice.
"""

from msgspec import structs

from bascule.dialects.counts import MAX_COUNT
from bascule.model.usage import Usage

_INPUT = (
    *("tokens_in", "tokens_cache_read", "tokens_cache_write_5m", "tokens_cache_write_1h"),
    *("tokens_audio_in", "tokens_image_in"),
)
_OUTPUT = ("tokens_out", "tokens_reasoning", "tokens_audio_out", "tokens_image_out")


def latest(earlier: Usage, later: Usage) -> Usage:
    """What stands once `later` was said after `earlier`. Counts that nobody can mean (negative, cut to the limit) keep
    nothing from being said better."""
    if earlier.source == "none" or later.source == "none":
        return earlier if later.source == "none" else later
    if earlier is later or "negative" in earlier.flags or earlier.all_tokens >= MAX_COUNT:
        return later
    kept: dict[str, int | None] = {}
    shrunk = False
    for names in (_INPUT, _OUTPUT):
        before, now = _sum(earlier, names), _sum(later, names)
        if before > now:
            kept |= {name: getattr(earlier, name) for name in names}
            shrunk = shrunk or any(getattr(later, name) is not None for name in names)
    searches = max(earlier.web_searches or 0, later.web_searches or 0)
    if searches > (later.web_searches or 0):
        kept["web_searches"], shrunk = searches, shrunk or later.web_searches is not None
    if not kept:
        return later
    flags = dict.fromkeys([*later.flags, *(["shrunk"] if shrunk else [])])
    flags.pop("zero", None)  # of what is kept that is not true
    return structs.replace(later, **kept, flags=tuple(flags))


def _sum(usage: Usage, names: tuple[str, ...]) -> int:
    return sum([getattr(usage, name) or 0 for name in names])
