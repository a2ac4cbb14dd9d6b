"""OpenAI's and Anthropic's official SDKs on a provider of Gemini's dialect, and what travels in their histories."""

import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from tests.acceptance.money import billed_nanousd
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider, from_body
from tests.acceptance.sdk_clients import AnthropicClient, Mode, OpenAIClient

from bascule.testing.script import Script, ScriptedCall

pytestmark = pytest.mark.real

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL: Any = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
TOOL: Any = {"name": "get_weather", "input_schema": PARAMETERS}
CALLS = (ScriptedCall("get_weather", {"city": "Paris"}), ScriptedCall("get_weather", {"city": "Zürich"}))
WARM = from_body(lambda body: Script(text="Warm.") if "°C" in str(body) else Script(tool_calls=CALLS))


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


def signatures(provider: Provider) -> list[str]:
    """Of the calls in the last request's history."""
    parts = [part for content in provider.last.request_body["contents"] for part in content["parts"]]
    return [part["thoughtSignature"] for part in parts if "functionCall" in part and "thoughtSignature" in part]


@pytest.mark.parametrize("streamed", [False, True])
def test_openais_tools_there_and_back(gateway: Gateway, provider: Provider, mode: Mode, streamed: bool) -> None:
    client = OpenAIClient(gateway.url, mode)
    provider.use(WARM)
    messages: list[Any] = [{"role": "user", "content": "Weather?"}]
    ask: dict[str, Any] = {"model": "gem", "tools": [CHAT_TOOL]}
    complete = client.accumulate if streamed else lambda **request: client.chat(**request)[0]
    message = complete(**ask, messages=messages).choices[0].message
    assert [json.loads(call.function.arguments)["city"] for call in message.tool_calls] == ["Paris", "Zürich"]
    messages.append(message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}))
    messages += [{"role": "tool", "tool_call_id": call.id, "content": "21 °C"} for call in message.tool_calls]
    final = complete(**ask, messages=messages)
    assert final.choices[0].message.content == "Warm."
    assert provider.last.status == 200
    (signature,) = signatures(provider)
    assert signature != "skip_thought_signature_validator"  # Google's own came back in the call's id
    if not streamed:
        assert round(final.usage.cost * 1e9) == billed_nanousd("gem", "gemini", provider.last.usage)


@pytest.mark.parametrize("streamed", [False, True])
def test_anthropics_tools_there_and_back(gateway: Gateway, provider: Provider, mode: Mode, streamed: bool) -> None:
    client = AnthropicClient(gateway.url, mode)
    provider.use(WARM)
    messages: list[Any] = [{"role": "user", "content": "Weather?"}]
    ask: dict[str, Any] = {
        "model": "gem",
        "max_tokens": 9_000,
        "tools": [TOOL],
        "thinking": {"type": "enabled", "budget_tokens": 2_000},
    }
    complete = (lambda **request: client.stream(**request)[1]) if streamed else (lambda **r: client.message(**r)[0])
    message = complete(**ask, messages=messages)
    assert message.stop_reason == "tool_use"
    assert [block.type for block in message.content] == ["thinking", "tool_use", "tool_use"]
    messages.append(
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in message.content]}
    )
    uses = [block for block in message.content if block.type == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": use.id, "content": "21 °C"} for use in uses]
    final = complete(**ask, messages=[*messages, {"role": "user", "content": results}])
    assert [block.text for block in final.content if block.type == "text"] == ["Warm."]
    (signature,) = signatures(provider)
    assert signature != "skip_thought_signature_validator"
    # The same session goes on at Anthropic: no signature of Google's gets there, and nothing is refused.
    provider.use(Script(text="Still warm."))
    moved = complete(**{**ask, "model": "ant"}, messages=[*messages, {"role": "user", "content": results}])
    assert [block.text for block in moved.content if block.type == "text"] == ["Still warm."]
    assert signature.rstrip("=") not in json.dumps(provider.last.request_body)
    assert "sig__" not in json.dumps(provider.last.request_body)


def test_a_session_that_began_elsewhere_goes_on_at_google(gateway: Gateway, provider: Provider, mode: Mode) -> None:
    client = OpenAIClient(gateway.url, mode)
    provider.use(WARM)
    messages: list[Any] = [{"role": "user", "content": "Weather?"}]
    message = client.chat(model="oai", tools=[CHAT_TOOL], messages=messages)[0].choices[0].message
    messages.append(message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}))
    messages += [{"role": "tool", "tool_call_id": call.id, "content": "21 °C"} for call in message.tool_calls]
    final = client.chat(model="gem", tools=[CHAT_TOOL], messages=messages)[0]
    assert final.choices[0].message.content == "Warm."
    assert signatures(provider) == ["skip_thought_signature_validator"]


class City(BaseModel):
    name: str
    rivers: list[str]


def test_an_answer_by_schema(gateway: Gateway, provider: Provider, mode: Mode) -> None:
    provider.use(Script())
    client = OpenAIClient(gateway.url, mode)
    asked: list[Any] = [{"role": "user", "content": "Describe Paris."}]
    parsed = client.parse(model="gem", messages=asked, response_format=City)
    assert parsed.choices[0].message.parsed == City(name="word", rivers=["word"])


def test_embeddings_and_counts(gateway: Gateway, provider: Provider, mode: Mode) -> None:
    provider.use(Script(input_tokens=77))
    embedded, _ = OpenAIClient(gateway.url, mode).embed(model="gem-embed", input=["one", "two"])
    assert [len(item.embedding) for item in embedded.data] == [8, 8]
    counted = AnthropicClient(gateway.url, mode).count(model="gem", messages=[{"role": "user", "content": "hi"}])
    assert counted == 77


@pytest.mark.parametrize("fault", ["clean_eof", "close_mid", "error_mid", "bad_json_line"])
def test_a_cut_stream_is_never_a_clean_end(gateway: Gateway, provider: Provider, mode: Mode, fault: Any) -> None:
    provider.use(Script(text="One two three four five six.", fault=fault))
    with pytest.raises(openai.APIError):
        OpenAIClient(gateway.url, mode).stream(model="gem", messages=[{"role": "user", "content": "Count."}])
