from collections.abc import Mapping
from typing import Any

import pytest

from bascule.decide.resolve import Resolved, granted, resolve
from bascule.model.catalog import Endpoint, Model
from bascule.model.errors import Refusal
from bascule.model.money import PriceTimeline
from bascule.model.policy import KeyPolicy, RoutePolicy, Rule


def model_of(name: str, *providers: str, priced: bool = True, **fields: Any) -> Model:
    prices = PriceTimeline(periods=(), source="test") if priced else None
    endpoints = [
        Endpoint(id=f"{provider}/{name}", provider=provider, dialect="openai_chat", upstream_model=name, prices=prices)
        for provider in providers or ("p",)
    ]
    return Model(name=name, endpoints=tuple(endpoints), **fields)


class Names:
    """A registry made of dictionaries."""

    policy_version = "test"
    price_version = "test"

    def __init__(self) -> None:
        self.routes = {"auto": RoutePolicy(name="auto", candidates=("small", "big"))}
        self.models = {name: model_of(name) for name in ("small", "big", "llama:floor", "a/b")}
        self.catalog = {name: model_of(name) for name in ("claude-haiku-4-5", "gpt", "vendor/slashed")}
        self.aliases = {"claude-haiku-4-5": "small", "quick": "auto:nitro", "loop": "quick", "far": "p/gpt"}
        self.priced = {"gpt", "odd:floor"}

    own_servers: tuple[str, ...] = ()
    price_only: frozenset[str] = frozenset()

    def route(self, name: str) -> RoutePolicy | None:
        return self.routes.get(name)

    def alias(self, name: str) -> str | None:
        return self.aliases.get(name)

    def model(self, name: str) -> Model | None:
        return self.models.get(name)

    def is_price_only(self, name: str) -> bool:
        return name in self.price_only

    def direct(self, provider: str, upstream_model: str) -> Model | None:
        if provider != "p":
            return None
        return model_of(upstream_model, priced=upstream_model in self.priced)

    def catalog_model(self, name: str) -> Model | None:
        return self.catalog.get(name)

    def nearest(self, name: str) -> str | None:
        return {"smal": "small"}.get(name)

    def first_rule(self, route: RoutePolicy, facts: Mapping[str, Any]) -> Rule | None:
        return None


NAMES = Names()


@pytest.mark.parametrize(
    ("asked", "name", "suffix", "direct"),
    [
        ("auto", "auto", None, False),
        ("small", "small", None, False),
        ("gpt", "gpt", None, False),
        # what the operator wrote wins over the shipped catalog
        ("claude-haiku-4-5", "small", None, False),
        ("a/b", "a/b", None, False),
        ("p/gpt", "p/gpt", None, True),
        ("p/unheard-of:7b", "p/unheard-of:7b", None, True),
        ("vendor/slashed", "vendor/slashed", None, False),
        ("far", "p/gpt", None, True),
        # suffixes last
        ("auto:floor", "auto", "floor", False),
        ("gpt:nitro", "gpt", "nitro", False),
        ("llama:floor", "llama:floor", None, False),
        ("llama:floor:floor", "llama:floor", "floor", False),
        ("claude-haiku-4-5:floor", "small", "floor", False),
        ("quick", "auto", "nitro", False),
        ("p/gpt:floor", "p/gpt", "floor", True),
        ("p/odd:floor", "p/odd:floor", None, True),
    ],
)
def test_names(asked: str, name: str, suffix: str | None, direct: bool) -> None:
    found = resolve(asked, NAMES)
    assert isinstance(found, Resolved)
    assert (found.name, found.suffix, found.direct) == (name, suffix, direct)
    assert (found.route is None) != (found.model is None)


@pytest.mark.parametrize(
    "asked", ["", "nope", "nope:floor", ":floor", "/", "p/", "q/gpt", "gpt:fast", "loop", "x" * 9_999]
)
def test_unknown_names_are_404_and_bounded(asked: str) -> None:
    found = resolve(asked, NAMES)
    assert isinstance(found, Refusal)
    assert found.http_status == 404
    assert len(found.message) < 500


def key(*models: str) -> KeyPolicy:
    return KeyPolicy(name="k", models=models)


@pytest.mark.parametrize(
    ("models", "asked", "allowed"),
    [
        ((), ["p/anything", "auto", "no such"], True),
        (("auto",), ["auto"], True),
        (("auto",), ["auto:floor"], True),
        (("auto",), ["quick"], True),
        (("auto",), ["big"], False),
        (("auto",), ["auto", "big"], False),
        (("small",), ["claude-haiku-4-5"], True),
        (("claude-haiku-4-5",), ["claude-haiku-4-5"], True),
        (("gpt",), ["p/gpt"], False),
        (("p/gpt",), ["p/gpt"], True),
        (("p/gpt",), ["p/gpt:floor"], True),
        (("p/gpt",), ["gpt"], False),
        (("llama",), ["llama:floor"], False),
        (("auto",), ["no such"], False),
    ],
)
def test_grants(models: tuple[str, ...], asked: list[str], allowed: bool) -> None:
    found = granted(key(*models), asked, NAMES)
    assert (found is None) is allowed
    if found is not None:
        assert found.http_status == 403


def test_an_unknown_name_may_be_a_model_of_a_server_of_ones_own() -> None:
    names = Names()
    assert "own server" not in unknown("llama3.2", names)
    names.own_servers = ("ollama",)
    assert "asked for as 'ollama/llama3.2', or declared under `models`" in unknown("llama3.2", names)
    names.own_servers = ("ollama", "vllm", "sglang", "fourth")
    said = unknown("qwen/qwen3:8b", names)
    assert "'ollama/qwen/qwen3:8b' or 'vllm/qwen/qwen3:8b' or 'sglang/qwen/qwen3:8b'," in said
    assert "fourth" not in said
    assert "own server" not in unknown("", names)


def test_a_mistyped_name_is_guessed() -> None:
    assert "Did you mean 'small'?" in unknown("smal", NAMES)
    assert "Did you mean" not in unknown("nothing", NAMES)


def test_what_has_a_price_alone_cannot_be_asked_for() -> None:
    names = Names()
    names.price_only = frozenset({"mock-large"})
    names.aliases = {"large": "mock-large"}
    for name in ("mock-large", "large"):
        assert f"{name!r} has a price in the configuration and no `endpoints`" in unknown(name, names)
    assert "nor a configured model" in unknown("mock-small", names)


def unknown(name: str, names: Names) -> str:
    found = resolve(name, names)
    assert isinstance(found, Refusal)
    assert found.kind == "model_not_found"
    return found.message
