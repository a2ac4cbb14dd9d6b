"""Answers of every provider dialect, held back: read, judged, given to clients of every dialect as they asked."""

import json
from typing import Any

import pytest
from tests.playbooks.engine import test_gemini, test_other_dialects
from tests.playbooks.engine.conftest import CONFIG as ENGINE
from tests.playbooks.engine.conftest import Begin
from tests.playbooks.engine.responses_wire import NATIVE, begun, completed, delta
from tests.playbooks.engine.responses_wire import response as native_response
from tests.playbooks.engine.wire import HI, a_stream, answered, message, message_events

from bascule.testing.transport import Reply, stream, whole

GOOGLE, OTHERS = test_gemini.GOOGLE, test_other_dialects.CONFIG
STRATEGY = "{cascade: {accept: {regex: 'hello'}}}"
CLIENTS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")


def routed(config: str, model: str, other: str, strategy: str = STRATEGY) -> str:
    return config.replace("routes:\n", f"routes:\n  way: {{candidates: [{model}, {other}], strategy: {strategy}}}\n")


PROVIDERS: dict[str, tuple[str, Reply, Reply]] = {
    "openai_chat": (routed(ENGINE, "small", "big"), answered("hello"), a_stream("hel", "lo")),
    "anthropic_messages": (
        routed(ENGINE, "opus", "big"), whole(message("hello")), stream(*message_events("hel", "lo")),
    ),
    "gemini": (routed(GOOGLE, "gem", "big"), whole(test_gemini.response()), test_gemini.events("hel", "lo")),
    "cohere": (
        routed(OTHERS, "command", "small"),
        whole(test_other_dialects.cohere_answer()),
        stream(*test_other_dialects.cohere_events("hel", "lo")),
    ),
    "bedrock_converse": (
        routed(OTHERS, "claude", "small"),
        whole(test_other_dialects.converse_answer()),
        stream(*test_other_dialects.converse_events("hel", "lo")),
    ),
    "openai_responses": (
        routed(NATIVE, "five", "big"),
        whole(native_response()),
        stream(begun(), delta("hel"), delta("lo"), completed()),
    ),
}  # fmt: skip


def body_of(client: str, streamed: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """A request in a client's dialect, and what of it stands elsewhere."""
    if client == "gemini":
        body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
        return body, {"surface": client, "model": "way", "stream": streamed, "query": "alt=sse"}
    if client == "openai_responses":
        return {"model": "way", "input": "hi", "stream": streamed}, {"surface": client}
    return {"model": "way", "messages": HI, "max_tokens": 100, "stream": streamed}, {"surface": client}


def text_of(client: str, streamed: bool, answer: Any) -> str:
    events = [event for event in answer.data if isinstance(event, dict)] if streamed else [answer.json]
    match client:
        case "openai_chat":
            said = [choice.get("delta" if streamed else "message", {}) for e in events for choice in e["choices"]]
            return "".join([one.get("content") or "" for one in said])
        case "openai_responses":
            last = events[-1]["response"] if streamed else events[0]
            return "".join([part["text"] for item in last["output"] for part in item.get("content") or ()])
        case "anthropic_messages":
            if not streamed:
                return "".join([block["text"] for block in events[0]["content"]])
            return "".join(
                [event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta"]
            )
        case _:
            parts = [part for e in events for part in e["candidates"][0].get("content", {}).get("parts", ())]
            return "".join([part.get("text", "") for part in parts])


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_an_answer_held_back_is_given_as_it_would_have_been(
    begin: Begin, provider: str, client: str, streamed: bool
) -> None:
    config, one, many = PROVIDERS[provider]
    body, how = body_of(client, streamed)
    reply = many if streamed else one
    world = begin(Reply(headers=reply.headers, parts=list(reply.parts)), config=config)
    answer = world.ask(body, **how)
    assert answer.header("x-bascule-reason") == f"cascade: {world.row.model} accepted (regex)"
    assert text_of(client, streamed, answer) == "hello"
    # What one call alone gives its client, byte for byte but for names and times of the request.
    alone = begin(Reply(headers=reply.headers, parts=list(reply.parts)), config=config)
    body, how = body_of(client, streamed)
    body = {**body, "model": world.row.model} if "model" in body else body
    how = {**how, "model": world.row.model} if "model" in how else how
    assert _plain(alone.ask(body, **how), alone) == _plain(answer, world)


def _plain(answer: Any, world: Any) -> bytes:
    """The body without what names the request."""
    request_id = str(answer.header("x-bascule-request-id")).encode()
    text: bytes = answer.body.replace(request_id, b"req").replace(request_id[4:], b"")
    return text.replace(b'"way"', json.dumps(world.row.model).encode())


TASK = {"task": "count", "context": "a b"}
THOUGHT = "c2lnbmF0dXJl"
DELEGATE = "{{delegate: {{frontier: {frontier}, worker: small}}}}"


def calling() -> dict[str, tuple[str, str, Reply, Reply, str]]:
    """By dialect: configuration, host, an answer that hands work on, the one behind it, and what must come back."""
    function = {"name": "delegate", "args": TASK}
    gem = test_gemini.response()
    gem["candidates"][0]["content"]["parts"] = [{"functionCall": function, "thoughtSignature": THOUGHT}]
    item = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "delegate", "arguments": json.dumps(TASK)}
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": THOUGHT}
    use = {"toolUse": {"toolUseId": "t1", "name": "delegate", "input": TASK}}
    converse = test_other_dialects.converse_answer(stopReason="tool_use")
    converse["output"]["message"]["content"] = [use]
    call = {"id": "c1", "type": "function", "function": {"name": "delegate", "arguments": json.dumps(TASK)}}
    cohere = test_other_dialects.cohere_answer(finish_reason="TOOL_CALL")
    cohere["message"] = {"role": "assistant", "tool_calls": [call], "tool_plan": "hm"}
    done = test_other_dialects
    return {
        "gemini": (routed(GOOGLE, "gem", "big", DELEGATE.format(frontier="gem")), "goo.test", whole(gem),
                   whole(test_gemini.response()), THOUGHT),
        "openai_responses": (routed(NATIVE, "five", "big", DELEGATE.format(frontier="five")), "native.test",
                             whole(native_response(output=[reasoning, item])), whole(native_response()), THOUGHT),
        "bedrock_converse": (routed(OTHERS, "claude", "small", DELEGATE.format(frontier="claude")), "aws.test",
                             whole(converse), whole(done.converse_answer()), "toolResult"),
        "cohere": (routed(OTHERS, "command", "small", DELEGATE.format(frontier="command")), "co.test",
                   whole(cohere), whole(done.cohere_answer()), "tool_call_id"),
    }  # fmt: skip


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("provider", sorted(calling()))
def test_work_is_handed_on_in_every_dialect(begin: Begin, provider: str, client: str) -> None:
    config, host, first, second, back = calling()[provider]
    world = begin(config=config)
    world.upstream.at = {host: [first, second], "one.test": [answered("2")]}
    body, how = body_of(client, streamed=False)
    answer = world.ask(body, **how)
    assert answer.status == 200, answer.body
    assert text_of(client, False, answer) == "hello"
    assert [row.role for row in world.rows] == ["primary", "worker", "primary"]
    again = world.upstream.calls[2].body.decode()
    assert back in again
    assert '"2"' in again
    assert "a b" in world.upstream.calls[1].body.decode()
