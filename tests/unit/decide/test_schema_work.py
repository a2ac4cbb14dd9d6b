"""What a stranger's schema comes to, and that none keeps others waiting."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.grade import Schema, prepare
from bascule.decide.json_schema import GraderError
from bascule.decide.schema_work import MAX_UNFOLDED, PATTERN_WORK, of_a_client, unfolded


def doubling(levels: int, how: str = "allOf") -> dict[str, Any]:
    """Two references to the level below, at each level: two to the power of their number in all."""
    defs: dict[str, Any] = {"a0": {"type": "string"}}
    for at in range(1, levels + 1):
        defs[f"a{at}"] = {how: [{"$ref": f"#/$defs/a{at - 1}"}, {"$ref": f"#/$defs/a{at - 1}"}]}
    return {"$defs": defs, "$ref": f"#/$defs/a{levels}"}


@pytest.mark.parametrize(
    ("schema", "count"),
    [
        ({}, 1),
        ({"type": "string"}, 1),
        ({"properties": {"a": {}, "b": {"type": "object", "properties": {"c": {}}}}}, 4),
        ({"anyOf": [{}, {}, True]}, 3),
        ({"items": {"type": "string"}, "minItems": 1}, 2),
        ({"$defs": {"a": {}, "b": {"items": {}}}}, 1),
        ({"$defs": {"a": {"items": {}}}, "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/a"}}}, 7),
        ({"pattern": "^a"}, 1 + PATTERN_WORK),
        ({"patternProperties": {"^a": {}}}, 2 + PATTERN_WORK),
        ({"properties": {"enum": {"properties": {"default": {}}}}, "enum": [{"a": {}}]}, 3),
        ({"properties": {"$ref": {"type": "string"}, "$id": {}}}, 3),
        ({"$id": "https://x.test/s", "$defs": {"a/b": {}}, "$ref": "#/$defs/a~1b"}, 2),
    ],
)
def test_what_a_schema_comes_to(schema: dict[str, Any], count: int) -> None:
    assert unfolded(schema) == count


@pytest.mark.parametrize(
    "schema",
    [
        doubling(40),
        doubling(40, "anyOf"),
        {"$ref": "#"},
        {"properties": {"x": {"$ref": "#"}}},
        {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"not": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"},
        {"$ref": "#/$defs/nowhere"},
        {"$ref": "https://x.test/schema"},
        {"$ref": "#name"},
        {"properties": {"x": {"$id": "https://x.test/other"}}},
        {"properties": {"x": {"$dynamicRef": "#a"}}},
        {"$dynamicRef": "#a"},
        {"enum": ["x" * 70_000]},
        {"properties": {str(at): {"items": {}} for at in range(MAX_UNFOLDED // 2)}},
    ],
)
def test_what_has_no_bound_or_too_high_a_one_is_not_checked(schema: dict[str, Any]) -> None:
    with pytest.raises(GraderError):
        of_a_client(schema)


def test_nesting_ends_in_a_word_too() -> None:
    schema: dict[str, Any] = {}
    for _ in range(250):
        schema = {"not": schema}
    assert unfolded(schema) == 251


def test_the_answer_counts_as_much_as_the_schema() -> None:
    graded = of_a_client(doubling(10))
    assert graded('"x"').passed
    assert not graded("1").passed
    with pytest.raises(GraderError, match="too large"):
        graded('"' + "x" * 5_000 + '"')


PLAIN = st.sampled_from([{"type": "string"}, {"type": "integer"}, {"minimum": 3}, True, {"enum": [1, "a"]}])
SCHEMAS = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2)}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"items": inner}),
    ),
    max_leaves=6,
)


@given(SCHEMAS, st.sampled_from(['"a"', "1", '{"a": 1}', "[1, 2]", '{"b": {"c": "x"}}']))
def test_a_schema_that_is_checked_says_what_it_always_says(schema: Any, answer: str) -> None:
    whole = {"allOf": [schema]}
    assert of_a_client(whole)(answer) == prepare(Schema(schema=whole))(answer)
