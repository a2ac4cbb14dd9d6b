"""A scripted answer to a schema exists for whatever a client calls a schema."""

from typing import Any

import pytest

from bascule.testing.prompt import sample

CIRCLE = {"type": "object", "properties": {"next": {"$ref": "#"}}}


def test_an_answer_satisfies_its_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": ["integer", "null"]}, "b": {"$ref": "#/$defs/b"}, "c": {"enum": ["x", "y"]}},
        "$defs": {"b": {"type": "array", "items": {"const": 5}, "minItems": 2}},
    }
    assert sample(schema) == {"a": 7, "b": [5, 5], "c": "x"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "strnig"},
        {"type": []},
        {"type": [{}]},
        {"type": {}},
        {"type": 5},
        {"properties": {"a": True}},
        {"properties": []},
        {"$ref": "#/nowhere/at/all"},
        {"$ref": 5},
        {"$ref": "#"},
        CIRCLE,
        {"anyOf": [True]},
        {"anyOf": {"a": 1}},
        {"enum": {"a": 1}},
        {"type": "array", "minItems": "2"},
        {"type": "array", "minItems": 10**9},
    ],
)
def test_odd_schemas_have_an_answer_too(schema: Any) -> None:
    sample(schema)
    sample({"type": "object", "properties": {"inner": schema}})
