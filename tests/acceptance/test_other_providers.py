"""Cohere and Bedrock behind the real process, asked by the official OpenAI and Anthropic SDKs."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.acceptance.configuration import PROVIDER_ENV, model
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.sdk_clients import AnthropicClient, OpenAIClient

from bascule.testing.script import Fault, Script, ScriptedCall

pytestmark = pytest.mark.real

KEY_ID, SECRET_KEY, TOKEN = "AKIACANARY7Qm2vX9tLr", "canary+secret/8Hn4Jx2Lc6VbZq7wRt5Yp", "IQoJcanary+token/1Ms9"
AWS = {
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_SESSION_TOKEN": TOKEN,
    "AWS_REGION": "eu-central-1",
}
CLAUDE = "eu.anthropic.claude-sonnet-5-v1:0"
PRICE = {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75, "cache_write_1h": 6}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: dict[str, Any] = {"type": "function", "function": {"name": "get-weather", "parameters": CITY}}
CALLS = (ScriptedCall("get-weather", {"city": "Paris"}), ScriptedCall("get-weather", {"city": "Zürich"}))
MODELS = ["co", "aws"]


@pytest.fixture(scope="module")
def others(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway before both. Bedrock's requests are signed with credentials from its environment."""
    origin = provider.upstream.origin
    config = {
        "breaker": {"enabled": False},  # all tests break one provider
        "cache": {"exact": {"enabled": False}},
        "providers": {
            "cohere-type": {"dialect": "cohere", "base_url": origin, "api_key": "env:SCRIPTED_KEY"},
            "bedrock-type": {"dialect": "bedrock_converse", "base_url": origin},
        },
        "models": {"co": model("cohere-type", "command-a", PRICE), "aws": model("bedrock-type", CLAUDE, PRICE)},
    }
    made = Gateway(tmp_path_factory.mktemp("others"), config, {**PROVIDER_ENV, **AWS}).start()
    yield made
    assert made.stop() == 0, made.output()
    assert not [secret for secret in (KEY_ID, SECRET_KEY, TOKEN) if secret in made.output()]


@pytest.fixture(params=["sync", "async"])
def chat(others: Gateway, request: pytest.FixtureRequest) -> OpenAIClient:
    return OpenAIClient(others.url, request.param)


@pytest.fixture(params=["sync", "async"])
def claude(others: Gateway, request: pytest.FixtureRequest) -> AnthropicClient:
    return AnthropicClient(others.url, request.param)


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def names_of(provider: Provider, script_calls: tuple[ScriptedCall, ...] = CALLS) -> Any:
    """A script that calls the tools by the names that arrived: Cohere's may hold no hyphen."""

    def choose(request: Any) -> Script:
        tools = request.body.get("tools") or [{}]
        name = (tools[0].get("function") or tools[0]).get("name")
        return Script(text="I ask.", tool_calls=tuple([ScriptedCall(name, call.arguments) for call in script_calls]))

    return choose


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
def test_tools_there_and_back_by_chat(chat: OpenAIClient, provider: Provider, name: str, streamed: bool) -> None:
    provider.use(names_of(provider))
    messages: list[Any] = user("Weather?")
    ask: dict[str, Any] = {"model": name, "tools": [WEATHER]}
    first = chat.accumulate(**ask, messages=messages) if streamed else chat.chat(**ask, messages=messages)[0]
    choice = first.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "I ask."
    calls = choice.message.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        *(("get-weather", {"city": "Paris"}), ("get-weather", {"city": "Zürich"}))
    ]
    messages.append(choice.message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}))
    messages += [{"role": "tool", "tool_call_id": call.id, "content": f"{n + 20} °C"} for n, call in enumerate(calls)]
    provider.use(Script(text="Warm in both."))
    final = chat.accumulate(**ask, messages=messages) if streamed else chat.chat(**ask, messages=messages)[0]
    assert final.choices[0].message.content == "Warm in both."
    assert provider.last.status == 200


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_tools_and_images_by_messages(
    claude: AnthropicClient, provider: Provider, name: str, streamed: bool
) -> None:
    def ask(**more: Any) -> Any:
        request = {"model": name, "max_tokens": 4000, "tools": [{"name": "get-weather", "input_schema": CITY}], **more}
        return claude.stream(**request)[1] if streamed else claude.message(**request)[0]

    provider.use(names_of(provider))
    thinking = {"type": "enabled", "budget_tokens": 2000} if name == "aws" else {"type": "disabled"}
    first = ask(messages=user("Weather?"), thinking=thinking)
    assert first.stop_reason == "tool_use"
    kinds = [block.type for block in first.content]
    assert kinds == [*(["thinking"] if name == "aws" else []), "text", "tool_use", "tool_use"]
    calls = [block for block in first.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [
        *(("get-weather", {"city": "Paris"}), ("get-weather", {"city": "Zürich"}))
    ]
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    results = [
        {"type": "tool_result", "tool_use_id": calls[0].id, "content": [{"type": "text", "text": "see"}, picture]},
        {"type": "tool_result", "tool_use_id": calls[1].id, "content": "no such city", "is_error": True},
    ]
    turns = [*user("Weather?"), {"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
    provider.use(Script(text="Sunny."))
    final = ask(messages=turns, thinking=thinking)
    assert final.stop_reason == "end_turn"
    assert final.content[-1].text == "Sunny."
    if name == "aws":
        sent = provider.last.request_body["messages"][1]["content"][0]["reasoningContent"]["reasoningText"]
        assert sent == {"text": first.content[0].thinking, "signature": first.content[0].signature}


@pytest.mark.parametrize("name", MODELS)
def test_what_is_billed_is_told(chat: OpenAIClient, provider: Provider, name: str) -> None:
    provider.use(Script(text="One two three.", input_tokens=100, cached_tokens=30, cache_write_1h_tokens=20))
    answer, headers = chat.chat(model=name, messages=user("Count."))
    assert answer.usage.prompt_tokens == 100
    assert answer.usage.completion_tokens == 3
    assert answer.usage.prompt_tokens_details.cached_tokens == 30
    written = 20 if name == "aws" else 0  # Cohere says nothing of writes
    nanousd = (70 - written) * 3_000 + 30 * 300 + written * 6_000 + 3 * 15_000
    assert float(headers["x-bascule-cost-usd"]) == pytest.approx(nanousd / 1e9)


@pytest.mark.parametrize("name", MODELS)
def test_a_json_schema_by_chat(chat: OpenAIClient, provider: Provider, name: str) -> None:
    provider.use(Script())
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": CITY}}
    answer, _ = chat.chat(model=name, messages=user("Where?"), response_format=wanted)
    assert json.loads(answer.choices[0].message.content) == {"city": "word"}


@pytest.mark.parametrize("streamed", [False, True])
def test_aws_would_take_the_signature(others: Gateway, provider: Provider, streamed: bool) -> None:
    provider.use(Script(text="Signed."))
    with openai.OpenAI(base_url=f"{others.url}/v1", api_key="any", max_retries=0) as client:
        client.chat.completions.create(model="aws", messages=user("Sign: ä."), stream=streamed)
    served = provider.last
    path = "/model/eu.anthropic.claude-sonnet-5-v1%3A0/converse" + ("-stream" if streamed else "")
    assert served.path == path
    told = served.request_headers
    request = AWSRequest(
        method="POST",
        url=f"http://{told['host']}{path}",
        data=json.dumps(served.request_body, separators=(",", ":"), ensure_ascii=False).encode(),
        headers={name: told[name] for name in ("content-type", "x-amz-date", "x-amz-security-token")},
    )
    request.context["timestamp"] = told["x-amz-date"]
    signer = SigV4Auth(Credentials(KEY_ID, SECRET_KEY, TOKEN), "bedrock", "eu-central-1")
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert told["authorization"].endswith(f"Signature={signature}")


BROKEN: list[Fault] = ["close_mid", "clean_eof", "truncated_event", "bad_json_line", "error_mid"]


@pytest.mark.parametrize(("name", "fault"), [("aws", "bad_checksum"), *((n, f) for n in MODELS for f in BROKEN)])
def test_a_broken_stream_is_an_error_to_both_sdks(others: Gateway, provider: Provider, name: str, fault: Fault) -> None:
    provider.use(Script(text="One two three four five six.", fault=fault))
    with (
        openai.OpenAI(base_url=f"{others.url}/v1", api_key="any", max_retries=0) as client,
        pytest.raises(openai.APIError),
    ):
        list(client.chat.completions.create(model=name, messages=user("Count."), stream=True))
    with (
        anthropic.Anthropic(base_url=others.url, api_key="any", max_retries=0) as other,
        pytest.raises(anthropic.APIError),
        other.messages.stream(model=name, max_tokens=50, messages=user("Count.")) as stream,
    ):
        list(stream)


@pytest.mark.parametrize(("status", "error"), [(429, openai.RateLimitError), (400, openai.BadRequestError)])
@pytest.mark.parametrize("name", MODELS)
def test_error_statuses(others: Gateway, provider: Provider, name: str, status: int, error: Any) -> None:
    provider.use(Script(status=status, error_message="not like this"))
    with (
        openai.OpenAI(base_url=f"{others.url}/v1", api_key="any", max_retries=0) as client,
        pytest.raises(error, match="not like this"),
    ):
        client.chat.completions.create(model=name, messages=user("Hi."))


@pytest.mark.parametrize("name", MODELS)
def test_counts_and_models(claude: AnthropicClient, name: str) -> None:
    assert claude.count(model=name, messages=user("How many tokens are these?")) > 3
    assert name in {listed.id for listed in claude.models()}
