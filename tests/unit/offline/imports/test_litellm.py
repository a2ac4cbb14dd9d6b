"""LiteLLM's settings as a bascule.yaml, and its spend table as rows."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bascule.offline.imports.booking import Attribution
from bascule.offline.imports.litellm_config import fragment_of, per_million
from bascule.offline.imports.litellm_fragment import Fragment, variable_of, window_of, yaml_text
from bascule.offline.imports.litellm_keys import Directory
from bascule.offline.imports.litellm_providers import provider_and_model, root_url
from bascule.offline.imports.litellm_spend import SpendReader, usage_of
from bascule.offline.imports.sellers import Sellers

FIXTURES = Path(__file__).parents[3] / "fixtures" / "litellm"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def nothing(_: str) -> None:
    return None


def entry(name: str = "m", model: str = "openai/gpt-5.4-mini", **params: Any) -> dict[str, Any]:
    return {"model_name": name, "litellm_params": {"model": model, **params}}


def made(*entries: dict[str, Any], **sections: Any) -> Fragment:
    return fragment_of({"model_list": list(entries), **sections}, nothing)


def reasons(fragment: Fragment) -> dict[str, str]:
    return {one.place: one.why for one in fragment.not_taken}


def test_the_same_name_twice_is_two_endpoints_of_one_model() -> None:
    found = made(entry(api_key="os.environ/A"), entry(model="azure/dep", api_base="https://x.example.com", api_key="k"))
    assert found.sections["models"]["m"]["endpoints"] == [
        {"provider": "openai", "model": "gpt-5.4-mini"},
        {"provider": "azure", "model": "dep"},
    ]
    assert found.sections["providers"]["openai"] == {"api_key": "env:A"}


def test_providers_of_one_address_and_key_are_one_and_others_are_told_apart() -> None:
    found = made(entry("a", api_key="os.environ/A"), entry("b", api_key="os.environ/A"),
                 entry("c", api_key="os.environ/B"), entry("d", api_key="os.environ/A", timeout=9))  # fmt: skip
    providers = found.sections["providers"]
    assert set(providers) == {"openai", "openai-2", "openai-3"}
    assert providers["openai-2"] == {"preset": "openai", "api_key": "env:B"}
    assert providers["openai-3"]["timeouts"] == {"total_s": 9.0}


def test_keys_in_the_clear_become_variables_and_are_named() -> None:
    found = made(entry("a", api_key="sk-1-clear"), entry("b", api_key="sk-2-clear"), entry("c", api_key="sk-1-clear"))
    assert [one.variable for one in found.secrets] == ["OPENAI_API_KEY", "OPENAI_API_KEY_2"]
    assert {one["api_key"] for one in found.sections["providers"].values()} == {
        "env:OPENAI_API_KEY",
        "env:OPENAI_API_KEY_2",
    }
    assert "clear" not in yaml_text(found, "head").replace("in the clear", "")


def test_a_variable_that_is_used_already_is_not_taken_for_another_key() -> None:
    found = made(entry("a", api_key="os.environ/OPENAI_API_KEY"), entry("b", api_key="sk-1"))
    assert [one.variable for one in found.secrets] == ["OPENAI_API_KEY_2"]


def test_fallbacks_are_further_endpoints_after_all_own() -> None:
    found = made(
        entry("a", api_key="os.environ/A"), entry("b", "anthropic/claude-sonnet-4-5"), entry("c", "groq/llama"),
        router_settings={"fallbacks": [{"a": ["b", "c"]}, {"b": ["a"]}]},
        litellm_settings={"default_fallbacks": ["c"]},
    )  # fmt: skip
    providers = {
        name: [one["provider"] for one in model["endpoints"]] for name, model in found.sections["models"].items()
    }
    assert providers == {"a": ["openai", "anthropic", "groq"], "b": ["anthropic", "openai", "groq"], "c": ["groq"]}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"model": "openai/gpt-4o"}, ("openai", "gpt-4o")),
        ({"model": "gpt-4o"}, ("openai", "gpt-4o")),
        ({"model": "claude-sonnet-4-5"}, ("anthropic", "claude-sonnet-4-5")),
        ({"model": "openrouter/deepseek/deepseek-chat"}, ("openrouter", "deepseek/deepseek-chat")),
        ({"model": "openai/qwen", "api_base": "http://127.0.0.1:1/v1"}, ("openai_like", "qwen")),
        ({"model": "together_ai/meta-llama/L"}, ("together", "meta-llama/L")),
        ({"model": "x/y", "custom_llm_provider": "groq"}, ("groq", "x/y")),
        ({"model": "org/model", "api_base": "http://h/v1"}, ("openai_like", "org/model")),
    ],
)
def test_providers_by_prefix_by_name_and_by_address(params: dict[str, Any], expected: tuple[str, str]) -> None:
    assert provider_and_model(params) == expected


@pytest.mark.parametrize(
    ("known", "url", "root"),
    [
        ("anthropic", "https://a.example.com/v1/messages", "https://a.example.com"),
        ("anthropic", "https://a.example.com/v1", "https://a.example.com"),
        ("ollama", "http://localhost:11434", "http://localhost:11434/v1"),
        ("vllm", "http://h:8000/v1/", "http://h:8000/v1"),
        ("openai_like", "http://h/v1/chat/completions", "http://h/v1"),
    ],
)
def test_addresses_as_the_vendors_sdk_means_them(known: str, url: str, root: str) -> None:
    assert root_url(known, url) == root


@pytest.mark.parametrize(
    ("value", "dollars"),
    [(2e-7, "0.2"), ("0.0000002", "0.2"), (0, "0"), (3e-06, "3"), (1e-5, "10"), (1e-13, None), (-1, None), (True, None),
     ("x", None), (float("inf"), None)],
)  # fmt: skip
def test_prices_per_token_are_prices_per_million(value: Any, dollars: str | None) -> None:
    assert per_million(value) == (None if dollars is None else Decimal(dollars))


def test_addresses_in_variables_are_looked_up_and_unset_ones_named() -> None:
    config = {"model_list": [entry(model="vllm/q", api_base="os.environ/BASE")]}
    assert fragment_of(config, {"BASE": "http://h/v1"}.get).sections["providers"]["vllm"]["base_url"] == "http://h/v1"
    unset = fragment_of(config, nothing)
    assert not unset.sections["models"]
    assert "BASE, which is not set here" in unset.not_taken[0].why


def test_whatever_was_not_taken_has_its_reason() -> None:
    found = made(
        entry(rpm=5, temperature=1), entry("n", "bedrock/x"), {"model_name": 7}, "text",
        litellm_settings={"callbacks": ["x"], "unheard_of": 1}, mcp_servers={},
        router_settings={"model_group_alias": {"x": "gone"}},
    )  # fmt: skip
    assert reasons(found).keys() == {
        "model_list[0].litellm_params.rpm", "model_list[0].litellm_params.temperature",
        "model_list[1].litellm_params.model", "model_list[2]", "model_list[3]", "litellm_settings.callbacks",
        "litellm_settings.unheard_of", "mcp_servers", "router_settings.model_group_alias.x",
    }  # fmt: skip
    assert reasons(found)["litellm_settings.unheard_of"] == "Bascule has no such setting"


@given(st.dictionaries(st.sampled_from(["model_list", "litellm_settings", "router_settings", "general_settings", "x"]),
                       ANYTHING), st.lists(st.dictionaries(st.sampled_from(["model_name", "litellm_params",
                       "model_info"]), ANYTHING), max_size=2))  # fmt: skip
def test_no_configuration_is_fatal_and_the_text_is_yaml(config: dict[str, Any], entries: list[Any]) -> None:
    found = fragment_of({**config, "model_list": entries}, nothing)
    YAML(typ="safe", pure=True).load(yaml_text(found, "head"))


@given(st.lists(st.dictionaries(st.sampled_from(
    ["token", "key_alias", "key_name", "models", "max_budget", "budget_duration", "team_id", "expires", "rpm_limit",
     "soft_budget", "blocked", "litellm_budget_table"]), ANYTHING), max_size=4))  # fmt: skip
def test_no_key_is_fatal(keys: list[dict[str, Any]]) -> None:
    made = Fragment()
    Directory(keys, keys).write(made)
    YAML(typ="safe", pure=True).load(yaml_text(made, "head"))


@pytest.mark.parametrize(
    ("duration", "window"),
    [(None, "total"), ("", "total"), ("1d", "day"), ("24h", "day"), ("7d", "week"), ("30d", "month"), ("1mo", "month"),
     ("1h", "hour"), ("10d", None)],
)  # fmt: skip
def test_windows(duration: Any, window: str | None) -> None:
    assert window_of(duration) == window


def test_names_of_variables() -> None:
    assert variable_of("BASCULE_KEY", "ci runner (eu)") == "BASCULE_KEY_CI_RUNNER_EU"
    assert variable_of("1x") == "_1X"


def rows(sellers: Sellers) -> dict[str, Any]:
    keys = json.loads((FIXTURES / "keys.json").read_text())["keys"]
    teams = [{"team_id": "team-1", "team_alias": "platform"}]
    reader = SpendReader(sellers, Attribution(org="acme"), Directory(keys, teams))
    found = [json.loads(line) for line in (FIXTURES / "spend.jsonl").read_text().splitlines()[:4]]
    return {one["request_id"]: reader.given(one).row for one in found}


def test_a_row_of_spend_is_priced_from_its_tokens_and_keeps_what_litellm_reckoned(sellers: Sellers) -> None:
    row = rows(sellers)["chatcmpl-1"]
    assert (row.tokens_in, row.tokens_cache_read, row.tokens_out, row.tokens_reasoning) == (600, 400, 150, 50)
    assert row.cost_nanousd == 600 * 750 + 400 * 75 + 200 * 4_500
    assert row.provider_cost_nanousd == 1_100_000
    assert (row.key, row.team, row.org, row.user, row.session_id) == ("ci runner", "platform", "acme", "ann", "s-1")
    assert row.tags == {"feature": "search", "beta": "true", "end_user": "customer-9"}
    assert (row.model_requested, row.provider, row.dialect_in) == ("mini", "openai", "openai_chat")
    assert row.ts_end_ms - row.ts_start_ms == 2_000
    assert row.usage_flags == ()


def test_hits_of_its_cache_cost_nothing(sellers: Sellers) -> None:
    row = rows(sellers)["chatcmpl-2"]
    assert (row.role, row.cache, row.attempt_no, row.cost_nanousd, row.tokens_in) == ("cache", "exact", 0, 0, 0)
    assert row.key == "sk-...9999"


def test_where_the_book_has_no_price_its_own_figure_is_the_cost_and_a_zero_is_unknown(sellers: Sellers) -> None:
    row = rows(sellers)["chatcmpl-3"]
    assert (row.cost_nanousd, row.provider) == (500_000_000, "vllm")
    assert "cost_as_told" in row.usage_flags
    reader = SpendReader(sellers, Attribution(), Directory([], []))
    free = {"request_id": "x", "startTime": 1_793_491_200, "spend": 0, "prompt_tokens": 5, "model": "house"}
    assert reader.given(free).row.cost_nanousd is None


def test_failures_cost_nothing_and_say_what_they_were(sellers: Sellers) -> None:
    row = rows(sellers)["f-4"]
    assert (row.status, row.error_class, row.cost_nanousd, row.usage_source) == (429, "rate_limited", 0, "none")


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_buckets_of_spend_are_disjoint_and_lose_nothing(plain: int, read: int, written: int, out: int) -> None:
    found = {"prompt_tokens": plain + read + written, "completion_tokens": out}
    told = {"usage_object": {"cache_read_input_tokens": read, "cache_creation_input_tokens": written}}
    usage = usage_of(found, told)
    if found["prompt_tokens"] or out:
        assert (usage.billed_input, usage.billed_output, usage.flags) == (plain + read + written, out, ())
    else:
        assert usage.source == "none"
