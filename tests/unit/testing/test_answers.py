"""Sound answers: the official clients understand them, caps bound them, usage is what was generated."""

import anthropic
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.testing.answer import joined, plan_answer, tokens_of
from bascule.testing.prompt import asked_calls, input_tokens
from bascule.testing.script import ProviderRequest, Script, ScriptedCall

HELLO = [{"role": "user", "content": "hello there"}]
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}
OPENAI_TOOL = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}
ANTHROPIC_TOOL = {"name": "weather", "input_schema": WEATHER}


@pytest.fixture
async def clients(scripted):
    """`openai_client, anthropic_client, up = await clients(script)`."""
    made = []

    async def make(script=None):
        caller = await scripted(script)
        told = {"api_key": "k", "max_retries": 0, "timeout": 5.0}
        made.append(openai.AsyncOpenAI(base_url=caller.up.url("openai"), **told))
        made.append(anthropic.AsyncAnthropic(base_url=caller.up.url("anthropic"), **told))
        return made[-2], made[-1], caller.up

    yield make
    for client in made:
        await client.close()


async def test_openai_whole_with_choices_cap_and_logprobs(clients):
    client, _, up = await clients(Script(cached_tokens=2, reasoning_tokens=2))
    answer = await client.chat.completions.create(model="m", messages=HELLO, n=3, max_tokens=6, logprobs=True)
    assert [choice.finish_reason for choice in answer.choices] == ["length"] * 3
    assert [len(choice.message.content.split()) for choice in answer.choices] == [4] * 3
    assert len(answer.choices[0].logprobs.content) == 4
    assert answer.usage.completion_tokens == 18
    assert answer.usage.completion_tokens_details.reasoning_tokens == 6
    assert (answer.usage.prompt_tokens, answer.usage.prompt_tokens_details.cached_tokens) == (3, 2)
    record = up.served[0]
    assert (record.response_id, record.choices, record.completed, record.cut) == (answer.id, 3, True, None)
    assert record.usage["completion_tokens"] == 18
    assert record.reported_usage == record.usage
    assert record.request_headers["authorization"] == "Bearer k"
    assert record.upstream_request_id == answer._request_id


async def test_openai_stream_with_tools(clients):
    client, _, up = await clients(
        Script(tool_calls=(ScriptedCall("weather", {"city": "Zürich"}), ScriptedCall("weather")))
    )
    async with client.chat.completions.stream(
        model="m", messages=HELLO, tools=[OPENAI_TOOL], stream_options={"include_usage": True}
    ) as stream:
        answer = await stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls
    assert [call.function.arguments for call in calls] == ['{"city": "Zürich"}', "{}"]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage.completion_tokens == up.served[0].usage["completion_tokens"] == 6
    turn = [
        *HELLO,
        {"role": "assistant", "tool_calls": [call.model_dump() for call in calls]},
        *({"role": "tool", "tool_call_id": call.id, "content": "rain"} for call in calls),
    ]
    follow = await client.chat.completions.create(model="m", messages=turn, tools=[OPENAI_TOOL])
    assert follow.choices[0].finish_reason == "stop"
    assert follow.choices[0].message.content


async def test_openai_json_schema_is_satisfied(clients):
    client, _, _ = await clients()
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "tags": {"type": "array", "items": {"enum": ["a"]}}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    answer = await client.chat.completions.create(model="m", messages=HELLO, response_format=wanted)
    assert answer.choices[0].message.content == '{"n": 7, "tags": ["a"]}'


async def test_plain_text_leaves_calls_and_schemas_alone(clients):
    client, _, _ = await clients(Script(plain_text="It rains."))
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": WEATHER}}
    call = [{"role": "user", "content": 'CALL weather {"city": "Rome"}'}]
    said, shaped, called = [
        (await client.chat.completions.create(model="m", **asked)).choices[0].message
        for asked in (
            {"messages": HELLO, "tools": [OPENAI_TOOL]},
            {"messages": HELLO, "response_format": schema},
            {"messages": call, "tools": [OPENAI_TOOL]},
        )
    ]
    assert (said.content, shaped.content) == ("It rains.", '{"city": "word"}')
    assert (called.content, called.tool_calls[0].function.arguments) == (None, '{"city": "Rome"}')


async def test_anthropic_thinking_and_cache_whole_and_streamed(clients):
    script = Script(
        thinking="let me see",
        text="It is 4.",
        input_tokens=100,
        cached_tokens=40,
        cache_write_5m_tokens=20,
        cache_write_1h_tokens=10,
    )
    _, client, up = await clients(script)
    asked = {"model": "m", "max_tokens": 50, "messages": HELLO}
    whole = await client.messages.create(**asked)
    async with client.messages.stream(**asked) as stream:
        kinds = [event.type async for event in stream]
        streamed = await stream.get_final_message()
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    for answer in (whole, streamed):
        thinking, text = answer.content
        assert (thinking.thinking, text.text, answer.stop_reason) == ("let me see", "It is 4.", "end_turn")
        assert thinking.signature
        usage = answer.usage
        assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (30, 40, 30)
        assert usage.cache_creation.ephemeral_5m_input_tokens == 20
        assert usage.cache_creation.ephemeral_1h_input_tokens == 10
        assert usage.output_tokens == 6
    assert [record.usage["output_tokens"] for record in up.served] == [6, 6]


async def test_anthropic_tool_by_marker_then_text(clients):
    _, client, _ = await clients()
    messages = [{"role": "user", "content": 'please CALL weather {"city": "Rome"} and CALL unknown {} now'}]
    asked = {"model": "m", "max_tokens": 50, "tools": [ANTHROPIC_TOOL]}
    async with client.messages.stream(messages=messages, **asked) as stream:
        answer = await stream.get_final_message()
    (block,) = answer.content
    assert (block.name, block.input, answer.stop_reason) == ("weather", {"city": "Rome"}, "tool_use")
    messages += [
        {"role": "assistant", "content": [block.model_dump(include={"type", "id", "name", "input"})]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": block.id, "content": "sun"}]},
    ]
    follow = await client.messages.create(messages=messages, **asked)
    assert (follow.content[0].type, follow.stop_reason) == ("text", "end_turn")


async def test_counts_embeddings_and_models(clients):
    openai_client, anthropic_client, up = await clients()
    counted = await anthropic_client.messages.count_tokens(model="m", messages=HELLO)
    assert counted.input_tokens == 3
    floats = await openai_client.embeddings.create(model="e", input=["abcd" * 4, "x"], encoding_format="float")
    packed = await openai_client.embeddings.create(model="e", input="x", dimensions=3)
    assert [len(item.embedding) for item in floats.data] == [8, 8]
    assert packed.data[0].embedding == pytest.approx([1 / 2, 1 / 3, 1 / 4], abs=1e-5)
    assert [model.id async for model in openai_client.models.list()] == ["scripted-small", "scripted-big"]
    assert [model.id async for model in anthropic_client.models.list()] == ["scripted-small", "scripted-big"]
    assert [record.bills for record in up.served] == [False, True, True, False, False]
    assert up.served[1].usage == {"prompt_tokens": 5, "total_tokens": 5}


@pytest.mark.parametrize(
    ("dialect", "body", "said"),
    [
        ("openai", {"messages": []}, "messages"),
        ("openai", {"model": ""}, "model"),
        ("openai", {"max_tokens": 0}, "max_tokens"),
        ("openai", {"stream_options": {"include_usage": True}}, "stream_options"),
        ("openai", {"messages": [{"role": "tool", "tool_call_id": "x", "content": ""}]}, "tool_call_id"),
        ("anthropic", {"max_tokens": None}, None),
        ("anthropic", {"messages": [{"role": "user", "content": []}]}, "content"),
        (
            "anthropic",
            {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}]}]},
            "signature",
        ),
        (
            "anthropic",
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]},
            "tool_result",
        ),
    ],
)
async def test_what_the_real_api_refuses_is_refused(scripted, dialect, body, said):
    caller = await scripted()
    answer = await caller.send(dialect, **body)
    if said is None:  # an explicit null is taken as the real API takes it: given
        assert answer.status == 200
    else:
        assert answer.status == 400
        assert said in answer.json["error"]["message"]
        assert not caller.up.served[0].bills


async def test_a_body_that_is_no_json_is_a_400(scripted):
    caller = await scripted()
    assert (await caller.send(raw=b"{nope")).status == 400
    assert (await caller.send("anthropic", raw=b"[]")).status == 400
    assert (await caller.send(path="/v1/nothing")).status == 404


def request(dialect: str, **body) -> ProviderRequest:
    told = {"model": "m", "messages": HELLO} | body
    return ProviderRequest(number=1, dialect=dialect, path="", model="m", stream=False, headers={}, body=told)


SCRIPTS = st.builds(
    Script,
    text=st.none() | st.text(max_size=60),
    output_tokens=st.integers(0, 40),
    thinking=st.none() | st.text(max_size=40),
    reasoning_tokens=st.integers(0, 40),
    tool_calls=st.lists(st.builds(ScriptedCall, st.just("weather"), st.just({"city": "x" * 20})), max_size=2).map(
        tuple
    ),
    input_tokens=st.none() | st.integers(1, 100),
    cached_tokens=st.integers(0, 200),
    cache_write_5m_tokens=st.integers(0, 200),
    cache_write_1h_tokens=st.integers(0, 200),
)


@given(SCRIPTS, st.integers(1, 50), st.integers(1, 4), st.booleans())
def test_no_answer_exceeds_the_cap_and_no_bucket_the_prompt(script, cap, count, completion_cap):
    key = "max_completion_tokens" if completion_cap else "max_tokens"
    answer = plan_answer(request("openai", **{key: cap, "n": count, "tools": [OPENAI_TOOL]}), script, 0)
    assert len(answer.choices) == count
    for choice in answer.choices:
        assert choice.output_tokens <= cap
        uncapped = plan_answer(request("openai", tools=[OPENAI_TOOL]), script, 0).choices[0]
        assert choice.cut_by_cap == (uncapped.output_tokens > cap)
    assert answer.cached_tokens + answer.cache_write_5m_tokens + answer.cache_write_1h_tokens <= answer.input_tokens


@given(st.text(max_size=80))
def test_tokens_joined_are_the_text(text):
    assert joined(tokens_of(text)) == text


def test_input_tokens_count_text_and_not_base64():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}
    assert input_tokens({"messages": [{"role": "user", "content": [{"type": "text", "text": "abcd"}, image]}]}) == 86
    assert input_tokens({"messages": HELLO, "system": "x" * 9}) == 5
    assert input_tokens({"messages": [{"role": "user", "content": "é" * 4}]}, 1.0) == 8
    assert input_tokens({}) == 1


async def test_the_same_seed_gives_the_same_words(scripted):
    first, again, other = [await scripted(seed=seed) for seed in (1, 1, 2)]
    said = [(await caller.send()).json["choices"][0]["message"]["content"] for caller in (first, again, other)]
    assert said[0] == said[1] != said[2]


def test_standing_instructions_after_the_users_turn_do_not_take_it_away():
    turns = [{"role": "user", "content": 'CALL weather {"city": "Rome"}'}, {"role": "system", "content": "Be brief."}]
    body = {"messages": turns, "tools": [{"name": "weather"}]}
    assert asked_calls(body, ()) == (ScriptedCall("weather", {"city": "Rome"}),)
