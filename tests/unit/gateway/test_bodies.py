import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.remembered import MAX_JSON_BYTES, MAX_REMEMBERED
from bascule.gateway.bodies import LEAST_SHARING_BYTES, Bodies
from bascule.model.errors import Refusal

LONG = "x" * LEAST_SHARING_BYTES
TOOLS = [{"name": f"tool_{number}", "input_schema": {"type": "object"}} for number in range(9)]


def encoded(**members: Any) -> bytes:
    return json.dumps({"model": "m", "text": LONG, **members}).encode()


def test_the_same_tools_are_decoded_to_the_same_list():
    bodies = Bodies()
    one = bodies.decode(encoded(tools=TOOLS, turn=1))
    other = bodies.decode(encoded(tools=TOOLS, turn=2))
    changed = bodies.decode(encoded(tools=[*TOOLS[:-1], {"name": "tool_9"}]))
    assert not isinstance(one, Refusal)
    assert not isinstance(other, Refusal)
    assert not isinstance(changed, Refusal)
    assert one == {"model": "m", "text": LONG, "tools": TOOLS, "turn": 1}
    assert other["turn"] == 2
    assert one["tools"] is other["tools"]
    assert changed["tools"] == [*TOOLS[:-1], {"name": "tool_9"}]


def test_tools_of_the_same_length_and_ends_are_told_apart():
    bodies = Bodies()
    padding = [{"name": "p" * 200}]
    one, other = ([*padding, {"name": name}, *padding] for name in ("aaaa", "bbbb"))
    for tools in (one, other, one):
        body = bodies.decode(encoded(tools=tools))
        assert not isinstance(body, Refusal)
        assert body["tools"] == tools


def test_only_so_many_lists_are_kept_and_none_that_is_too_long():
    bodies = Bodies()
    first = bodies.decode(encoded(tools=[{"name": "first"}]))
    for number in range(MAX_REMEMBERED):
        bodies.decode(encoded(tools=[{"name": f"other {number}"}]))
    again = bodies.decode(encoded(tools=[{"name": "first"}]))
    assert not isinstance(first, Refusal)
    assert not isinstance(again, Refusal)
    assert first["tools"] is not again["tools"]
    long = encoded(tools=[{"name": "n" * MAX_JSON_BYTES}])
    assert bodies.decode(long)["tools"] is not bodies.decode(long)["tools"]  # type: ignore[index]


@pytest.mark.parametrize("tools", [None, {}, "tools", 3, [], [None]])
def test_tools_of_any_type_are_what_they_are(tools):
    bodies = Bodies()
    for _ in range(2):
        assert bodies.decode(encoded(tools=tools)) == {"model": "m", "text": LONG, "tools": tools}


def test_what_is_no_object_is_refused():
    bodies = Bodies()
    for raw in (b"", b"[]", b"{", b"nonsense", encoded(tools=TOOLS)[:-1], encoded(tools=TOOLS) + b"]"):
        refusal = bodies.decode(raw)
        assert isinstance(refusal, Refusal)
        assert refusal.code == "invalid_json"


@given(st.data())
def test_bodies_are_decoded_as_the_decoder_does(data):
    """Whatever is cut out of a body, or put into it in the wrong place."""
    raw = encoded(tools=TOOLS, messages=[{"role": "user", "content": "\u00e4\U0001f914\\ud83d"}], n=10**18, f=1.5e-7)
    at = data.draw(st.one_of(st.integers(0, 40), st.integers(len(raw) - 900, len(raw))))
    gone = data.draw(st.integers(0, 12))
    put = data.draw(st.sampled_from([b"", b",", b'"', b"\\", b"\xff", b"\\ud800", b'"tools":1,', b"{", b"]", b"1e999"]))
    broken = raw[:at] + put + raw[at + gone :]
    found = Bodies().decode(broken)
    try:
        expected = orjson.loads(broken)
    except orjson.JSONDecodeError:
        assert isinstance(found, Refusal)
    else:
        assert found == expected or (isinstance(found, Refusal) and not isinstance(expected, dict))
