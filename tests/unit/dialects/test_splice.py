"""Patching JSON bytes: only what must change does, whatever the rest looks like."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.splice import members, patch, splice_cost, usd_number, with_cost

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["model", "usage", "a", '"model']) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["model", "usage", "stream", 'q"uote', "é"]) | st.text(max_size=4), JSON)
STYLES: list[dict[str, Any]] = [
    {"separators": (",", ":")},
    {},
    {"indent": 2},
    {"separators": (" ,", " : "), "ensure_ascii": False},
]


@given(OBJECTS, st.sampled_from(STYLES))
def test_patched_members_change_and_all_others_stay(body: dict[str, Any], style: dict[str, Any]) -> None:
    raw = json.dumps(body, **style).encode()
    patched = json.loads(patch(raw, {"model": b'"new"', "options": b'{"a":1}'}, ["stream", "absent"]))
    expected = {key: value for key, value in body.items() if key != "stream"}
    assert patched == {**expected, "model": "new", "options": {"a": 1}}


@given(OBJECTS, st.sampled_from(STYLES))
def test_members_stand_where_they_are_said_to_be(body: dict[str, Any], style: dict[str, Any]) -> None:
    raw = json.dumps(body, **style).encode()
    spans = members(raw)
    if spans is not None:
        assert {key: json.loads(raw[start:end]) for key, (_, start, end) in spans.items()} == body


def test_bytes_of_other_members_are_kept() -> None:
    raw = b' {"a" : 1.0e0 ,\n"model":"x", "b": "\\u00e9\\/", "c":[ 1 ]}\n'
    assert patch(raw, {"model": b'"y"'}) == raw.replace(b'"x"', b'"y"')
    assert patch(raw, {}, ["model"]) == b' {"a" : 1.0e0, "b": "\\u00e9\\/", "c":[ 1 ]}\n'


def test_duplicate_keys_leave_no_second_meaning() -> None:
    assert patch(b'{"model":"a","model":"b"}', {"model": b'"c"'}) == b'{"model":"c"}'
    assert json.loads(patch(b'{"mod\\u0065l":"a","x":{"model":"a"}}', {"model": b'"c"'})) == {
        "model": "c",
        "x": {"model": "a"},
    }


def test_all_members_may_go() -> None:
    assert patch(b'{"a":1, "b":2}', {}, ["a", "b"]).replace(b" ", b"") == b"{}"
    assert patch(b'{"a":1,"b":2,"c":3}', {"d": b"4"}, ["a", "b", "c"]) == b'{"d":4}'
    assert json.loads(patch(b'{"a":1, "b":2, "c":3, "d":4}', {}, ["b", "c"])) == {"a": 1, "d": 4}
    assert json.loads(patch(b'{ "a":1, "b":2, "c":3}', {"d": b"4"}, ["a", "b"])) == {"c": 3, "d": 4}


def test_cost_goes_into_the_top_level_usage_only() -> None:
    raw = b'{"content":[{"input":{"usage":{"a":1}}}],"usage":{"a":1}}'
    assert json.loads(splice_cost(raw, 1_500_000_000)) == {
        "content": [{"input": {"usage": {"a": 1}}}],
        "usage": {"a": 1, "cost": 1.5},
    }
    assert splice_cost(b'{"usage":null}', 1) == b'{"usage":null}'
    assert splice_cost(b'{"x":{"usage":{"a":1}}}', 1) == b'{"x":{"usage":{"a":1}}}'
    assert splice_cost(b'{"usage" : {"a":1} }', 0) == b'{"usage" : {"a":1,"cost":0} }'


def test_a_cost_of_the_provider_is_replaced() -> None:
    assert with_cost(b'{"a":1,"cost":0.5}', 250_000_000) == b'{"a":1,"cost":0.25}'
    assert with_cost(b"{ }", 1).replace(b" ", b"") == b'{"cost":0.000000001}'


@given(st.integers(-(10**15), 10**15))
def test_dollars_are_exact(nanousd: int) -> None:
    from decimal import Decimal

    assert Decimal(usd_number(nanousd).decode()) * 10**9 == nanousd
    json.loads(usd_number(nanousd))


_KEYS = st.sampled_from(["usage", 'x"usage', "usage\\", "a", "cost"])
_VALUES = st.recursive(
    st.sampled_from([1, "usage", '"usage":{"a":1}', None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=4), st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
def test_the_cost_is_spliced_into_the_usage_of_the_top_level_wherever_it_stands(answer, separators) -> None:
    spliced = json.loads(splice_cost(json.dumps(answer, separators=separators).encode(), 250_000_000))
    if isinstance(answer.get("usage"), dict):
        assert spliced == {**answer, "usage": {**answer["usage"], "cost": 0.25}}
    else:
        assert spliced == answer
