"""The official OpenAI SDK, sync and async, against both provider types."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel
from tests.acceptance.money import billed_nanousd
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.sdk_clients import Mode, OpenAIClient

from bascule.testing.script import Script, ScriptedCall

pytestmark = pytest.mark.real

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALLS = (ScriptedCall("get_weather", {"city": "Paris"}), ScriptedCall("get_weather", {"city": "Zürich"}))


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


@pytest.fixture
def client(gateway: Gateway, mode: Mode) -> OpenAIClient:
    return OpenAIClient(gateway.url, mode)


@pytest.fixture(params=["oai", "ant"])
def model(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def assert_our_headers(headers: Mapping[str, str], model: str) -> None:
    assert headers["x-bascule-model"] == model
    assert headers["x-bascule-provider"] == ("openai-type" if model == "oai" else "anthropic-type")
    assert headers["x-bascule-request-id"].startswith("req")
    assert headers["x-bascule-cache"] == "none"
    assert headers["x-bascule-reason"]
    assert headers["cache-control"] == "private, no-store"


def assert_usage(usage: Any, provider: Provider, model: str) -> None:
    """The client's numbers are the provider's, and its cost is the bill."""
    served = provider.last
    billed = served.usage
    assert billed is not None
    if served.dialect == "openai":
        assert usage.prompt_tokens == billed["prompt_tokens"]
        assert usage.completion_tokens == billed["completion_tokens"]
    else:
        cached = billed["cache_read_input_tokens"] + billed["cache_creation_input_tokens"]
        assert usage.prompt_tokens == billed["input_tokens"] + cached
        assert usage.completion_tokens == billed["output_tokens"]
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert round(usage.cost * 1e9) == billed_nanousd(model, served.dialect, billed)


def test_a_whole_answer(client: OpenAIClient, provider: Provider, model: str) -> None:
    provider.use(Script(text="Paris is the capital.", cached_tokens=3))
    messages = [{"role": "system", "content": "Be brief."}, *user("What is the capital of France?")]
    completion, headers = client.chat(model=model, messages=messages, temperature=0.5, stop=["END"])
    assert completion.choices[0].message.content == "Paris is the capital."
    assert completion.choices[0].message.role == "assistant"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.prompt_tokens_details.cached_tokens == 3
    assert_our_headers(headers, model)
    assert_usage(completion.usage, provider, model)
    assert "x-bascule-cost-usd" in headers
    sent = provider.last.request_body
    assert sent["temperature"] == 0.5
    assert sent.get("stop", sent.get("stop_sequences")) in ("END", ["END"])
    if model == "ant":
        assert "Be brief." in json.dumps(sent["system"])
    assert not [name for name in provider.last.request_headers if name.startswith("x-bascule")]


@pytest.mark.parametrize("asked", [True, False])
def test_a_streamed_answer(client: OpenAIClient, provider: Provider, model: str, asked: bool) -> None:
    provider.use(Script(text="One two three four five."))
    options = {"stream_options": {"include_usage": True}} if asked else {}
    chunks, headers = client.stream(model=model, messages=user("Count."), **options)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "One two three four five."
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({chunk.id for chunk in chunks}) == 1
    assert_our_headers(headers, model)
    told = [chunk for chunk in chunks if chunk.usage is not None]
    if asked:
        assert len(told) == 1
        assert told[0] is chunks[-1]
        assert told[0].choices == []
        assert_usage(told[0].usage, provider, model)
    else:
        assert told == []
        assert all(chunk.choices for chunk in chunks)


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_there_and_back(client: OpenAIClient, provider: Provider, model: str, streamed: bool) -> None:
    provider.use(Script(tool_calls=CALLS, text=None))
    messages = user("Weather in Paris and Zürich?")
    ask: dict[str, Any] = {"model": model, "tools": [WEATHER], "tool_choice": "auto"}
    if streamed:
        choice = client.accumulate(**ask, messages=messages).choices[0]
    else:
        choice = client.chat(**ask, messages=messages, parallel_tool_calls=True)[0].choices[0]
    assert choice.finish_reason == "tool_calls"
    calls = choice.message.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Zürich"}),
    ]
    assert len({call.id for call in calls}) == 2
    messages.append(choice.message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}))
    messages += [{"role": "tool", "tool_call_id": call.id, "content": f"{n + 20} °C"} for n, call in enumerate(calls)]
    provider.use(Script(text="Warm in both."))
    if streamed:
        final = client.accumulate(**ask, messages=messages).choices[0]
    else:
        final = client.chat(**ask, messages=messages)[0].choices[0]
    assert final.message.content == "Warm in both."
    assert final.finish_reason == "stop"
    assert provider.last.status == 200  # the scripted provider refuses results that answer no call
    assert "20 °C" in json.dumps(provider.last.request_body, ensure_ascii=False)


def test_a_forced_tool(client: OpenAIClient, provider: Provider, model: str) -> None:
    provider.use(Script(tool_calls=CALLS[:1]))
    choice = {"type": "function", "function": {"name": "get_weather"}}
    client.chat(model=model, messages=user("Weather?"), tools=[WEATHER], tool_choice=choice)
    sent = provider.last.request_body["tool_choice"]
    assert sent == (choice if model == "oai" else {"type": "tool", "name": "get_weather"})


def test_an_image(client: OpenAIClient, provider: Provider, model: str) -> None:
    provider.use(Script(text="A pixel."))
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
    ]
    completion, _ = client.chat(model=model, messages=[{"role": "user", "content": parts}])
    assert completion.choices[0].message.content == "A pixel."
    block = provider.last.request_body["messages"][-1]["content"][1]
    if model == "oai":
        assert block == parts[1]
    else:
        assert block["source"] == {"type": "base64", "media_type": "image/png", "data": PIXEL}


class City(BaseModel):
    name: str
    population: int
    rivers: list[str]


def test_an_answer_by_schema(client: OpenAIClient, provider: Provider, model: str) -> None:
    provider.use(Script())
    parsed = client.parse(model=model, messages=user("Describe Paris."), response_format=City)
    assert parsed.choices[0].message.parsed == City(name="word", population=7, rivers=["word"])


def test_the_cap_reaches_the_provider(client: OpenAIClient, provider: Provider, model: str) -> None:
    provider.use(Script(output_tokens=50))
    completion, _ = client.chat(model=model, messages=user("Go on."), max_completion_tokens=7)
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage.completion_tokens == 7


def test_several_choices_with_logprobs(client: OpenAIClient, provider: Provider) -> None:
    provider.use(Script(text="Heads or tails."))
    completion, _ = client.chat(model="oai", messages=user("Toss."), n=3, logprobs=True)
    assert [choice.index for choice in completion.choices] == [0, 1, 2]
    assert all(choice.message.content == "Heads or tails." for choice in completion.choices)
    assert completion.choices[2].logprobs.content[0].logprob == -0.25
    assert_usage(completion.usage, provider, "oai")


def test_several_choices_streamed(client: OpenAIClient, provider: Provider) -> None:
    provider.use(Script(text="Heads or tails."))
    chunks, _ = client.stream(model="oai", messages=user("Toss."), n=2, logprobs=True)
    texts = {0: "", 1: ""}
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == {0: "Heads or tails.", 1: "Heads or tails."}
    assert any(c.choices[0].logprobs and c.choices[0].logprobs.content for c in chunks if c.choices)


def test_reasoning_is_counted(client: OpenAIClient, provider: Provider) -> None:
    provider.use(Script(text="42.", reasoning_tokens=12))
    completion, _ = client.chat(model="oai", messages=user("Think."), reasoning_effort="high")
    assert completion.usage.completion_tokens_details.reasoning_tokens == 12
    assert provider.last.request_body["reasoning_effort"] == "high"
    assert_usage(completion.usage, provider, "oai")


def test_embeddings(client: OpenAIClient, provider: Provider, gateway: Gateway) -> None:
    provider.use(Script())
    embedded, headers = client.embed(model="embed", input=["one text", "another text"])
    assert [item.index for item in embedded.data] == [0, 1]
    assert all(isinstance(value, float) for value in embedded.data[0].embedding)
    assert len(embedded.data[0].embedding) == 8
    billed = provider.last.usage
    assert billed is not None
    assert embedded.usage.prompt_tokens == billed["prompt_tokens"]
    assert headers["x-bascule-model"] == "embed"
    assert provider.last.request_body["encoding_format"] == "base64"
    row = next(row for row in gateway.rows() if row["request_id"] == headers["x-bascule-request-id"])
    assert row["tokens_in"] == embedded.usage.prompt_tokens
    assert row["cost_nanousd"] == embedded.usage.prompt_tokens * 20


def test_the_models(client: OpenAIClient) -> None:
    names = {model.id for model in client.models()}
    assert {"oai", "ant", "embed"} <= names
