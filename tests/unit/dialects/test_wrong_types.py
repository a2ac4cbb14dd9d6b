"""Every node of a full request, replaced by values of every other JSON type, in all directions.

Either the request is refused with the path of the place, or what goes on is right: the client's own bytes where the
dialect is the same, and else a body that the target's SDK knows, in which nothing became something else.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.dialects.full_bodies import BODIES, QUIRKS, TARGET
from tests.wire.sdk import parse_request as sdk_request

from bascule.dialects.base import Target
from bascule.dialects.registry import codec, dialect
from bascule.model.errors import MalformedRequest, Refusal

FREE_FORM = frozenset(
    {"parameters", "schema", "input_schema", "input", "cache_control", "metadata"}
    | {"args", "response", "responseJsonSchema", "safetySettings"}
)
"""Objects whose inside is the client's own affair: it goes on as it is, or not at all."""

TEXT, NUMBER = "w9z", 7351
WRONG = (None, True, NUMBER, 2.5, TEXT, [], [TEXT], [NUMBER], {}, {TEXT: NUMBER})

Path = tuple[str | int, ...]


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    if at:
        yield at
    if at and at[-1] in FREE_FORM and isinstance(value, dict):
        return
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(item, (*at, key))


def replaced(body: dict[str, Any], at: Path, value: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(body))
    holder = copy
    for key in at[:-1]:
        holder = holder[key]
    holder[at[-1]] = value
    return copy


def found(body: dict[str, Any], at: Path) -> Any:
    for key in at:
        body = body[key]
    return body


def kind(value: Any) -> str:
    """The JSON type; integers and fractions are told apart."""
    return type(value).__name__


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from lists(item)


def written(at: Path) -> str:
    """The path as a refusal writes it."""
    return "".join([f"[{key}]" if isinstance(key, int) else f".{key}" for key in at])[1:]


def outcome(
    client: str, provider: str, body: dict[str, Any], target: Target = TARGET
) -> dict[str, Any] | Refusal | MalformedRequest:
    raw = json.dumps(body).encode()
    try:
        facts = dialect(client).read_facts(body, len(raw))
    except MalformedRequest as refused:
        return refused
    result = codec(client, provider).request(body, raw, facts, target)
    return result if isinstance(result, Refusal) else json.loads(result)


DIRECTIONS = [(client, provider) for client in BODIES for provider in (*BODIES, "cohere", "bedrock_converse")]


TURNS = {"openai_responses": ("input", "content"), "gemini": ("contents", "parts")}
"""Where a body has its turns, and a turn its parts; elsewhere `messages` and `content`."""


def full_body(client: str, provider: str) -> dict[str, Any]:
    """The client's full body, less what this provider has no word for."""
    body: dict[str, Any] = json.loads(json.dumps(BODIES[client]))
    if provider == "openai_responses":
        for holder in (body, body.get("generationConfig", {})):
            for stops in ("stop", "stop_sequences", "stopSequences"):
                holder.pop(stops, None)
    turns, parts = TURNS.get(client, ("messages", "content"))
    for turn in body[turns]:
        if isinstance(turn.get(parts), list):
            turn[parts] = [part for part in turn[parts] if not beyond(provider, part)]
    return body


def beyond(provider: str, part: dict[str, Any]) -> bool:
    by_address = part.get("source", {}).get("type") == "url" or str(part.get("image_url")).startswith("http")
    a_file = part.get("type") in ("file", "input_file") or "pdf" in str(part.get("inlineData"))
    return (provider == "cohere" and a_file) or (provider == "bedrock_converse" and (by_address or "fileData" in part))


@pytest.mark.parametrize(("client", "provider"), DIRECTIONS)
def test_the_full_bodies_are_valid(client: str, provider: str) -> None:
    result = outcome(client, provider, full_body(client, provider))
    assert isinstance(result, dict), result
    if client != provider:
        sdk_request(provider, result)


@pytest.mark.parametrize(("client", "provider"), DIRECTIONS)
def test_a_wrong_type_is_refused_or_goes_on_as_it_is(client: str, provider: str) -> None:
    full = full_body(client, provider)
    refused = tried = 0
    for at in paths(full):
        for wrong in WRONG:
            if kind(wrong) == kind(found(full, at)):
                continue
            tried += 1
            body = replaced(full, at, wrong)
            result = outcome(client, provider, body)
            place = f"{written(at)} = {wrong!r}"
            if at[-1] == "signature" and wrong is None and isinstance(result, dict):
                continue  # thinking without a signature is left out, whoever gets it
            if isinstance(result, dict):
                check_sent(client, provider, body, at, wrong, result, place)
                continue
            refused += 1
            assert result.param, place
            if "answers no call" in str(getattr(result, "message", result)):
                continue  # the call went with what was replaced, and its result says so
            if isinstance(result, MalformedRequest) or result.kind == "malformed":
                assert related(result.param, written(at)), f"{place} was refused for {result.param}"
            else:
                assert result.kind == "unsupported", place
    assert tried > 300
    # Between dialects nearly everything is read; what passes are nulls and numbers of the other kind.
    assert refused > tried * (0.6 if client != provider else 0.2)


def related(param: str, place: str) -> bool:
    """A refusal may name what is missing inside the place, or the holder whose kind the place decides."""
    holder = place.rpartition(".")[0]
    return param.startswith((place, holder)) or place.startswith(param)


def check_sent(
    client: str, provider: str, body: dict[str, Any], at: Path, wrong: Any, sent: dict[str, Any], place: str
) -> None:
    if client == provider:
        expected = {**body, "stream_options": sent["stream_options"]} if "stream_options" in sent else body
        if client == "gemini":  # these two are the path's
            expected = {key: value for key, value in body.items() if key not in ("model", "stream")}
        assert sent == expected, place
        return
    sdk_request(provider, sent)
    assert list(TEXT) not in list(lists(sent)), place
    if isinstance(wrong, dict) and at[-1] in ("arguments", "input", "args", "response"):
        return  # an object as arguments is JSON text in the one dialect and an object in the other
    said = "\0".join(texts(sent))
    for never in ("7351", "2.5", "True", "None"):
        assert never not in said, place


@pytest.mark.parametrize(("client", "provider"), DIRECTIONS)
def test_no_quirk_breaks_on_a_wrong_type(client: str, provider: str) -> None:
    """Quirks read and write more of a body; what they meet there is refused, passed on or left out, never a crash."""
    quirky = Target(upstream_model="other", max_tokens=100, quirks=QUIRKS)
    full = full_body(client, provider)
    for at in paths(full):
        for wrong in WRONG:
            result = outcome(client, provider, replaced(full, at, wrong), quirky)
            assert isinstance(result, dict) or result.param


def test_embeddings_check_what_they_read() -> None:
    full = {"model": "m", "input": ["a", "b"], "user": "ann", "dimensions": 5}
    for at in paths(full):
        for wrong in WRONG:
            result = outcome("openai_embeddings", "openai_embeddings", replaced(full, at, wrong))
            assert result.param if isinstance(result, MalformedRequest) else isinstance(result, dict)
    for name, wrong in (("user", 5), ("input", 5), ("input", {}), ("model", 5)):
        refused = outcome("openai_embeddings", "openai_embeddings", {**full, name: wrong})
        assert isinstance(refused, MalformedRequest)
        assert refused.param == name


@pytest.mark.parametrize(
    ("client", "fields", "param"),
    [
        ("anthropic_messages", {"stop_sequences": "abc"}, "stop_sequences"),
        ("anthropic_messages", {"tools": [{"name": "f", "input_schema": 5}]}, "tools[0].input_schema"),
        ("anthropic_messages", {"tool_choice": 7}, "tool_choice"),
        ("openai_chat", {"stop": {}}, "stop"),
        ("openai_chat", {"stop": ["a", 5]}, "stop[1]"),
        ("openai_chat", {"tool_choice": 7}, "tool_choice"),
        ("openai_chat", {"tool_choice": "always"}, "tool_choice"),
        ("openai_chat", {"logprobs": 1}, "logprobs"),
        ("openai_chat", {"response_format": {"type": "xml"}}, "response_format.type"),
        ("openai_chat", {"logit_bias": {"5": "x"}}, "logit_bias.5"),
        (
            "openai_chat",
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": 5}}]},
            "tools[0].function.parameters",
        ),
        ("openai_responses", {"tools": [{"type": "function", "name": "f", "parameters": 5}]}, "tools[0].parameters"),
        ("openai_responses", {"tools": [{"type": "namespace", "tools": []}]}, "tools[0].name"),
        ("openai_responses", {"tool_choice": "always"}, "tool_choice"),
        ("openai_responses", {"tool_choice": {"type": "allowed_tools", "mode": "auto"}}, "tool_choice.tools"),
        ("openai_responses", {"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ("openai_responses", {"reasoning": {"effort": "zz"}}, "reasoning.effort"),
        ("openai_responses", {"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
    ],
)
def test_what_only_translation_reads_is_named(client: str, fields: dict[str, Any], param: str) -> None:
    said = {
        "openai_responses": {"input": "hi"},
        "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    }.get(client, {"messages": [{"role": "user", "content": "hi"}]})
    body = {"model": "m", "max_tokens": 5, **said, **fields}
    for provider in BODIES.keys() - {client}:
        refusal = outcome(client, provider, body)
        assert isinstance(refusal, Refusal)
        assert (refusal.kind, refusal.param) == ("malformed", param)
    assert isinstance(outcome(client, client, body), dict)  # the provider's own to judge where it is its own dialect
