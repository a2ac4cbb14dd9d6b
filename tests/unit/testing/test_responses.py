"""The scripted upstream as a Responses provider: the official client understands it, it refuses what OpenAI does."""

from typing import Any

import openai
import pytest

from bascule.testing.script import Script, ScriptedCall
from bascule.testing.validate import complaint

TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}
CREW = {"type": "namespace", "name": "crew", "description": "Others.", "tools": [{**TOOL, "name": "hire"}]}
OWN = {"type": "custom", "name": "own"}
CALL = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "warm"}


@pytest.fixture
async def client(scripted):
    """`client, up = await client(script)`."""
    made = []

    async def make(script=None):
        caller = await scripted(script)
        made.append(openai.AsyncOpenAI(base_url=caller.up.url(), api_key="k", max_retries=0, timeout=5.0))
        return made[-1], caller.up

    yield make
    for one in made:
        await one.close()


async def test_a_whole_answer_and_its_bill(client):
    sdk, up = await client(Script(text="One two three four.", thinking="Hm hm.", reasoning_tokens=3, cached_tokens=1))
    answer = await sdk.responses.create(model="m", input="hello there")
    assert answer.output_text == "One two three four."
    assert answer.output[0].summary[0].text == "Hm hm."
    assert answer.output[0].encrypted_content
    assert (answer.usage.output_tokens, answer.usage.output_tokens_details.reasoning_tokens) == (9, 5)
    (record,) = up.served
    assert (record.dialect, record.response_id, record.usage) == ("responses", answer.id, record.reported_usage)


async def test_a_stream_adds_up_to_the_whole_answer(client):
    calls = (
        ScriptedCall("weather", {"city": "Zürich"}),
        ScriptedCall("crew__hire"),
        ScriptedCall("own", {"input": "+"}),
    )
    sdk, up = await client(Script(text="I look.", thinking="Hm.", tool_calls=calls))
    async with sdk.responses.stream(model="m", input="hello", tools=[TOOL, CREW, OWN]) as stream:
        events = [event async for event in stream]
        answer = await stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [item.type for item in answer.output]
    assert kinds == ["reasoning", "message", "function_call", "function_call", "custom_tool_call"]
    assert (answer.output[3].namespace, answer.output[3].name, answer.output[4].input) == ("crew", "hire", "+")
    assert up.served[0].usage["output_tokens"] == answer.usage.output_tokens


async def test_the_cap_cuts_it(client):
    sdk, _ = await client(Script(output_tokens=40))
    answer = await sdk.responses.create(model="m", input="hello", max_output_tokens=17)
    assert (answer.status, answer.usage.output_tokens) == ("incomplete", 17)


async def test_an_error_in_a_stream_is_raised(client):
    sdk, _ = await client(Script(text="One two three four five.", fault="error_mid"))
    stream = await sdk.responses.create(model="m", input="hello", stream=True)
    with pytest.raises(openai.APIError):
        [event async for event in stream]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"messages": []}, "'messages'"),
        ({"input": []}, "'input'"),
        ({"max_output_tokens": 15}, "'max_output_tokens'"),
        ({"input": [{"role": "tool", "content": "x"}]}, "role"),
        ({"input": [RESULT]}, "No tool call found"),
        ({"input": [CALL]}, "No tool output found"),
        ({"input": [{**CALL, "id": "call_1"}, RESULT]}, "begins with 'fc'"),
        ({"input": [{**CALL, "call_id": "c" * 65}, {**RESULT, "call_id": "c" * 65}]}, "longer"),
        ({"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}, "verified"),
        ({"input": [{"type": "reasoning", "summary": [], "encrypted_content": "bascule:unsigned"}]}, "verified"),
    ],
)
def test_what_openai_refuses(body: dict[str, Any], why: str) -> None:
    assert why in (complaint("responses", {"model": "m", "input": "hi", **body}) or "")


def test_what_openai_takes() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    assert complaint("responses", {"model": "m", "input": [reasoning, CALL, RESULT]}) is None
