"""The conformance vectors: wire usage to disjoint buckets to the exact cost. docs/vectors.md says what they hold."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bascule.decide.price import BUCKETS, price, price_with, rates_for
from bascule.dialects.base import ReplyFacts
from bascule.dialects.registry import codec, dialect
from bascule.model.facts import Facts
from bascule.model.money import Rates, rate_from_usd_per_mtok
from bascule.model.usage import Usage
from bascule.prices.book import PriceBook

VECTORS = sorted((Path(__file__).parents[2] / "wire" / "vectors").glob("*.json"))
BOOK = PriceBook()
PLAIN_FIELDS = (*BUCKETS, "web_searches", "service_tier", "inference_geo", "source", "provider_cost_nanousd")


def load(path: Path) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads(path.read_text())
    return vector


def mapped(vector: dict[str, Any], chunk: int | None = None) -> Usage:
    """The usage that the dialect reads from the vector's answer; a stream is fed whole, or `chunk` bytes at a time."""
    name = vector["dialect"]
    if "reply" in vector:
        facts = dialect(name).read_reply(json.dumps(vector["reply"]).encode())
        assert isinstance(facts, ReplyFacts), facts
        return facts.usage
    wire = "\n".join(vector["stream"]).encode() + b"\n"
    stream = codec(name, name).stream(Facts(model=vector["model"], stream=True), vector["model"], splice_cost=False)
    for start in range(0, len(wire), chunk or len(wire)):
        assert stream.feed(wire[start : start + (chunk or len(wire))]).fault is None
    assert stream.end().fault is None
    return stream.facts.usage


def expected(vector: dict[str, Any]) -> dict[str, Any]:
    return {name: vector["usage"].get(name) for name in PLAIN_FIELDS}


def at_ms(vector: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(vector["at"]).timestamp() * 1000)


def test_there_are_vectors_of_every_kind() -> None:
    names = {path.stem.split("-")[0] for path in VECTORS}
    assert names >= {"openai", "anthropic", "deepseek", "gemini", "openrouter", "azure"}
    assert sum("stream" in load(path) for path in VECTORS) >= 6


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_wire_usage_to_buckets(path: Path) -> None:
    vector = load(path)
    usage = mapped(vector)
    assert {name: getattr(usage, name) for name in PLAIN_FIELDS} == expected(vector)
    assert set(usage.flags) == set(vector["usage"].get("flags", ()))
    if "stream" in vector:
        assert mapped(vector, chunk=7) == usage


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_buckets_to_cost(path: Path) -> None:
    """By the price book, and by the prices that the vector itself states."""
    vector = load(path)
    usage = Usage(**{name: value for name, value in expected(vector).items() if value is not None})
    timeline = BOOK.lookup(vector["provider"], vector["model"])
    priced = None if timeline is None else price(usage, timeline, at_ms(vector))
    assert (None if priced is None else priced.cost_nanousd) == vector["cost_nanousd"]
    if priced is not None:
        assert priced.tool_fees_nanousd == vector["tool_fees_nanousd"]
        assert price_with(usage, stated_rates(vector)) == vector["cost_nanousd"]


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_stated_prices_are_the_books(path: Path) -> None:
    vector = load(path)
    stated = vector["prices_usd_per_mtok"]
    if not stated:
        return
    timeline = BOOK.lookup(vector["provider"], vector["model"])
    assert timeline is not None
    usage = Usage(**{name: value for name, value in expected(vector).items() if value is not None})
    rates = rates_for(
        timeline,
        at_ms(vector),
        input_tokens=usage.tier_input,
        service_tier=usage.service_tier,
        inference_geo=usage.inference_geo,
    )
    assert {name: getattr(rates, name) for name in stated} == {
        name: rate_from_usd_per_mtok(Decimal(usd)) for name, usd in stated.items()
    }


def stated_rates(vector: dict[str, Any]) -> Rates:
    rates = {name: rate_from_usd_per_mtok(Decimal(usd)) for name, usd in vector["prices_usd_per_mtok"].items()}
    search = vector.get("web_search_usd")
    return Rates(**rates, web_search_fee=None if search is None else int(Decimal(search) * 10**12))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_vector_shows_its_working_and_its_source(path: Path) -> None:
    vector = load(path)
    assert vector["sources"]
    if vector["cost_nanousd"] is not None:
        assert f"{vector['cost_nanousd']:,}" in vector["arithmetic"][-1]
    assert vector.keys() <= {
        *("about", "provider", "dialect", "model", "at", "reply", "stream", "usage", "prices_usd_per_mtok"),
        *("web_search_usd", "arithmetic", "cost_nanousd", "tool_fees_nanousd", "sources"),
    }
