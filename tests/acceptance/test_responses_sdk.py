"""The official OpenAI SDK's `client.responses`, sync and async, against all provider types."""

import asyncio
import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.money import billed_nanousd
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.sdk_clients import Mode, ResponsesClient
from tests.acceptance.wire import Leave, post

from bascule.testing.script import Script, ScriptedCall

pytestmark = pytest.mark.real

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": CITY,
    "strict": False,
}
CALLS = (ScriptedCall("get_weather", {"city": "Paris"}), ScriptedCall("get_weather", {"city": "Zürich"}))


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


@pytest.fixture
def client(gateway: Gateway, mode: Mode) -> ResponsesClient:
    return ResponsesClient(gateway.url, mode)


@pytest.fixture(params=["oai", "ant", "res"])
def model(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def assert_usage(usage: Any, provider: Provider, model: str) -> None:
    """The client's cost is the bill, and its numbers add up."""
    served = provider.last
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert round(usage.cost * 1e9) == billed_nanousd(model, served.dialect, served.usage)


def test_a_whole_answer(client: ResponsesClient, provider: Provider, model: str) -> None:
    provider.use(Script(text="Paris is the capital.", cached_tokens=3))
    response, headers = client.create(
        model=model, instructions="Be brief.", input="What is the capital of France?", temperature=0.5
    )
    assert response.output_text == "Paris is the capital."
    assert response.status == "completed"
    assert response.usage.input_tokens_details.cached_tokens == 3
    assert_usage(response.usage, provider, model)
    assert headers["x-bascule-model"] == model
    assert "x-bascule-cost-usd" in headers
    assert "Be brief." in json.dumps(provider.last.request_body)
    assert provider.last.path.endswith({"oai": "/chat/completions", "ant": "/messages", "res": "/responses"}[model])


def test_a_streamed_answer(client: ResponsesClient, provider: Provider, model: str) -> None:
    provider.use(Script(text="One two three four five."))
    events, final = client.stream(model=model, input="Count.")
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) == 5
    assert "".join(deltas) == final.output_text == "One two three four five."
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1].type == "response.completed"
    assert_usage(final.usage, provider, model)


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_there_and_back(client: ResponsesClient, provider: Provider, model: str, streamed: bool) -> None:
    provider.use(Script(tool_calls=CALLS, text="I look.", thinking="Two cities."))
    history: list[Any] = [{"role": "user", "content": "Weather in Paris and Zürich?"}]
    ask: dict[str, Any] = {"model": model, "tools": [WEATHER], "store": False, "reasoning": {"effort": "low"}}

    def turn() -> Any:
        return client.stream(**ask, input=history)[1] if streamed else client.create(**ask, input=history)[0]

    response = turn()
    kinds = [item.type for item in response.output]
    assert kinds == ["reasoning", "message", "function_call", "function_call"]
    assert response.output[0].summary[0].text == "Two cities."
    calls = response.output[2:]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Zürich"}),
    ]
    history += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in response.output]
    history += [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"{n + 20} °C"}
        for n, call in enumerate(calls)
    ]
    provider.use(Script(text="Warm in both."))
    assert turn().output_text == "Warm in both."
    assert provider.last.status == 200  # the scripted provider refuses results that answer no call, and foreign proofs
    sent = json.dumps(provider.last.request_body, ensure_ascii=False)
    assert "20 °C" in sent
    if model == "ant":
        thought = provider.last.request_body["messages"][1]["content"][0]
        assert (thought["type"], thought["thinking"]) == ("thinking", "Two cities.")
        assert ":" not in thought["signature"]


def test_a_session_moves_between_vendors(client: ResponsesClient, provider: Provider) -> None:
    """Each model's reasoning comes back to it alone; nobody refuses the history of the others."""
    provider.use(Script(text="Well.", thinking="I think."))
    history: list[Any] = []
    for model in ("res", "ant", "oai", "ant", "res"):
        history.append({"role": "user", "content": f"Go on, {model}."})
        response, _ = client.create(model=model, input=history, store=False, reasoning={"effort": "low"})
        history += [item.model_dump(exclude_none=True) for item in response.output]
    assert [served.status for served in provider.served] == [200] * 5
    last = provider.last.request_body["input"]
    assert [item.get("type") for item in last].count("reasoning") == 1


def test_a_namespace_and_a_custom_tool(client: ResponsesClient, provider: Provider, model: str) -> None:
    crew = {"type": "namespace", "name": "crew", "description": "Others.", "tools": [{**WEATHER, "name": "hire"}]}
    custom = {"type": "custom", "name": "apply_change", "description": "Changes files."}
    wanted = (ScriptedCall("crew__hire", {"city": "Paris"}), ScriptedCall("apply_change", {"input": "+ a\n+ b"}))
    provider.use(Script(tool_calls=wanted))
    tools = [crew, custom, {"type": "web_search"}]
    response, _ = client.create(model=model, input="Go.", tools=tools)
    hire, change = response.output
    assert (hire.namespace, hire.name, json.loads(hire.arguments)) == ("crew", "hire", {"city": "Paris"})
    assert (change.type, change.name, change.input) == ("custom_tool_call", "apply_change", "+ a\n+ b")
    _, streamed = client.stream(model=model, input="Go.", tools=tools)
    assert [item.type for item in streamed.output] == ["function_call", "custom_tool_call"]
    assert streamed.output[1].input == "+ a\n+ b"


def test_an_image(client: ResponsesClient, provider: Provider, model: str) -> None:
    provider.use(Script(text="A pixel."))
    parts = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"},
    ]
    response, _ = client.create(model=model, input=[{"role": "user", "content": parts}])
    assert response.output_text == "A pixel."
    assert PIXEL in json.dumps(provider.last.request_body)


class City(BaseModel):
    name: str
    population: int
    rivers: list[str]


def test_an_answer_by_schema(client: ResponsesClient, provider: Provider, model: str) -> None:
    provider.use(Script())
    parsed = client.parse(model=model, input="Describe Paris.", text_format=City)
    assert parsed.output_parsed == City(name="word", population=7, rivers=["word"])


def test_the_cap_reaches_the_provider(client: ResponsesClient, provider: Provider, model: str) -> None:
    provider.use(Script(output_tokens=50))
    response, _ = client.create(model=model, input="Go on.", max_output_tokens=17)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert response.usage.output_tokens == 17


@pytest.mark.parametrize("fault", ["error_mid", "clean_eof", "reset_mid", "bad_json_line"])
def test_a_stream_that_breaks_is_an_error(gateway: Gateway, provider: Provider, model: str, fault: Any) -> None:
    provider.use(Script(text="One two three four five six.", fault=fault))
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="any", max_retries=0) as client:
        seen: list[str] = []

        def read() -> None:
            seen.extend(event.type for event in client.responses.create(model=model, input="Count.", stream=True))

        with pytest.raises(openai.APIError):  # at once, where all of it comes in one piece
            read()
    assert "response.completed" not in seen


def test_a_context_that_is_too_long(client: ResponsesClient, provider: Provider, model: str) -> None:
    words = "prompt is too long: 9 tokens > 5 maximum"
    provider.use(Script(status=400, error_code="context_length_exceeded", error_message=words))
    with pytest.raises(openai.BadRequestError) as refused:
        client.create(model=model, input="Go on.")
    assert refused.value.code == "context_length_exceeded"


def test_going_on_from_a_kept_answer(make_gateway: MakeGateway, provider: Provider, mode: Mode) -> None:
    """`previous_response_id`, and the references to items that the Vercel AI SDK sends, on a translated model."""
    url = make_gateway(responses={"store": {"enabled": True}}).start().url
    client = ResponsesClient(url, mode)
    provider.use(Script(text="I look.", tool_calls=CALLS[:1]))
    first, _ = client.create(model="ant", input="Weather in Paris?", tools=[WEATHER])
    message, call = first.output
    assert first.store is True
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "20 °C"}
    provider.use(Script(text="Warm."))
    second, _ = client.create(model="ant", input=[result], tools=[WEATHER], previous_response_id=first.id)
    assert second.output_text == "Warm."
    given = [{"role": "user", "content": "Weather?"}, {"type": "item_reference", "id": message.id}]
    given += [{"type": "item_reference", "id": call.id}, result]
    client.create(model="oai", input=given, tools=[WEATHER])
    assert "I look." in json.dumps(provider.last.request_body)
    assert [served.status for served in provider.served] == [200, 200]
    with openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as sdk:
        assert sdk.responses.retrieve(first.id).output == first.output
        sdk.responses.delete(first.id)
        with pytest.raises(openai.NotFoundError):
            sdk.responses.retrieve(first.id)


@pytest.mark.parametrize("model", ["oai", "ant", "res"])
def test_closing_right_after_the_last_event_is_no_cancelling(gateway: Gateway, provider: Provider, model: str) -> None:
    """As Codex does: it reads up to `response.completed` and hangs up."""
    provider.use(Script(text="One two three."))
    body = {"model": model, "input": "Count.", "stream": True}
    whole = asyncio.run(post(gateway.url, "/v1/responses", body))
    end = whole.body.index(b"event: response.completed") + len(b"event: response.completed")
    for reset in (False, True):
        seen = asyncio.run(post(gateway.url, "/v1/responses", body, leave=Leave(after_bytes=end, reset=reset)))
        assert seen.left
        row = next(row for row in gateway.rows() if row["request_id"] == seen.headers["x-bascule-request-id"])
        assert (row["status"], row.get("error_class")) == (200, None)
        assert row["usage_source"] == "reported"
        assert row["cost_nanousd"] == billed_nanousd(model, provider.last.dialect, provider.last.usage)
