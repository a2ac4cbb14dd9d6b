"""Configurations that nobody wrote: from the environment alone, and what `init` writes."""

import pytest
from tests.unit.link.linking import BOOK, KEY, linked, problems

from bascule.config.environment import environment_document
from bascule.config.load import load_text
from bascule.config.sources import Secrets
from bascule.config.starter import starter_text
from bascule.link import link
from bascule.providers.discover import discover
from bascule.providers.registry import NAMES, presets


def test_configuration_from_the_environment_alone() -> None:
    env = {
        "OPENAI_API_KEY": KEY,
        "ANTHROPIC_API_KEY": "  ",
        "GOOGLE_API_KEY": KEY,
        "OLLAMA_HOST": "0.0.0.0",
        "VLLM_BASE_URL": "http://10.0.0.5:8001/v1/",
        "AZURE_OPENAI_API_KEY": KEY,
        "CLOUDFLARE_API_TOKEN": KEY,
        "CLOUDFLARE_ACCOUNT_ID": "acc",
        "GITHUB_TOKEN": KEY,
    }
    document = environment_document(discover(env, presets()))
    snapshot = link(document, BOOK, Secrets(env))
    assert list(snapshot.providers) == ["openai", "gemini", "vllm", "ollama", "cloudflare"]
    assert snapshot.providers["ollama"].origin == "http://127.0.0.1:11434"
    assert snapshot.providers["vllm"].origin == "http://10.0.0.5:8001"
    assert snapshot.providers["cloudflare"].base_path == "/client/v4/accounts/acc/ai/v1"
    assert snapshot.catalog_model("gpt-4o-mini") is not None
    assert [found.name for found in discover({"GEMINI_API_KEY": KEY, "GOOGLE_API_KEY": KEY}, presets())] == ["gemini"]
    assert discover({}, presets()) == ()
    (problem,) = problems(environment_document(()), {})
    assert problem.where == "environment"


@pytest.mark.parametrize(
    ("host", "origin", "path"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434", "/v1"),
        ("gpu:9999", "http://gpu:9999", "/v1"),
        ("http://gpu:9999/", "http://gpu:9999", "/v1"),
        ("https://gpu.example", "https://gpu.example", "/v1"),
        ("http://gpu:1/api/v1", "http://gpu:1", "/api/v1"),
        ("[::1]:7", "http://[::1]:7", "/v1"),
    ],
)
def test_ollama_hosts_as_people_write_them(host: str, origin: str, path: str) -> None:
    env = {"OLLAMA_HOST": host}
    provider = link(environment_document(discover(env, presets())), BOOK, Secrets(env)).providers["ollama"]
    assert (provider.origin, provider.base_path) == (origin, path)


@pytest.mark.parametrize("count", [0, 1, len(NAMES)])
def test_the_starter_loads_and_links(count: int) -> None:
    env = {name: KEY for spec in presets()[:count] for name in spec.key_envs[:1]}
    env |= {"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com", "CLOUDFLARE_ACCOUNT_ID": "a"} if count else {}
    places = {"OLLAMA_HOST": "127.0.0.1:5", "VLLM_BASE_URL": "http://x:1/v1", "AWS_REGION": "eu-west-1"}
    env |= places if count == len(NAMES) else {}
    text = starter_text(discover(env, presets()))
    document = load_text(text)
    assert document.problems == ()
    snapshot = link(document, BOOK, Secrets(env))
    expected = {0: {"ollama"}, 1: {"openai"}}.get(count, set(NAMES) - {"google", "sglang", "llamacpp", "lmstudio"})
    assert set(snapshot.providers) == expected
    assert KEY not in text


def test_the_starters_comments_are_valid_configuration_too() -> None:
    text = starter_text(discover({"OPENAI_API_KEY": KEY}, presets()))
    lines = [line.removeprefix("# ") for line in text.splitlines() if not line.startswith("# ") or ":" in line]
    kept = [
        line
        for line in lines
        if line.startswith((" ", "server", "data_dir", "providers", "models", "routes", "keys", "budgets"))
    ]
    filled = (
        "\n".join(kept).replace("PROVIDER", "openai").replace("ITS-NAME-THERE", "gpt-4o").replace("small, big", "small")
    )
    snapshot = linked(filled)
    assert set(snapshot.routes) == {"auto"}
    assert set(snapshot.models) == {"small"}
    assert len(snapshot.budgets) == 1
