"""What a key sees of the models."""

from typing import Any

import pytest

from bascule.cli.data import AnySecret
from bascule.config.load import load_text
from bascule.link import Snapshot, link
from bascule.model.policy import KeyPolicy
from bascule.prices.book import PriceBook
from bascule.server.listing import CREATED, listed_names, models_body

NOW_MS = 1_795_262_400_000
"""2026-11-21T12:00:00Z"""
DAY_MS = 86_400_000


def snapshot_of(text: str) -> Snapshot:
    return link(load_text(text), PriceBook(), AnySecret(), stored_keys=True)


def test_what_its_provider_has_retired_is_not_listed() -> None:
    snapshot = snapshot_of("providers: {openai: {}, anthropic: {}}")
    names = listed_names(snapshot, KeyPolicy(name="any"), NOW_MS)
    assert {"gpt-6-sol", "claude-sonnet-5-5"} <= set(names)
    dead = {"ada", "davinci", "text-davinci-003", "claude-v1", "claude-2", "claude-3-opus", "claude-3-5-sonnet", "o1"}
    assert not dead & set(names)


def test_a_model_is_listed_until_the_day_it_ends() -> None:
    snapshot = snapshot_of("providers: {anthropic: {}}")
    key = KeyPolicy(name="k", models=("claude-sonnet-4-5",))  # retires on 2026-11-30
    assert listed_names(snapshot, key, NOW_MS) == ["claude-sonnet-4-5"]
    assert listed_names(snapshot, key, NOW_MS + 9 * DAY_MS) == []


def test_what_the_operator_names_stays_whatever_its_date() -> None:
    text = """
providers: {openai: {}}
models: {old: {endpoints: [{provider: openai, model: o1}], retires: 2020-01-01}}
"""
    assert listed_names(snapshot_of(text), KeyPolicy(name="any"), NOW_MS)[0] == "old"
    assert listed_names(snapshot_of(text), KeyPolicy(name="k", models=("old",)), NOW_MS) == ["old"]


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "mistral", "groq", "openrouter", "azure"])
def test_every_name_that_is_listed_can_be_asked_for(provider: str) -> None:
    base = ", base_url: https://x.openai.azure.com/openai" if provider == "azure" else ""
    snapshot = snapshot_of(f"providers: {{mine: {{preset: {provider}{base}}}}}")
    for name in listed_names(snapshot, KeyPolicy(name="any"), NOW_MS):
        assert snapshot.model(name) or snapshot.catalog_model(name), name


def test_a_grant_of_what_nobody_serves_is_not_listed() -> None:
    snapshot = snapshot_of("providers: {anthropic: {}}")
    key = KeyPolicy(name="k", models=("gpt-6-sol", "claude-sonnet-5-5", "anthropic/new-model", "nobody/x"))
    assert listed_names(snapshot, key, NOW_MS) == ["anthropic/new-model", "claude-sonnet-5-5"]


def test_a_key_without_a_list_sees_every_name_of_the_configuration(gate: Any) -> None:
    names = listed_names(gate.service.snapshot, KeyPolicy(name="any"), NOW_MS)
    assert names[:3] == ["auto", "small", "tiny"]
    assert len(names) == len(set(names))


def test_a_key_sees_what_it_was_granted_and_nothing_else(gate: Any) -> None:
    key = KeyPolicy(name="k", models=("local/x", "small", "auto"))
    assert listed_names(gate.service.snapshot, key, NOW_MS) == ["auto", "small", "local/x"]


def test_one_body_for_all_clients(gate: Any) -> None:
    body = models_body(gate.service.snapshot, KeyPolicy(name="k", models=("auto", "small", "tiny")), NOW_MS)
    assert body["data"] == body["models"]
    assert (body["object"], body["has_more"], body["first_id"], body["last_id"]) == ("list", False, "auto", "tiny")
    auto, small, tiny = body["data"]
    assert (auto["owned_by"], small["owned_by"], tiny["owned_by"]) == ("bascule", "local", "local")
    for entry in body["data"]:
        assert (entry["object"], entry["type"], entry["created"]) == ("model", "model", CREATED)
        assert entry["display_name"] == entry["id"]


def test_a_key_that_may_nothing_known_gets_an_empty_list(gate: Any) -> None:
    class Nothing:
        def names(self) -> tuple[str, ...]:
            return ()

        def catalog_names(self) -> tuple[str, ...]:
            return ()

    body = models_body(Nothing(), KeyPolicy(name="k"), NOW_MS)  # type: ignore[arg-type]
    assert (body["data"], body["first_id"], body["last_id"]) == ([], None, None)
