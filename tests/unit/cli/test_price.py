from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

KEYS = {
    "model", "provider", "at", "tier", "tier_known", "cost_usd", "cost_nanousd", "tool_fees_usd", "lines", "rates",
    "rates_since", "source", "price_version", "also_at", "not_counted",
}  # fmt: skip


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a configuration."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("bare")
def test_the_bill_line_by_line(run: Any) -> None:
    found = run(
        "price", "claude-sonnet-4-5", "--input", "1000", "--output", "200", "--cache-read", "50000",
        "--cache-write", "7", "--cache-write-1h", "3", "--web-searches", "2", "--at", "2026-11-01", "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    shown = found.json
    assert set(shown) == KEYS
    assert (shown["model"], shown["provider"]) == ("claude-sonnet-4-5", "anthropic")
    assert shown["at"] == "2026-11-01T00:00:00Z"
    # 3.00 and 15.00 a million, reading 0.30, writing 3.75 and 6.00, a search 0.01
    assert shown["cost_usd"] == "0.041044250"
    assert sum(Decimal(line["cost_usd"]) for line in shown["lines"]) == Decimal(shown["cost_usd"])
    by_bucket = {line["bucket"]: line for line in shown["lines"]}
    assert by_bucket["tokens_cache_read"] == {
        "bucket": "tokens_cache_read", "count": 50000, "usd_per_mtok": "0.3", "cost_usd": "0.015000000",
    }  # fmt: skip
    assert by_bucket["web_searches"]["usd_each"] == "0.010000000"
    assert shown["tool_fees_usd"] == "0.020000000"


@pytest.mark.usefixtures("bare")
def test_providers(run: Any) -> None:
    own = run("price", "gpt-4o", "--input", "1", "--json").json
    assert own["provider"] == "openai"
    assert "azure" in own["also_at"]
    assert run("price", "azure/gpt-4o", "--input", "1", "--json").json["provider"] == "azure"
    assert run("price", "gpt-4o", "--provider", "azure", "--input", "1", "--json").json["provider"] == "azure"
    nobody = run("price", "gpt-4o", "--provider", "acme")
    assert nobody.code == 1
    assert "openai" in nobody.err


@pytest.mark.usefixtures("bare")
def test_tiers(run: Any) -> None:
    standard = run("price", "claude-haiku-4-5", "--input", "1000", "--json").json
    batch = run("price", "claude-haiku-4-5", "--input", "1000", "--tier", "batch", "--json").json
    assert Decimal(batch["cost_usd"]) * 2 == Decimal(standard["cost_usd"])
    assert (standard["tier_known"], batch["tier_known"]) == (None, True)
    assert "standard ones hold" in run("price", "claude-haiku-4-5", "--input", "1", "--tier", "slow").out


@pytest.mark.usefixtures("bare")
def test_the_unknown_is_refused_with_near_names(run: Any) -> None:
    found = run("price", "claude-sonet-4-5x", "--input", "1")
    assert found.code == 1
    assert "claude-sonnet-4-5" in found.err
    assert found.out == ""


def test_names_of_the_configuration_come_first(run: Any, place: Path) -> None:
    big = run("price", "big", "--input", "1000000", "--json").json
    assert (big["model"], big["provider"], big["cost_usd"], big["source"]) == ("big", "local", "3.000000000", "config")
    assert run("price", "claude-haiku-4-5", "--input", "1000000", "--json").json["model"] == "small"
    route = run("price", "auto", "--input", "1")
    assert route.code == 1
    assert "small, big" in route.err
    assert run("price", "gpt-4o", "--input", "1", "--json").json["provider"] == "openai"


@pytest.mark.usefixtures("bare")
def test_wrong_use(run: Any) -> None:
    assert run("price").code == 2
    assert run("price", "gpt-4o", "--input", "-1").code == 2
    assert run("price", "gpt-4o", "--input", "1", "--at", "whenever").code == 2
    assert run("price", "gpt-4o", "-c", "missing.yaml").code == 2
