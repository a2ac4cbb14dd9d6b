"""The scripted Cohere and Bedrock: what they say is what the vendors' SDKs read, and each fault is what it says."""

import json

import orjson
import pytest
from botocore.eventstream import ChecksumMismatch
from tests.wire.provider_sdk import converse_events, parse_upstream_reply, parse_upstream_stream

from bascule.testing.script import Script, ScriptedCall

STREAM, WHOLE = "/model/eu.anthropic.claude%3A0/converse-stream", "/model/eu.anthropic.claude%3A0/converse"
TURN = [{"role": "user", "content": [{"text": "hello"}]}]
TOOLS = {"tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}]}
SCRIPT = Script(text="One two three four five.", thinking="hm so", cached_tokens=1)
CALL = Script(text="I look.", tool_calls=(ScriptedCall("look", {"a": 1}),))


async def converse(caller, path=STREAM, **body):
    told = {"messages": TURN, "inferenceConfig": {"maxTokens": 50}, **body}
    return await caller.send(path=path, raw=orjson.dumps(told))


async def cohere(caller, stream=False, **body):
    told = {"model": "command", "messages": [{"role": "user", "content": "hello there"}], "stream": stream, **body}
    return await caller.send(path="/v2/chat", raw=orjson.dumps(told))


@pytest.mark.parametrize("script", [SCRIPT, CALL], ids=["text", "call"])
async def test_botocore_reads_all_of_it(scripted, script):
    caller = await scripted(script)
    streamed, whole = await converse(caller, toolConfig=TOOLS), await converse(caller, WHOLE, toolConfig=TOOLS)
    assert streamed.headers["content-type"] == "application/vnd.amazon.eventstream"
    parse_upstream_stream("bedrock_converse", streamed.data)
    parse_upstream_reply("bedrock_converse", whole.data)
    events = converse_events(streamed.data)
    text = "".join(told[kind]["delta"].get("text", "") for kind, told in events if kind == "contentBlockDelta")
    assert text == script.text == whole.json["output"]["message"]["content"][script is SCRIPT]["text"]
    assert events[-1][0] == "metadata"
    assert events[-1][1]["metadata"]["usage"] == whole.json["usage"] == caller.up.served[-1].usage
    assert [record.model for record in caller.up.served] == ["eu.anthropic.claude:0"] * 2
    assert [record.stream for record in caller.up.served] == [True, False]


@pytest.mark.parametrize("script", [SCRIPT, CALL], ids=["text", "call"])
async def test_coheres_sdk_reads_all_of_it(scripted, script):
    caller = await scripted(script)
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    streamed, whole = await cohere(caller, stream=True, tools=tools), await cohere(caller, tools=tools)
    parse_upstream_stream("cohere", streamed.data)
    parse_upstream_reply("cohere", whole.data)
    assert json.loads(streamed.events[-1])["delta"]["usage"] == whole.json["usage"] == caller.up.served[-1].usage


async def test_faults_of_the_binary_stream(scripted):
    sound = (await converse(await scripted(SCRIPT))).data
    for fault, broken in (("crlf", False), ("comments", False), ("bad_checksum", True)):
        caller = await scripted(Script(text=SCRIPT.text, thinking=SCRIPT.thinking, cached_tokens=1, fault=fault))
        data = (await converse(caller)).data
        if broken:
            with pytest.raises(ChecksumMismatch):
                converse_events(data)
        else:
            assert data == sound
    caller = await scripted(Script(fault="error_mid", error_type="throttlingException"))
    assert converse_events((await converse(caller)).data)[-1][0] == "throttlingException"
    caller = await scripted(Script(fault="no_done"))
    assert converse_events((await converse(caller)).data)[-1][0] == "messageStop"
    caller = await scripted(Script(usage_fault="none"))
    assert "usage" not in converse_events((await converse(caller)).data)[-1][1]["metadata"]


async def test_errors_in_each_ones_words(scripted):
    caller = await scripted(Script(status=429, error_message="slow"))
    answer = await converse(caller)
    assert (answer.status, answer.json) == (429, {"message": "slow"})
    assert answer.headers["x-amzn-errortype"].startswith("ThrottlingException:")
    answer = await cohere(caller)
    assert (answer.status, answer.json["message"]) == (429, "slow")


HISTORY = [
    *TURN,
    {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "look", "input": {}}}]},
    {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "r"}]}}]},
]


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        (HISTORY, "toolConfig"),
        ([{"role": "user", "content": [{"text": " "}]}], "non-empty"),
        ([*TURN, *TURN], "alternate"),
        ([{"role": "assistant", "content": [{"text": "x"}]}], "start with a user message"),
    ],
)
async def test_what_bedrock_refuses(scripted, messages, says):
    answer = await converse(await scripted(), messages=messages)
    assert answer.status == 400
    assert says in answer.json["message"]
    assert answer.headers["x-amzn-errortype"].startswith("ValidationException:")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"p": 1}, "p must be"),
        ({"tools": [{"type": "function", "function": {"name": "a-b", "parameters": {}}}]}, "tool names"),
    ],
)
async def test_what_cohere_refuses(scripted, more, says):
    answer = await cohere(await scripted(), **more)
    assert answer.status == 400
    assert says in answer.json["message"]
