"""Every preset gives a target and headers that its provider would understand."""

from urllib.parse import urlsplit

import msgspec
import pytest

from bascule.config.secret import Secret
from bascule.model.outcome import Fault
from bascule.providers.classify import classify
from bascule.providers.registry import DEEP, NAMES, Presets, preset, presets
from bascule.providers.request import auth_headers, request_target, streamed_surface, with_default_headers
from bascule.providers.spec import ProviderSpec, compatible

KNOWN_QUIRKS = {
    "no_developer_role",
    "no_parallel_tool_calls",
    "system_first_only",
    "no_json_schema",
    "reasoning_content",
    "strip_unknown",
    "no_done",
    "openrouter",
    "prompt_cache_key",
    "cache_control",
}


def spec_of(name: str) -> ProviderSpec:
    spec = preset(name)
    assert spec is not None
    return spec


def base_path_of(spec: ProviderSpec) -> str:
    return urlsplit(spec.base_url or "https://resource.example").path.rstrip("/")


def test_the_registry_holds_what_the_interface_promises() -> None:
    assert len(DEEP) == 9
    assert len(NAMES) == 33 == len(set(NAMES))
    assert [spec.name for spec in presets()] == list(NAMES)
    assert preset("no-such-provider") is None


@pytest.mark.parametrize("name", NAMES)
def test_target_and_headers(name: str) -> None:
    spec = spec_of(name)
    for surface in spec.paths:
        target = request_target(spec, surface, base_path_of(spec), "a model/ü")
        assert target.isascii()
        assert " " not in target
        assert target.startswith("/")
        assert "//" not in target
        assert "{model}" not in target
    assert "chat" in spec.paths
    headers = auth_headers(spec, Secret(b"sk-test"))
    if spec.auth == "none":
        assert headers == []
    else:
        assert len(headers) == 1
        assert headers[0][0] == headers[0][0].lower()
        assert headers[0][1].endswith(b"sk-test")
    assert auth_headers(spec, None) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_honest_and_encodable(name: str) -> None:
    spec = spec_of(name)
    assert spec.certified is None
    assert spec.standing == "from the spec only"
    assert spec.quirks <= KNOWN_QUIRKS
    assert spec.data.source, "every data fact names where it comes from, or says that nothing was read"
    assert spec.data.zdr is None, "zero retention is an agreement of the account, never a preset's fact"
    assert spec.local == (spec.data.region == "local")
    assert spec.key_envs or spec.auth == "none"
    assert spec.base_url is not None or spec.base_url_env is not None
    assert not (spec.base_url or "").endswith("/")
    assert msgspec.convert(msgspec.to_builtins(spec), ProviderSpec) == spec


def test_the_wire_addresses_of_the_deep_presets() -> None:
    def url(name: str, model: str = "m", query: str = "") -> str:
        spec = spec_of(name)
        split = urlsplit(spec.base_url or "https://res.openai.azure.com")
        target = request_target(spec, "chat", split.path.rstrip("/"), model, query)
        return f"{split.scheme}://{split.netloc}{target}"

    assert url("openai") == "https://api.openai.com/v1/chat/completions"
    assert url("anthropic") == "https://api.anthropic.com/v1/messages"
    assert url("deepseek") == "https://api.deepseek.com/chat/completions"
    assert url("google") == "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"
    assert (
        url("gemini", "gemini-x") == "https://generativelanguage.googleapis.com/v1beta/models/gemini-x:generateContent"
    )
    assert url("openrouter") == "https://openrouter.ai/api/v1/chat/completions"
    assert url("vllm") == "http://127.0.0.1:8000/v1/chat/completions"
    assert url("ollama") == "http://127.0.0.1:11434/v1/chat/completions"
    assert (
        url("azure", "gpt 4/o")
        == "https://res.openai.azure.com/openai/deployments/gpt%204%2Fo/chat/completions?api-version=2024-10-21"
    )


def test_only_named_query_parameters_go_on() -> None:
    anthropic, openai, azure = spec_of("anthropic"), spec_of("openai"), spec_of("azure")
    assert request_target(anthropic, "chat", "", "m", "key=sk-virtual&beta=true") == "/v1/messages?beta=true"
    assert request_target(anthropic, "chat", "", "m", "key=sk-virtual") == "/v1/messages"
    assert request_target(openai, "chat", "/v1", "m", "key=sk-virtual&beta=true") == "/v1/chat/completions"
    assert "sk-virtual" not in request_target(azure, "models", "", "m", "key=sk-virtual")


def test_credentials_by_scheme() -> None:
    secret = Secret(b"s3cret")
    assert auth_headers(spec_of("openai"), secret) == [(b"authorization", b"Bearer s3cret")]
    assert auth_headers(spec_of("anthropic"), secret) == [(b"x-api-key", b"s3cret")]
    assert auth_headers(spec_of("azure"), secret) == [(b"api-key", b"s3cret")]


def test_anthropic_version_is_sent_only_where_the_client_sent_none() -> None:
    spec = spec_of("anthropic")
    assert with_default_headers(spec, []) == [(b"anthropic-version", b"2023-06-01")]
    own = [(b"anthropic-version", b"2099-01-01"), (b"anthropic-beta", b"x")]
    assert with_default_headers(spec, own) == own


def test_error_classes_by_code_then_status() -> None:
    def classed(name: str, status: int, code: str | None) -> str:
        fault = Fault(error_class="rate_limited", message="m", status=status, code=code)
        return classify(spec_of(name), fault).error_class

    assert classed("zai", 429, "1113") == "quota_exhausted"
    assert classed("zai", 429, "9999") == "rate_limited"
    assert classed("deepseek", 402, None) == "quota_exhausted"
    assert classed("anthropic", 529, None) == "overloaded"
    assert classed("openai", 429, "insufficient_quota") == "quota_exhausted"
    fault = Fault(error_class="rate_limited", message="m", status=429)
    assert classify(spec_of("vllm"), fault) is fault


def test_geminis_paths_hold_the_model() -> None:
    spec = spec_of("gemini")
    streamed = request_target(spec, streamed_surface(spec, "chat"), "/v1beta", "a/b", "key=sk-virtual&alt=json")
    assert streamed == "/v1beta/models/a%2Fb:streamGenerateContent?alt=sse"
    assert request_target(spec, "count_tokens", "/v1beta", "m") == "/v1beta/models/m:countTokens"
    assert request_target(spec, "embeddings", "/v1beta", "m") == "/v1beta/models/m:batchEmbedContents"
    assert auth_headers(spec, Secret(b"s3cret")) == [(b"x-goog-api-key", b"s3cret")]
    own = compatible("mine", "gemini", "http://127.0.0.1:9/v1beta")
    assert (own.paths, own.auth) == (spec.paths, spec.auth)


def test_any_compatible_address() -> None:
    openai_type = compatible("mine", "openai_chat", "http://127.0.0.1:9/v1")
    anthropic_type = compatible("mine", "anthropic_messages", "http://127.0.0.1:9")
    assert request_target(openai_type, "chat", "/v1", "m") == "/v1/chat/completions"
    assert request_target(anthropic_type, "count_tokens", "", "m", "beta=true") == "/v1/messages/count_tokens?beta=true"
    assert auth_headers(anthropic_type, Secret(b"k"))[0][0] == b"x-api-key"


def test_third_parties_add_presets_but_do_not_replace_ours() -> None:
    mine = compatible("acme", "openai_chat", "https://llm.acme.example/v1")
    fake = compatible("openai", "openai_chat", "https://evil.example/v1")
    catalog = Presets([mine, fake])
    assert catalog.get("acme") is mine
    assert catalog.get("openai") == preset("openai")
    assert catalog.names()[-1] == "acme"
    assert [spec.name for spec in catalog.all()] == list(catalog.names())
