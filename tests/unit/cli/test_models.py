from pathlib import Path
from typing import Any

KEYS = {
    "model", "provider", "upstream_model", "declared", "free", "price", "price_since", "price_has_tiers",
    "price_source", "price_version", "context_window", "max_output", "input", "tools", "json_schema", "reasoning",
    "quality", "quality_source", "speed_tokens_per_s", "ttft_s", "retires", "successor", "deprecated", "facts_source",
}  # fmt: skip


def test_the_configuration_s_models(run: Any, place: Path) -> None:
    found = run("models", "--json")
    assert found.code == 0, found.err
    assert [line["model"] for line in found.json] == ["small", "big"]
    assert set(found.json[0]) == KEYS
    big = found.json[1]
    assert (big["quality"], big["quality_source"], big["declared"]) == (0.88, "declared", True)
    assert big["price"]["cache_read_usd_per_mtok"] == "0.3"
    assert big["price"]["cache_write_1h_usd_per_mtok"] is None
    for_code = run("models", "--task", "code_generation", "--json").json
    assert [line["quality"] for line in for_code] == [0.75, 0.67]


def test_sorting_puts_the_unknown_last(run: Any, place: Path) -> None:
    assert [line["model"] for line in run("models", "--sort", "quality", "--json").json] == ["big", "small"]
    assert [line["model"] for line in run("models", "--sort", "price", "--json").json] == ["small", "big"]
    everything = run("models", "--all", "--sort", "price", "--json").json
    known = [line["price"] is not None and line["price"]["input_usd_per_mtok"] is not None for line in everything]
    assert known == sorted(known, reverse=True)


def test_the_catalog(run: Any, place: Path) -> None:
    listed = run("models", "--all", "--provider", "anthropic", "--json").json
    assert {"claude-haiku-4-5", "claude-sonnet-4-5"} <= {line["model"] for line in listed}
    assert all(line["quality"] is None for line in listed)
    assert "claude-haiku-4-5" in run("models", "--all", "--provider", "anthropic").out
    assert run("models", "--provider", "acme").code == 1
    assert run("models", "--sort", "colour").code == 2


def test_a_configured_provider_brings_its_catalog_without_its_key(run: Any, place: Path) -> None:
    (place / "o.yaml").write_text("providers: {claude: {preset: anthropic}}\n")
    listed = run("models", "-c", "o.yaml", "--json").json
    assert {line["provider"] for line in listed} == {"claude"}


def test_no_provider_is_wrong_configuration(run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"PATH": "/bin"})
    found = run("models")
    assert found.code == 2
    assert "OPENAI_API_KEY" in found.err
