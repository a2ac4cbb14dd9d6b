"""What a model is billed for though no request asks for it, and for which the book has no price or usage no count.

Models that search by themselves: each search has a fee, how many there are is theirs to decide, and in Chat
Completions their usage does not say it (platform.openai.com/docs/pricing, "Web search"; docs.perplexity.ai, "Pricing").
Where the book has a price per request, as for Perplexity's plain models, that covers the searches.
"""

import re

from bascule.model.money import PriceTimeline
from bascule.prices.book import BookEntry

_SEARCHES = re.compile(r"deep-research|search-preview|search-api|pro-search|\bsonar\b|-online\b")
_FOLLOWS_UP = "deep-research"
"""As many searches as it likes, so that no price of a request covers them."""
_WRITTEN = "output_"
"""How the book's names of what a model may write begin: videos, citations."""


def unasked(entry: BookEntry, upstream_model: str) -> tuple[str, ...]:
    """The names of what a request to this model may cost besides its tokens, whatever it says; mostly none.

    `upstream_model` is what it was asked for by: the book also has searching models under the names of plain ones.
    """
    found = [key.removesuffix("_mtok") for key in entry.unpriced if key.startswith(_WRITTEN)]
    name = upstream_model.lower()
    if _SEARCHES.search(name) and (_FOLLOWS_UP in name or not _has_request_fee(entry.timeline)):
        found.insert(0, "web_search")
    return tuple(found)


def _has_request_fee(timeline: PriceTimeline | None) -> bool:
    return timeline is not None and all(period.rates.request_fee for period in timeline.periods)
