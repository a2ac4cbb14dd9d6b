from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.ask import read_ask
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.headers import Headers
from bascule.model.policy import Ask, DataPolicy

LEVELS = {"low": 0.6, "medium": 0.75, "high": 0.9}


def ask(*pairs: tuple[bytes, bytes], model: str = "m", **openrouter: Any) -> Ask | Refusal:
    return read_ask(Headers(list(pairs)), Facts(model=model, openrouter=openrouter), LEVELS)


def test_a_plain_request_asks_nothing_but_its_model() -> None:
    assert ask() == Ask(model="m")


def test_own_headers() -> None:
    found = ask(
        (b"x-bascule-quality", b"High"),
        (b"x-bascule-max-cost-usd", b"0.05"),
        (b"x-bascule-data", b"retention=none, region=eu,training=no,zdr"),
        (b"x-bascule-data", b"region=us,deny=x"),
        (b"x-bascule-deadline", b"1500ms"),
        (b"x-bascule-cache", b"no"),
    )
    assert found == Ask(
        model="m",
        quality=0.9,
        max_cost_nanousd=50_000_000,
        data=DataPolicy(retention="none", regions=("eu", "us"), training=False, zdr=True, providers_deny=("x",)),
        deadline_ms=1_500,
        no_cache=True,
    )


@pytest.mark.parametrize(
    ("text", "ms"), [(b"30", 30_000), (b"30s", 30_000), (b"0.5m", 30_000), (b"2h", 7_200_000), (b"1ms", 1)]
)
def test_deadlines(text: bytes, ms: int) -> None:
    found = ask((b"x-bascule-deadline", text))
    assert isinstance(found, Ask)
    assert found.deadline_ms == ms


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"x-bascule-quality", b"best"),
        (b"x-bascule-quality", b"1.5"),
        (b"x-bascule-quality", b"nan"),
        (b"x-bascule-max-cost-usd", b"five"),
        (b"x-bascule-max-cost-usd", b"-1"),
        (b"x-bascule-max-cost-usd", b"1e999999"),
        (b"x-bascule-max-cost-usd", b"nan"),
        (b"x-bascule-max-cost-usd", b"0.0000000001"),
        (b"x-bascule-data", b"retention=nnoe"),
        (b"x-bascule-data", b"retention"),
        (b"x-bascule-data", b"training=maybe"),
        (b"x-bascule-data", b"regoin=eu"),
        (b"x-bascule-data", b"region="),
        (b"x-bascule-deadline", b"tomorrow"),
        (b"x-bascule-deadline", b"0"),
        (b"x-bascule-deadline", b"-5s"),
        (b"x-bascule-deadline", b"inf"),
        (b"x-bascule-cache", b"perhaps"),
    ],
)
def test_a_malformed_header_is_refused_by_name(name: bytes, value: bytes) -> None:
    found = ask((name, value))
    assert isinstance(found, Refusal)
    assert found.http_status == 400
    assert found.param == name.decode()
    assert name.decode() in found.message


def test_openrouter_extensions() -> None:
    found = ask(
        models=["m", "n", "o"],
        provider={
            "order": ["DeepInfra", "together"],
            "only": ["a"],
            "ignore": ["b"],
            "sort": {"by": "throughput", "partition": "none"},
            "max_price": {"prompt": 0.15, "completion": "1"},
            "data_collection": "deny",
            "zdr": True,
            "quantizations": ["FP8"],
            "allow_fallbacks": False,
            "require_parameters": True,
            "preferred_min_throughput": 50,
        },
    )
    assert found == Ask(
        model="m",
        fallback_models=("n", "o"),
        order=("deepinfra", "together"),
        only=("a",),
        ignore=("b",),
        sort="throughput",
        max_price_input=150_000,
        max_price_output=1_000_000,
        data=DataPolicy(retention="none", training=False, zdr=True, quantizations=("fp8",)),
        allow_fallbacks=False,
        require_parameters=True,
    )


def test_the_first_of_models_stands_in_for_a_missing_model() -> None:
    found = ask(model="", models=["n", "o"])
    assert isinstance(found, Ask)
    assert (found.model, found.fallback_models) == ("n", ("o",))


def test_header_and_body_constrain_together() -> None:
    found = ask((b"x-bascule-data", b"retention=30d,region=eu"), provider={"data_collection": "deny"})
    assert isinstance(found, Ask)
    assert found.data == DataPolicy(retention="none", training=False, regions=("eu",))


@pytest.mark.parametrize(
    ("extensions", "param"),
    [
        ({"models": "m"}, "models"),
        ({"models": [1]}, "models"),
        ({"models": ["m"] * 65}, "models"),
        ({"provider": []}, "provider"),
        ({"provider": {"order": "a"}}, "provider.order"),
        ({"provider": {"sort": "cheap"}}, "provider.sort"),
        ({"provider": {"sort": ["price"]}}, "provider.sort"),
        ({"provider": {"max_price": 1}}, "provider.max_price"),
        ({"provider": {"max_price": {"prompt": True}}}, "provider.max_price.prompt"),
        ({"provider": {"max_price": {"completion": 1e300}}}, "provider.max_price.completion"),
        ({"provider": {"max_price": {"request": 1}}}, "provider.max_price.request"),
        ({"provider": {"data_collection": "never"}}, "provider.data_collection"),
        ({"provider": {"zdr": "yes"}}, "provider.zdr"),
        ({"provider": {"allow_fallbacks": 0}}, "provider.allow_fallbacks"),
        ({"provider": {"enforce_distillable_text": True}}, "provider.enforce_distillable_text"),
    ],
)
def test_a_malformed_extension_is_refused_by_field(extensions: dict[str, Any], param: str) -> None:
    found = ask(**extensions)
    assert isinstance(found, Refusal)
    assert found.param == param


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FIELDS = ["order", "sort", "max_price", "data_collection", "zdr", "quantizations", "allow_fallbacks"]


@given(st.dictionaries(st.sampled_from(FIELDS), json_values), json_values, st.binary(), st.binary())
def test_nothing_a_client_sends_raises(provider: dict[str, Any], models: Any, data: bytes, deadline: bytes) -> None:
    found = ask((b"x-bascule-data", data), (b"x-bascule-deadline", deadline), provider=provider, models=models)
    assert isinstance(found, Ask | Refusal)
