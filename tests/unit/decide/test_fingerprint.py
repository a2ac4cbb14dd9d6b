from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.fingerprint import cacheable, fingerprint
from bascule.model.facts import Facts, ImageFact

BODY: dict[str, Any] = {"model": "m", "temperature": 0, "messages": [{"role": "user", "content": "hi"}]}


def facts(**fields: Any) -> Facts:
    given: dict[str, Any] = {"model": "m", "temperature": 0.0}
    return Facts(**(given | fields))


def test_temperature_zero_said_and_nothing_else_is_cacheable() -> None:
    assert cacheable(facts(), BODY)
    assert cacheable(facts(stream=True), BODY | {"stream": True})
    assert cacheable(facts(images=(ImageFact("base64", 9),)), BODY)
    assert cacheable(facts(), BODY | {"store": False, "functions": []})


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": None},
        {"temperature": 0.1},
        {"tools": 1},
        {"n": 2},
        {"unbounded": ("web_search",)},
        {"has_audio": True},
        {"images": (ImageFact("base64"), ImageFact("url"))},
    ],
)
def test_facts_that_forbid_it(fields: dict[str, Any]) -> None:
    assert not cacheable(facts(**fields), BODY)


@pytest.mark.parametrize("name", ["store", "previous_response_id", "conversation", "mcp_servers", "functions", "audio"])
def test_fields_that_forbid_it(name: str) -> None:
    assert not cacheable(facts(), BODY | {name: {"x": 1}})


def name_of(body: dict[str, Any], partition: str = "key", endpoint: str = "p/m", surface: str = "chat") -> bytes:
    found = fingerprint(partition, endpoint, surface, body)
    assert found == fingerprint(partition, endpoint, surface, dict(reversed(body.items())))
    return found.digest


def test_partition_endpoint_and_surface_are_part_of_the_name_and_never_run_together() -> None:
    names = {
        name_of(BODY),
        name_of(BODY, partition="other"),
        name_of(BODY, endpoint="p/n"),
        name_of(BODY, surface="messages"),
        name_of(BODY, partition="keyp", endpoint="/m"),
        name_of(BODY, partition="", endpoint="keyp/m"),
    }
    assert len(names) == 6


@pytest.mark.parametrize("name", ["model", "user", "metadata", "stream_options", "prompt_cache_key"])
def test_neutral_fields_do_not_matter(name: str) -> None:
    assert name_of(BODY | {name: "anything"}) == name_of(BODY)


@pytest.mark.parametrize(
    "change",
    [
        {"stream": True},
        {"seed": 1},
        {"max_tokens": 1},
        {"system": "You are terse."},
        {"response_format": {"type": "json_object"}},
        {"service_tier": "flex"},
        {"an_unknown_field": 1},
        {"messages": [{"role": "user", "content": "hi "}]},
        {"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "hi"}]},
    ],
)
def test_whatever_may_change_the_answer_changes_the_name(change: dict[str, Any]) -> None:
    assert name_of(BODY | change) != name_of(BODY)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def reversed_deep(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: reversed_deep(inner) for name, inner in reversed(value.items())}
    return [reversed_deep(inner) for inner in value] if isinstance(value, list) else value


@given(st.dictionaries(st.text(max_size=5), json_values))
def test_the_order_of_fields_never_matters(body: dict[str, Any]) -> None:
    assert name_of(reversed_deep(body)) == name_of(body)


def test_values_that_look_alike_stay_apart() -> None:
    values: list[Any] = [1, "1", True, None, [1], {"1": 1}, 1.0, 12345678901234567890123]
    assert len({name_of({"x": value}) for value in values}) == len(values)
