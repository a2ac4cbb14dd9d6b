"""A key tries to spend more than its strict budget holds for it, by what it writes into its requests."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import decode, encode
from tests.playbooks.engine.conftest import CONFIG, ENVIRONMENT, Playbook, strict
from tests.playbooks.engine.wire import answered, chat, message, messages

from bascule.dialects.respelled import MOST_GAINED_BYTES, gained_bytes
from bascule.testing.transport import Reply, whole

SHORT = "1e15"
"""What decoders make of it is written `1000000000000000.0`."""
NUMBERS = f"[{','.join([SHORT] * 500)}]"
ASKED_OUT, DEAREST_OUT = 100, 10_000
INPUT_RATE = 1_000
"""Nano-USD a token at `small`."""
SCHEMA = {"type": "object", "properties": {"x": {"enum": "NUMBERS"}}}
CALLED = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"x": "NUMBERS"}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "done"}]},
]
SPOOFED = [
    {"x-bascule-tag": "cost=43"},
    {"x-bascule-tag": "cost"},
    {"helicone-property-cost": "1"},
    {"x-portkey-metadata": '{"cost": "9", "_user": "somebody"}'},
    {"x-bascule-org": "other", "x-bascule-team": "other", "x-bascule-key": "other", "x-bascule-project": "other"},
    {"x-bascule-tag": ",".join([f"t{number}=1" for number in range(100)])},
]
SCOPES = ("key:ci", "org:acme", "team:platform", "project:web", "tag:cost=42")
LIMITS = ", ".join([f'{{scope: "{scope}", limit_usd: 1, window: day, mode: strict}}' for scope in SCOPES])


def world(directory: Path, *replies: Reply, more: str) -> Playbook:
    return Playbook(CONFIG + more, replies, directory, environment=ENVIRONMENT)


def spelt(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).replace('"NUMBERS"', NUMBERS).encode()


@pytest.mark.parametrize(
    "body",
    [
        messages("small", messages=CALLED, tools=[{"name": "f", "input_schema": {"type": "object"}}]),
        messages("small", tools=[{"name": "f", "input_schema": SCHEMA}]),
    ],
    ids=["call", "tool"],
)
def test_numbers_that_translation_writes_out_are_held_as_they_are_sent(tmp_path: Path, body: dict[str, Any]) -> None:
    here = world(tmp_path, answered(), more=strict("1"))
    raw = spelt(body)
    assert here.ask(raw, surface="anthropic_messages").status == 200
    sent = here.upstream.calls[0].body
    assert len(sent) > 2 * len(raw)
    held = here.row.hold_nanousd or 0
    assert (held - ASKED_OUT * DEAREST_OUT) // INPUT_RATE >= len(sent)
    here.close()


def test_a_schema_that_is_relayed_is_held_as_it_would_be_told_in_words(tmp_path: Path) -> None:
    """A provider that knows no schemas gets it as text, decoded and written anew in the client's own dialect."""
    shape = {"type": "json_schema", "json_schema": {"name": "f", "schema": SCHEMA}}
    config = CONFIG.replace("max_output: 4000}", "max_output: 4000, json_schema: true}", 1)
    here = Playbook(config + strict("1"), [answered()], tmp_path, environment=ENVIRONMENT)
    assert here.ask(spelt(chat(response_format=shape))).status == 200
    held = (here.row.hold_nanousd or 0) - ASKED_OUT * DEAREST_OUT
    assert held // INPUT_RATE >= len(encode(decode(NUMBERS)))
    here.close()


def test_numbers_that_are_relayed_are_held_as_they_stand(tmp_path: Path) -> None:
    here = world(tmp_path, whole(message()), more=strict("1"))
    raw = spelt(messages("opus", tools=[{"name": "f", "input_schema": SCHEMA}]))
    assert here.ask(raw, surface="anthropic_messages").status == 200
    assert NUMBERS.encode() in here.upstream.calls[0].body
    here.close()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(), max_size=8), st.integers(0, 16))
def test_no_number_gains_more_than_is_said(values: list[float], exponent: int) -> None:
    shortest = [f"{value:g}".replace("e+0", "e").replace("e+", "e") for value in values]
    raw = f"[{','.join([*shortest, f'1e{exponent}', f'12E+{exponent}', f'0.1e{exponent}'])}]".encode()
    assert len(encode(decode(raw))) <= len(raw) + gained_bytes(raw)


@pytest.mark.parametrize(
    "raw", [b'["1e15"]', b'"[\\n1e15,\\n1e15]"', b'"\\u00201e15\\u0020"', b"[1E15]", b"[1e+15]", b"[-1e15]", b"[1e015]"]
)
def test_numbers_inside_of_texts_count_as_well(raw: bytes) -> None:
    assert gained_bytes(raw) >= 10


@pytest.mark.parametrize("raw", [b'{"max_tokens":100}', b'"0xefe"', b'"deadbeef"', b"[1.5,1e,e15]", b"9" * 19])
def test_what_is_no_such_number_gains_nothing(raw: bytes) -> None:
    assert gained_bytes(raw) == 0


def test_what_looks_like_a_number_counts_as_one() -> None:
    assert gained_bytes(b'"deadbeef12e3c4"') == MOST_GAINED_BYTES


@pytest.mark.parametrize("headers", SPOOFED)
def test_no_header_takes_a_request_out_of_its_keys_scopes(tmp_path: Path, headers: dict[str, str]) -> None:
    here = world(tmp_path, answered(), more=f"budgets: [{LIMITS}]")
    answer = here.ask(chat(metadata={"org": "other", "team": "other", "cost": "1"}, user="other"), headers=headers)
    assert answer.status == 200
    assert {here.budget(scope).settled_nanousd for scope in SCOPES} == {here.row.cost_nanousd}
    here.close()


OTHERS = [
    {"x-bascule-user": "bob"},
    {"helicone-user-id": "bob"},
    {"x-portkey-metadata": '{"_user": "bob", "cost": "9"}'},
    {"x-bascule-user": "bob", "x-bascule-tag": "cost=9"},
    {"x-bascule-user": ""},
]


@pytest.mark.parametrize("headers", OTHERS)
def test_no_header_or_body_spends_what_is_anothers(tmp_path: Path, headers: dict[str, str]) -> None:
    """Where the key says who its user is, and what its tags are."""
    config = CONFIG.replace("tags: {cost", "user: ann, tags: {cost")
    scopes = ("user:ann", "user:bob", "tag:cost=42", "tag:cost=9")
    limits = ", ".join([f'{{scope: "{scope}", limit_usd: 1, window: day, mode: strict}}' for scope in scopes])
    here = Playbook(f"{config}budgets: [{limits}]", (answered(),), tmp_path, environment=ENVIRONMENT)
    assert here.ask(chat(user="bob"), headers=headers).status == 200
    assert (here.row.user, here.row.tags["cost"]) == ("ann", "42")
    cost = here.row.cost_nanousd
    assert [here.budget(scope).settled_nanousd for scope in scopes] == [cost, 0, cost, 0]
    here.close()


def test_a_users_budget_is_the_clients_word_where_the_key_does_not_say(tmp_path: Path) -> None:
    """As docs/security.md has it: attribution, and no boundary. The key's own budget holds all the same."""
    scopes = ("user:ann", "key:ci")
    limits = ", ".join([f'{{scope: "{scope}", limit_usd: 1, window: day, mode: strict}}' for scope in scopes])
    here = world(tmp_path, answered(), answered(), more=f"budgets: [{limits}]")
    here.ask(chat(), headers={"x-bascule-user": "ann"})
    here.ask(chat())
    named, unnamed = here.rows
    assert here.budget("user:ann").settled_nanousd == named.cost_nanousd
    assert here.budget("key:ci").settled_nanousd == (named.cost_nanousd or 0) + (unnamed.cost_nanousd or 0)
    here.close()


@pytest.mark.parametrize(
    "more",
    [
        {"max_tokens": 10**9},
        {"max_tokens": 5, "max_completion_tokens": 3_000},
        {"max_tokens": 3_000, "max_completion_tokens": 5},
        {"max_tokens": None},
        {"n": 128},
        {"thinking_budget": 2_000},
        {"prediction": {"type": "content", "content": "x" * 3_000}},
        {"models": ["riddle", "small"]},
    ],
    ids=str,
)
def test_what_is_sent_is_what_was_held(tmp_path: Path, more: dict[str, Any]) -> None:
    here = world(tmp_path, answered(), more=strict("100"))
    assert here.ask(chat(**more)).status == 200
    (call,) = here.upstream.calls
    sent = decode(call.body)
    assert "max_completion_tokens" not in sent
    assert "models" not in sent
    beside = sent.get("thinking_budget", 0) + len(sent.get("prediction", {}).get("content", ""))
    output = (sent["max_tokens"] + beside) * sent.get("n", 1)
    assert (here.row.hold_nanousd or 0) >= output * DEAREST_OUT + len(call.body) * INPUT_RATE
    here.close()


@pytest.mark.parametrize(
    "more", [{"thinking_budget": -1}, {"best_of": 5}, {"maxTokens": 9}, {"plugins": [{"id": "web"}]}]
)
def test_what_has_no_bound_is_refused_by_name(tmp_path: Path, more: dict[str, Any]) -> None:
    here = world(tmp_path, more=strict("100"))
    answer = here.ask(chat(**more))
    assert answer.status == 402
    assert answer.error["code"] == "unpriceable"
    assert next(iter(more)) in answer.error["message"]
    assert here.upstream.calls == []
    here.close()
