"""Who sells a model: the price book asked by a bare name."""

from difflib import get_close_matches

from bascule.prices.book import BookEntry, PriceBook
from bascule.prices.names import book_name

MAKERS = (
    "anthropic", "openai", "google", "deepseek", "mistral", "x-ai", "moonshotai", "zai", "zhipuai", "minimax", "meta",
    "cohere", "perplexity", "voyageai", "arcee",
)  # fmt: skip
"""Providers that sell models of their own, so that a bare name means theirs before anybody else's."""


def offers(book: PriceBook, model: str) -> list[BookEntry]:
    """Every provider's entry for a name: the maker's own first, then by the provider's name.

    `provider/model` is that provider's alone where the book has the provider and the model there; names that
    contain a slash themselves are looked for as they are.
    """
    provider, slash, rest = model.partition("/")
    if slash and book_name(provider) in book.providers:
        entry = book.entry(provider, rest)
        if entry is not None:
            return [entry]
    found = [entry for name in book.providers if (entry := book.entry(name, model)) is not None]
    return sorted(found, key=lambda entry: (_rank(entry.provider), entry.provider))


def at(book: PriceBook, provider: str, model: str) -> BookEntry | None:
    """A model at one provider; `model` may repeat the provider in front."""
    entry = book.entry(provider, model)
    if entry is None and model.partition("/")[0] in (provider, book_name(provider)):
        entry = book.entry(provider, model.partition("/")[2])
    return entry


def close_names(book: PriceBook, model: str, also: tuple[str, ...] = (), count: int = 5) -> list[str]:
    """Names of the book (and of `also`) that `model` may have been meant to be, nearest first."""
    wanted = model.lower()
    known = {name.lower(): name for name in also}
    for provider in book.providers:
        for entry in book.models_of(provider):
            known.setdefault(entry.id, entry.id)
    near = get_close_matches(wanted.rpartition("/")[2], known, n=count, cutoff=0.6)
    return [known[name] for name in near]


def _rank(provider: str) -> int:
    return MAKERS.index(provider) if provider in MAKERS else len(MAKERS)
