"""The price book finds what a name means, and says nothing of what it does not know."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from genai_prices.data import providers as genai_providers

from bascule.decide.price import rates_for
from bascule.model.money import Rates
from bascule.prices.book import CACHE_LIMIT, PriceBook
from bascule.prices.match import with_dashed_dates

BOOK = PriceBook()
NOW_MS = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)


def rates(provider: str, model: str, ts_ms: int = NOW_MS) -> Rates | None:
    timeline = BOOK.lookup(provider, model)
    return None if timeline is None else rates_for(timeline, ts_ms, input_tokens=1_000)


@pytest.mark.parametrize(
    ("provider", "name", "model"),
    [
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("openai", "gpt-5-2025-08-07", "gpt-5"),
        ("openai", "GPT-5", "gpt-5"),
        ("openai", "gpt-5.2-20251211", "gpt-5.2"),  # a compact date
        ("azure", "gpt-4o-2024-11-20", "gpt-4o"),  # sold by Azure, priced by OpenAI
        ("gemini", "gemini-2.5-pro", "gemini-2.5-pro"),  # another name of the provider
        ("xai", "grok-4-0709", "grok-4-0709"),
        ("deepseek", "deepseek-chat", "deepseek-chat"),
    ],
)
def test_a_name_means_a_model(provider: str, name: str, model: str) -> None:
    entry = BOOK.entry(provider, name)
    assert entry is not None
    assert entry.id == model
    assert entry.timeline is not None


def test_the_unknown_is_none_not_free() -> None:
    assert BOOK.lookup("openai", "gpt-nonesuch") is None
    assert BOOK.lookup("nobody", "gpt-5") is None
    assert BOOK.lookup("ollama", "llama3") is None
    assert BOOK.facts("openai", "gpt-nonesuch") is None


def test_listed_without_a_price_is_free_only_where_that_is_documented() -> None:
    assert rates("openrouter", "deepseek/deepseek-r1:free") == Rates(input=0, output=0)
    entry = BOOK.entry("github-copilot", "gpt-4o")  # part of a subscription: no price a token
    assert entry is not None
    assert entry.timeline is None


def test_a_borrowed_model_has_no_service_tiers_of_its_lender() -> None:
    own, borrowed = BOOK.lookup("openai", "gpt-5"), BOOK.lookup("azure", "gpt-5-2025-08-07")
    assert own is not None
    assert borrowed is not None
    assert own.periods[-1].variants.keys() >= {"batch", "flex", "priority"}
    assert all(not period.variants for period in borrowed.periods)


def test_exact_rates_of_a_known_model() -> None:
    assert rates("anthropic", "claude-sonnet-4-5") == Rates(
        input=3_000_000,
        output=15_000_000,
        cache_read=300_000,
        cache_write_5m=3_750_000,
        cache_write_1h=6_000_000,
        web_search_fee=10_000_000_000,
    )


def test_what_no_bucket_counts_is_said() -> None:
    entry = BOOK.entry("perplexity", "sonar-deep-research")
    assert entry is not None
    assert entry.unpriced == ("output_citation_mtok",)


def test_all_models_of_all_providers_are_there_in_order() -> None:
    assert set(BOOK.providers) >= {provider.id for provider in genai_providers}
    for provider in genai_providers:
        listed = [entry.id for entry in BOOK.models_of(provider.id)]
        assert listed[-len(provider.models) :] == [model.id for model in provider.models]
    assert list(BOOK.models_of("nobody")) == []


def test_resolves_as_genai_prices_does() -> None:
    """Every id and every exact name, at every provider, with suffixes: the same model or none."""
    for provider in genai_providers:
        for model in provider.models:
            for name in (model.id, f"{model.id}-latest", f"{model.id}-20250929", f"{model.id}:free"):
                theirs = provider.find_model(name, all_providers=genai_providers)
                ours = BOOK.entry(provider.id, name)
                assert (ours and ours.id) == (theirs and theirs.id), f"{provider.id}/{name}"


def test_remembers_a_bounded_number_of_names() -> None:
    book = PriceBook()
    for number in range(CACHE_LIMIT + 10):
        book.lookup("anthropic", f"made-up-{number}")
    assert len(book._entries) <= CACHE_LIMIT


def test_version_names_source_overlay_and_content() -> None:
    source, digest = BOOK.version.split(" (")
    assert source.startswith("genai-prices 0.2.3 + overlay ")
    assert len(digest) == 13


def test_dashed_dates() -> None:
    assert with_dashed_dates("gpt-5.2-20251211") == "gpt-5.2-2025-12-11"
    assert with_dashed_dates("m-20250230") == "m-20250230"  # no such day
    assert with_dashed_dates("m-20251211:free") == "m-2025-12-11:free"


def test_the_table_is_not_read_before_the_first_question(tmp_path: Path) -> None:
    book = PriceBook(tmp_path / "nowhere.json")
    with pytest.raises(FileNotFoundError):
        book.lookup("openai", "gpt-5")


def test_documented_facts() -> None:
    facts = BOOK.facts("anthropic", "claude-sonnet-4-5-20250929")
    assert facts is not None
    assert (facts.max_output, facts.retires, facts.successor) == (64_000, "2026-11-30", "claude-sonnet-5-5")
    assert facts.source is not None


def test_when_a_borrowed_model_ends_is_its_lenders_affair() -> None:
    book = PriceBook()
    lent, borrowed = book.facts("openai", "o1"), book.facts("azure", "o1")
    assert lent is not None
    assert borrowed is not None
    assert (lent.retires, lent.deprecated) == ("2026-10-23", True)
    assert (borrowed.retires, borrowed.successor, borrowed.deprecated) == (None, None, False)
    assert borrowed.context_window == lent.context_window
