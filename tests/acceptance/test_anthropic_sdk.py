"""The official Anthropic SDK, sync and async, against both provider types."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.acceptance.money import billed_nanousd
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.sdk_clients import AnthropicClient, Mode

from bascule.testing.script import Script, ScriptedCall

pytestmark = pytest.mark.real

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CALLS = (ScriptedCall("get_weather", {"city": "Paris"}), ScriptedCall("get_weather", {"city": "Zürich"}))


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


@pytest.fixture
def client(gateway: Gateway, mode: Mode) -> AnthropicClient:
    return AnthropicClient(gateway.url, mode)


@pytest.fixture(params=["oai", "ant"])
def model(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def user(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


def assert_our_headers(headers: Mapping[str, str], model: str) -> None:
    assert headers["x-bascule-model"] == model
    assert headers["x-bascule-provider"] == ("openai-type" if model == "oai" else "anthropic-type")
    assert headers["request-id"] == headers["x-bascule-request-id"]
    assert headers["cache-control"] == "private, no-store"


def delta_cost(events: list[Any]) -> float:
    """The cost in the stream's last usage; the SDK's accumulated message drops fields that it does not know."""
    deltas = [event for event in events if event.type == "message_delta"]
    assert len(deltas) == 1
    cost: float = deltas[0].usage.cost
    return cost


def assert_usage(usage: Any, provider: Provider, model: str, cost: float | None = None) -> None:
    """The client's numbers are the provider's, and its cost is the bill."""
    served = provider.last
    billed = served.usage
    assert billed is not None
    if served.dialect == "anthropic":
        assert usage.input_tokens == billed["input_tokens"]
        assert usage.cache_read_input_tokens == billed["cache_read_input_tokens"]
        assert usage.cache_creation_input_tokens == billed["cache_creation_input_tokens"]
        assert usage.output_tokens == billed["output_tokens"]
    else:
        cached = billed["prompt_tokens_details"]["cached_tokens"]
        assert usage.input_tokens == billed["prompt_tokens"] - cached
        assert (usage.cache_read_input_tokens or 0) == cached
        assert usage.output_tokens == billed["completion_tokens"]
    assert round((usage.cost if cost is None else cost) * 1e9) == billed_nanousd(model, served.dialect, billed)


def test_a_whole_answer(client: AnthropicClient, provider: Provider, model: str) -> None:
    provider.use(Script(text="Paris is the capital.", cached_tokens=3))
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    message, headers = client.message(
        model=model, max_tokens=100, system=system, messages=user("The capital of France?"), stop_sequences=["END"]
    )
    assert [block.type for block in message.content] == ["text"]
    assert message.content[0].text == "Paris is the capital."
    assert message.stop_reason == "end_turn"
    assert message.role == "assistant"
    assert_our_headers(headers, model)
    assert_usage(message.usage, provider, model)
    assert "x-bascule-cost-usd" in headers
    sent = provider.last.request_body
    if model == "ant":
        assert sent["system"] == system
        assert sent["stop_sequences"] == ["END"]
    else:
        assert sent["messages"][0]["role"] in ("system", "developer")
        assert "Be brief." in json.dumps(sent["messages"][0])
        assert "cache_control" not in json.dumps(sent)
        assert sent["stop"] in ("END", ["END"])


def test_a_streamed_answer(client: AnthropicClient, provider: Provider, model: str) -> None:
    provider.use(Script(text="One two three four five.", cached_tokens=2))
    events, message, headers = client.stream(model=model, max_tokens=100, messages=user("Count."))
    assert message.content[0].text == "One two three four five."
    assert message.stop_reason == "end_turn"
    assert events[0].type == "message_start"
    assert events[-1].type == "message_stop"
    assert "".join(event.text for event in events if event.type == "text") == "One two three four five."
    assert_our_headers(headers, model)
    assert_usage(message.usage, provider, model, cost=delta_cost(events))


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_there_and_back(client: AnthropicClient, provider: Provider, model: str, streamed: bool) -> None:
    provider.use(Script(tool_calls=CALLS))
    messages = user("Weather in Paris and Zürich?")
    ask: dict[str, Any] = {"model": model, "max_tokens": 200, "tools": [WEATHER], "tool_choice": {"type": "auto"}}

    def answer() -> Any:
        return client.stream(**ask, messages=messages)[1] if streamed else client.message(**ask, messages=messages)[0]

    message = answer()
    assert message.stop_reason == "tool_use"
    calls = [block for block in message.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Zürich"}),
    ]
    assert len({call.id for call in calls}) == 2
    blocks = [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.input} for call in calls]
    messages.append({"role": "assistant", "content": blocks})
    results: list[Any] = [
        {"type": "tool_result", "tool_use_id": calls[0].id, "content": "20 °C"},
        {"type": "tool_result", "tool_use_id": calls[1].id, "content": "no such city", "is_error": True},
    ]
    messages.append({"role": "user", "content": results})
    provider.use(Script(text="Warm in one."))
    final = answer()
    assert final.content[0].text == "Warm in one."
    assert final.stop_reason == "end_turn"
    assert provider.last.status == 200
    sent = json.dumps(provider.last.request_body, ensure_ascii=False)
    assert "20 °C" in sent
    assert "no such city" in sent


def test_a_forced_tool(client: AnthropicClient, provider: Provider, model: str) -> None:
    provider.use(Script(tool_calls=CALLS[:1]))
    choice = {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True}
    client.message(model=model, max_tokens=99, messages=user("Weather?"), tools=[WEATHER], tool_choice=choice)
    sent = provider.last.request_body
    if model == "ant":
        assert sent["tool_choice"] == choice
    else:
        assert sent["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
        assert sent["parallel_tool_calls"] is False


def test_an_image(client: AnthropicClient, provider: Provider, model: str) -> None:
    provider.use(Script(text="A pixel."))
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    message, _ = client.message(
        model=model, max_tokens=50, messages=user([{"type": "text", "text": "What is this?"}, image])
    )
    assert message.content[0].text == "A pixel."
    block = provider.last.request_body["messages"][-1]["content"][1]
    if model == "ant":
        assert block == image
    else:
        assert block["image_url"]["url"] == f"data:image/png;base64,{PIXEL}"


def test_an_answer_by_schema(client: AnthropicClient, provider: Provider, model: str) -> None:
    provider.use(Script())
    schema = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}
    message, _ = client.message(
        model=model,
        max_tokens=99,
        messages=user("Describe Paris."),
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    assert json.loads(message.content[0].text) == {"name": "word", "size": 7}


@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_comes_back_signed(client: AnthropicClient, provider: Provider, streamed: bool) -> None:
    provider.use(Script(text="42.", thinking="Six times seven."))
    ask: dict[str, Any] = {"model": "ant", "max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}}
    messages = user("Six times seven?")

    def answer() -> Any:
        return client.stream(**ask, messages=messages)[1] if streamed else client.message(**ask, messages=messages)[0]

    message = answer()
    assert message.usage.output_tokens == 4
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.content[0].thinking == "Six times seven."
    signature = message.content[0].signature
    assert signature
    messages.append({"role": "assistant", "content": [block.model_dump() for block in message.content]})
    messages += user("Sure?")
    answer()
    kept = provider.last.request_body["messages"][1]["content"][0]
    assert (kept["thinking"], kept["signature"]) == ("Six times seven.", signature)


def test_the_cap_reaches_the_provider(client: AnthropicClient, provider: Provider, model: str) -> None:
    provider.use(Script(output_tokens=50))
    message, _ = client.message(model=model, max_tokens=7, messages=user("Go on."))
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == 7


def test_cache_writes_are_priced_by_their_term(client: AnthropicClient, provider: Provider) -> None:
    provider.use(Script(input_tokens=5000, cached_tokens=1000, cache_write_5m_tokens=700, cache_write_1h_tokens=300))
    message, _ = client.message(model="ant", max_tokens=50, messages=user("Long."))
    assert message.usage.cache_creation.ephemeral_1h_input_tokens == 300
    assert_usage(message.usage, provider, "ant")
    events, streamed, _ = client.stream(model="ant", max_tokens=50, messages=user("Long."))
    assert_usage(streamed.usage, provider, "ant", cost=delta_cost(events))


def test_tokens_are_counted(client: AnthropicClient, provider: Provider, model: str) -> None:
    provider.use(Script())
    text = "How many tokens has this sentence of plain words? " * 20
    counted = client.count(model=model, messages=user(text))
    true = len(text) * 0.25
    assert true * 0.7 < counted < true * 1.4
    if model == "ant":
        assert provider.last.path.endswith("/count_tokens")  # the provider's own count


def test_the_models(client: AnthropicClient) -> None:
    assert {"oai", "ant"} <= {model.id for model in client.models()}
